// What every page has, whether its script is a module or, to work from a file as well, a classic one.
"use strict";

globalThis.Page = (() => {
  /** Make an element with attributes and children; a string becomes text. */
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  /** Write bytes in hexadecimal; say how many there are beyond the limit. */
  const hex = (bytes, limit = Infinity) => Array.from(bytes.slice(0, limit), (byte) => byte.toString(16).padStart(2, "0")).join(" ") +
    (bytes.length > limit ? ` … (${bytes.length - limit} more bytes)` : "");

  /** Be as light or dark as JupyterLab, or the reading edition, in a frame of it that may be asked. */
  function followTheme() {
    let around;
    try {
      around = parent.document.body;
    } catch {} // it is of another origin
    if (!around || parent === window) return;
    const follow = () => {
      const { jpThemeLight, theme } = around.dataset; // of JupyterLab; of the reading edition, where it may be "auto"
      const schemes = { true: "light", false: "dark", light: "light", dark: "dark" };
      document.documentElement.style.colorScheme = schemes[jpThemeLight ?? theme] ?? "";
    };
    follow();
    const observer = new MutationObserver(follow);
    observer.observe(around, { attributeFilter: ["data-jp-theme-light", "data-theme"] });
    addEventListener("pagehide", () => observer.disconnect()); // or what is around would keep this page for ever
  }
  followTheme();

  return { byId: (id) => document.getElementById(id), element, hex };
})();
