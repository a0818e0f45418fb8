// A frame from its fields, as map, as bytes and as table; a field that is pointed at lights up in all of them.
//
// A field is what wslab's dissector makes of it, or frame.js: { name, bit, bits, value, meaning, section, error }.
// A view puts what it wants of them into one element, and calls `FrameMap.light` on that once.
"use strict";

globalThis.FrameMap = (() => {
  const { element, hex } = Page;
  const LIMIT = 64; // bytes that are drawn bit by bit
  const narrow = matchMedia("(max-width: 45rem)"); // there, a row has 16 bits instead of 32
  const width = () => (narrow.matches ? 16 : 32);
  const more = (size) => (size > LIMIT ? [element("span", { class: "more" }, `… ${size - LIMIT} more bytes`)] : []);

  /** Draw each field where its bits are. With `bytes` each bit is written; with `flip` it is a button, too. */
  function map(fields, { bytes = null, flip = null } = {}) {
    const wide = width(), ruler = ["bit", ...Array(wide).keys()].map((text) => element("span", { class: "ruler" }, `${text}`));
    const made = element("div", { class: "map", role: "group" }, ...ruler);
    made.style.gridTemplateColumns = `3rem repeat(${wide}, minmax(0, 1fr))`; // a property is allowed, an attribute not
    let size = 0;
    fields.forEach((field, at) => {
      size = (field.bit + field.bits) / 8;
      const end = Math.min(8 * size, 8 * LIMIT);
      for (let bit = field.bit, stop; bit < end; bit = stop) {
        stop = Math.min(end, (Math.floor(bit / wide) + 1) * wide);
        if (bit % wide === 0) made.append(element("span", { class: "ruler" }, `byte ${bit / 8}`));
        made.append(cell(field, at, bit, stop, bytes, flip));
      }
    });
    made.append(...more(size));
    return made;
  }

  /** Make what is in one row of a field, from a bit to the bit before another. */
  function cell(field, at, from, to, bytes, flip) {
    const title = `${field.name}: ${field.value}. ${field.meaning}${field.error ? `. Wrong: ${field.error}` : ""}`;
    const made = element("div", { "data-field": field.name, "data-at": at, title }, element("span", { class: "name" }, field.name));
    made.style.gridColumn = `span ${to - from}`;
    made.classList.toggle("one", to - from === 1);
    made.classList.toggle("wrong", Boolean(field.error));
    const value = element("span", { class: "value" }, bytes && field.bits >= 8 ? "" : from === field.bit ? field.value : "");
    if (bytes && field.bits >= 8) value.append(...hexOf(bytes.subarray(from / 8, to / 8), from / 8).flatMap((each) => [each, " "]));
    if (!bytes || to - from > 1) made.append(value);
    const bits = bytes ? Array.from({ length: to - from }, (_, i) => bitOf(field, from + i, bytes, flip)) : [];
    made.append(element("span", { class: "bits" }, ...bits));
    return made;
  }

  const hexOf = (bytes, from) => Array.from(bytes, (byte, i) => element("span", { "data-byte": from + i }, hex([byte])));

  function bitOf(field, bit, bytes, flip) {
    const byte = bit >> 3, value = (bytes[byte] >> (7 - (bit & 7))) & 1;
    if (!flip) return element("span", { "data-byte": byte }, `${value}`);
    const made = element("button", { type: "button", tabindex: -1, "data-bit": bit, "data-byte": byte }, `${value}`);
    made.setAttribute("aria-label", `${field.name}, bit ${bit & 7} of byte ${byte}: ${value}`);
    made.addEventListener("click", () => flip(bit));
    return made;
  }

  /** Write the bytes in hexadecimal, in the colours of their fields; a byte of several fields has none. */
  function dump(fields, bytes) {
    const spans = hexOf(bytes.subarray(0, LIMIT), 0);
    spans.forEach((span, byte) => {
      const here = [...fields.keys()].filter((at) => fields[at].bit < 8 * byte + 8 && fields[at].bit + fields[at].bits > 8 * byte);
      const names = here.map((at) => fields[at].name);
      Object.assign(span.dataset, { at: here.join(" "), field: names.length > 1 ? "several" : names[0] });
      span.title = `byte ${byte}: ${names.join(", ")}`;
    });
    return element("div", { class: "dump" }, ...spans.flatMap((span) => [span, " "]), ...more(bytes.length));
  }

  /** Make a row of a table: its heading, then its cells. */
  function row(heading, ...cells) {
    return element("tr", {}, element("th", { scope: "row" }, heading), ...cells.map((cell) => element("td", {}, cell)));
  }

  /** List the fields: what each says, where that is written, and what is wrong with it. */
  function table(fields) {
    const heading = ["field", "bits", "value", "meaning", "section"].map((name) => element("th", { scope: "col" }, name));
    const rows = fields.map(({ name, bits, value, meaning, section, error }, at) => {
      const made = row(name, `${bits}`, value, meaning, section);
      if (error) made.children[3].append(element("span", { class: "error" }, `wrong: ${error}`));
      made.firstChild.dataset.field = name;
      made.dataset.at = at;
      made.tabIndex = at ? -1 : 0; // one stop for Tab, the arrow keys go on
      return made;
    });
    return element("table", { class: "fields" }, element("thead", {}, element("tr", {}, ...heading)), element("tbody", {}, ...rows));
  }

  /** Light up the field under the pointer, or that with the focus, wherever it is in this element. */
  function light(root) {
    const placesOf = (target) => target?.dataset.at.split(" ") ?? [];
    const lit = (places) => {
      for (const each of root.querySelectorAll("[data-at]")) {
        each.classList.toggle("lit", placesOf(each).some((at) => places.includes(at)));
      }
    };
    const point = ({ target }) => lit(placesOf(target.closest("[data-at]")));
    for (const type of ["pointerover", "focusin"]) root.addEventListener(type, point);
    for (const type of ["pointerleave", "focusout"]) root.addEventListener(type, () => lit([]));
    root.addEventListener("keydown", (event) => {
      const here = event.target.closest("tr[data-at]");
      const next = { ArrowDown: here?.nextSibling, ArrowUp: here?.previousSibling }[event.key];
      if (!next) return;
      event.preventDefault();
      [here.tabIndex, next.tabIndex] = [-1, 0];
      next.focus();
    });
  }

  return { dump, light, map, narrow, row, table, width };
})();
