// The workbench. The bytes are the only state: parts, bits and digits all make new bytes, and are drawn from them.
"use strict";

const { byId, element, hex } = Page;
const MOST = 70_000; // bytes at once: enough for a frame with 64 bits of length
const EXAMPLE = "818537fa213d7f9f4d5158"; // §5.7: a masked "Hello"
const NOTHING = { start: 0, what: "", meaning: "There are no bytes.", fields: [], bytes: new Uint8Array(), payload: new Uint8Array() };
const FLAGS = ["fin", "rsv1", "rsv2", "rsv3", "mask"];
let bytes = NOTHING.bytes, pieces = [], chosen = 0, step = 0, bit = 0;

const frame = () => pieces[chosen] ?? NOTHING;
const random = (size) => crypto.getRandomValues(new Uint8Array(size));
const buttonOf = (place) => byId("map").querySelector(`[data-bit="${place}"]`);

/** Do what may not work; say why, and at which control. */
function attempt(control, action) {
  let problem = "";
  try {
    action();
  } catch ({ message }) {
    problem = `${message[0].toUpperCase()}${message.slice(1)}.`;
  }
  for (const each of document.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  if (problem) control.setAttribute("aria-invalid", true);
  byId(control.id === "nonce" ? "flaw" : "problem").textContent = problem;
}

/** Take new bytes, that were typed or chosen at `origin`. */
function replace(made, origin) {
  if (made.length > MOST) throw new Error(`these are ${made.length} bytes, and the workbench takes ${MOST} at once`);
  if (origin === "hex") step = 0;
  bytes = made;
  pieces = Frames.dissect(bytes, byId("sender").value);
  chosen = Math.max(0, Math.min(chosen, pieces.length - 1));
  draw(origin);
}

function flip(place) {
  const made = bytes.slice();
  made[frame().start + (place >> 3)] ^= 128 >> (place & 7);
  replace(made);
  focusBit(place);
}

/** Encode the chosen frame again, after a change of one of its parts. */
function fromParts(origin) {
  const old = frame(), opcode = Number(byId("opcode").value), text = byId("text").value, code = byId("code").value;
  const first = FLAGS.slice(0, 4).reduce((sum, id, place) => sum | (byId(id).checked << (7 - place)), opcode);
  const closing = opcode === 8 && text + code !== "";
  if (closing && !(/^\d+$/.test(code) && code < 65536)) throw new Error("a close code is a number from 0 to 65535");
  const written = origin === "text" || origin === "code" || (opcode !== old.opcode && [opcode, old.opcode].includes(8));
  const payload = written ? [...(closing ? [code >> 8, code & 255] : []), ...new TextEncoder().encode(text)] : old.payload;
  const key = byId("mask").checked ? Frames.fromHex(byId("key").value) : null;
  if (key && key.length !== 4) throw new Error(`a masking-key has 4 bytes, not ${key.length}`);
  const made = Frames.encode(first, Uint8Array.from(payload), key), after = bytes.subarray(old.start + old.bytes.length);
  replace(Uint8Array.from([...bytes.subarray(0, old.start), ...made, ...after]), origin);
}

function draw(origin) {
  const now = frame();
  if (origin !== "hex") byId("hex").value = hex(bytes);
  byId("link").href = `#${hex(bytes).replaceAll(" ", "")}`;
  drawParts(now, origin);
  drawVerdict(now);
  byId("map").replaceChildren(FrameMap.map(now.fields, { bytes: now.bytes, flip }));
  byId("map").firstChild.setAttribute("aria-label", "The bits of the frame. Arrow keys move, Space flips a bit.");
  byId("dump").replaceChildren(FrameMap.dump(now.fields, now.bytes));
  byId("fields").replaceChildren(FrameMap.table(now.fields));
  (buttonOf(bit) ?? buttonOf((bit = 0)))?.setAttribute("tabindex", 0);
  drawStep();
}

/** Bring the controls to what the frame says, but for the one that is being typed in. */
function drawParts({ opcode, key, payload, fields }, origin) {
  const set = (id, value) => id !== origin && (byId(id).value = value);
  for (const id of FLAGS) byId(id).checked = fields.find(({ name }) => name === id.toUpperCase())?.value === "1";
  if (opcode !== undefined) byId("opcode").value = opcode;
  if (key) set("key", hex(key));
  const [high, low] = payload, coded = opcode === 8 && low !== undefined;
  if (opcode === 8) set("code", coded ? (high << 8) | low : "");
  set("text", new TextDecoder("utf-8", { ignoreBOM: true }).decode(payload.subarray(coded ? 2 : 0)));
  byId("closing").hidden = opcode !== 8;
}

function drawVerdict({ what, meaning, error, missing, start, bytes: { length } }) {
  const faults = [error, missing].filter(Boolean).join("; ");
  const valid = length ? `A valid ${what} frame, ${Frames.count(length)}: ${meaning}` : meaning;
  byId("verdict").textContent = faults ? `${error ? "Wrong" : what}: ${faults}` : valid;
  byId("verdict").classList.toggle("wrong", Boolean(faults));
  const wrong = pieces.flatMap((each, place) => (each.error || each.missing ? [place + 1] : []));
  const others = wrong.length ? ` Not valid: ${wrong.slice(0, 20).join(", ")}${wrong.length > 20 ? ", …" : ""}.` : "";
  byId("which").textContent = `Frame ${chosen + 1} of ${pieces.length}, bytes ${start}–${start + length - 1}.${others}`;
  byId("counter").hidden = pieces.length < 2;
  byId("earlier").disabled = chosen === 0;
  byId("after").disabled = chosen >= pieces.length - 1;
}

/** Show a step of the encoding: what is written so far, and how the last of it was made. */
function drawStep() {
  const now = frame(), all = now.bytes.length && !now.missing ? Frames.steps(now) : [];
  step = Math.min(step, all.length);
  byId("back").disabled = step === 0;
  byId("next").disabled = step === all.length;
  const { name, how, result, section, upTo, parts } = all[step - 1] ?? { upTo: Infinity };
  const start = all.length ? "See how the frame is encoded." : "Only a whole frame can be encoded step by step.";
  byId("step").textContent = step ? `Step ${step} of ${all.length}: ${name} (${section})` : start;
  const isXor = parts?.[1]?.name.startsWith("key"); // there, the result is shown bit by bit below the two that make it
  const sum = isXor ? { name: "XOR", result: Frames.bits(parseInt(result, 16)), how: result } : { name, result, how };
  const rows = step ? [...parts, sum].map((each) => FrameMap.row(each.name, each.result, each.how)) : [];
  byId("working").replaceChildren(element("table", {}, element("tbody", {}, ...rows)));
  const from = step > 1 ? all[step - 2].upTo : 0;
  for (const each of byId("frame").querySelectorAll("[data-byte]")) {
    each.classList.toggle("unwritten", each.dataset.byte >= upTo);
    each.classList.toggle("fresh", step > 0 && each.dataset.byte >= from && each.dataset.byte < upTo);
  }
}

function drawLadder() {
  attempt(byId("nonce"), () => {
    const { steps, problem } = Frames.accept(byId("nonce").value.trim());
    byId("ladder").replaceChildren(...steps.map((cells) => FrameMap.row(...cells)));
    if (problem) throw new Error(problem);
  });
}

function focusBit(place) {
  buttonOf(bit)?.setAttribute("tabindex", -1);
  bit = place;
  buttonOf(bit)?.setAttribute("tabindex", 0);
  buttonOf(bit)?.focus();
}

/** Show another frame of these bytes, or another step of this frame. */
function go(frames, steps) {
  [chosen, step, bit] = [chosen + frames, frames ? 0 : step + steps, frames ? 0 : bit];
  frames ? draw() : drawStep();
}

function fromLink() {
  [chosen, step, bit] = [0, 0, 0];
  attempt(byId("hex"), () => {
    byId("hex").value = decodeURIComponent(location.hash.slice(1)) || EXAMPLE;
    replace(Frames.fromHex(byId("hex").value));
  });
}

const listen = (id, type, action) => byId(id).addEventListener(type, action);
const ACTIONS = { hex: () => replace(Frames.fromHex(byId("hex").value), "hex"), sender: () => replace(bytes) };
for (let code = 0; code < 16; code += 1) {
  const name = `${Frames.OPCODES[code] ?? "reserved"} (${code.toString(16).toUpperCase()})`;
  byId("opcode").append(element("option", { value: code }, name));
}
for (const id of ["parts", "accept"]) listen(id, "submit", (event) => event.preventDefault());
listen("parts", "input", ({ target }) => attempt(target, ACTIONS[target.id] ?? (() => fromParts(target.id))));
listen("newkey", "click", () => {
  byId("key").value = hex(random(4));
  byId("mask").checked = true;
  attempt(byId("key"), () => fromParts("key"));
});
listen("nonce", "input", drawLadder);
listen("newnonce", "click", () => {
  byId("nonce").value = btoa(String.fromCharCode(...random(16)));
  drawLadder();
});
listen("map", "keydown", (event) => {
  const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: FrameMap.width(), ArrowUp: -FrameMap.width() }[event.key];
  if (!by || !buttonOf(bit + by)) return;
  event.preventDefault();
  focusBit(bit + by);
});
for (const [id, ...by] of [["earlier", -1, 0], ["after", 1, 0], ["back", 0, -1], ["next", 0, 1]]) listen(id, "click", () => go(...by));
FrameMap.light(byId("frame"));
FrameMap.narrow.addEventListener("change", () => draw());
addEventListener("hashchange", fromLink);
draw();
fromLink();
drawLadder();
