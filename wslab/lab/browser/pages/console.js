import { Link, Log, byId, element, fill, kindOf, stateName } from "./shared.js";

const log = new Log(byId("log"));
const link = new Link({
  open: (event) => arrived(event, `protocol "${event.target.protocol}", extensions "${event.target.extensions}"`),
  message: (event) => arrived(event, `data is a ${kindOf(event.data)}: `, event.data),
  error: (event) => arrived(event, "no field says why: a page may not learn what is on the network"),
  close: (event) => arrived(event, `code ${event.code}, reason "${event.reason}", wasClean ${event.wasClean}`),
});

/** Log an event: its class and type, its fields, the ready state. */
function arrived(event, fields, data) {
  row(`event: ${event.type} (${event.constructor.name})`, fields, data);
}

function row(what, fields, data) {
  const content = element("span", { class: "bytes" });
  if (data !== undefined) fill(content, data);
  const state = link.socket ? stateName(link.socket.readyState) : "–";
  log.add(what, element("td", {}, fields, content), state);
}

/** Do what was asked for, and log it, or what the browser says against it. */
function attempt(what, fields, action, data) {
  try {
    if (action() !== false) row(`step: ${what}`, fields, data);
  } catch (error) {
    link.say(`The browser refused: ${error.message}`);
    row(`step: ${what} refused`, error.message);
  }
}

function open() {
  const path = byId("path").value;
  const subprotocols = byId("subprotocols").value.split(",").map((name) => name.trim()).filter(Boolean);
  link.binaryType = byId("type").value;
  const fields = `path ${path}, subprotocols [${subprotocols.join(", ")}]`;
  attempt("new WebSocket", fields, () => link.open(path, subprotocols));
}

/** Read bytes from hexadecimal digits, with or without space. */
function bytes(text) {
  const digits = text.replace(/\s/g, "");
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new Error("bytes are pairs of hexadecimal digits, such as 48 65");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16)).buffer;
}

function listen(form, action) {
  byId(form).addEventListener("submit", (event) => {
    event.preventDefault();
    action(event.target.elements);
  });
}

listen("open", open);
listen("send", ({ text }) => attempt("send text", kindOf(text.value) + ": ", () => link.send(text.value), text.value));
listen("bytes", ({ hex }) => {
  try {
    const data = bytes(hex.value);
    attempt("send binary", kindOf(data) + ": ", () => link.send(data), data);
  } catch (error) {
    link.say(error.message);
  }
});
listen("close", ({ code, reason }) =>
  attempt("close", `code ${code.value || "none"}, reason "${reason.value}"`, () =>
    code.value ? link.close(Number(code.value), reason.value) : link.close(),
  ),
);
byId("clear").addEventListener("click", () => log.clear());
byId("type").addEventListener("change", (event) => {
  if (link.socket) link.socket.binaryType = event.target.value;
});
open();
