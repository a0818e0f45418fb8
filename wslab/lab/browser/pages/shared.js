// What the pages share: the connection with what is known about it, a log that stays short.
//
// Everything from the network, and everything typed, is put in with textContent: it cannot become markup.

import "./page.js";

const STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"]; // RFC 6455 calls them by name, the browser by number
const ROWS = 200; // how many rows a log keeps
const SHOWN = 2000; // how many characters or bytes of one message are shown

export const { byId, element } = Page;

/** The address of a path on this page's own server: in the folder of the page, with ws: or wss: as the page. */
export function socketAddress(path = "") {
  // "./" keeps a path such as "a:b" from being read as a scheme.
  const address = new URL("./" + path.replace(/^\/+/, ""), new URL(location.pathname, location.origin));
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  address.hash = "";
  return address.href;
}

export const stateName = (state) => `${state} ${STATES[state]}`;

/** Shorten what is too long to be read. */
export const shorten = (text) =>
  text.length > SHOWN ? `${text.slice(0, SHOWN)} … (${text.length - SHOWN} more characters)` : text;

/** Say which kind of object a message is, and its size, by the name of the property that has it. */
export function kindOf(data) {
  if (typeof data === "string") return `string, length ${data.length}`;
  if (data instanceof Blob) return `Blob, size ${data.size}`;
  return `ArrayBuffer, byteLength ${data.byteLength}`;
}

/** Put the content of a message into an element, as text; that of a Blob comes a moment later. */
export function fill(target, data) {
  if (typeof data === "string") target.textContent = shorten(data);
  else if (data instanceof Blob) data.arrayBuffer().then((buffer) => fill(target, buffer));
  else target.textContent = Page.hex(new Uint8Array(data), SHOWN);
}

/** The rows of a list or of the body of a table: the newest are kept, and in view. */
export class Log {
  constructor(target, { newestFirst = false } = {}) {
    this.target = target;
    this.newestFirst = newestFirst;
  }

  add(...cells) {
    const [row, cell] = this.target.nodeName === "TBODY" ? ["tr", "td"] : ["li", "span"];
    const made = element(row);
    // The blank between cells is for those who copy a row, or hear it read out.
    for (const each of cells) made.append(each.nodeType ? each : element(cell, {}, each), " ");
    this.newestFirst ? this.target.prepend(made) : this.target.append(made);
    while (this.target.children.length > ROWS) {
      (this.newestFirst ? this.target.lastChild : this.target.firstChild).remove();
    }
    const box = this.target.closest(".log");
    if (box) box.scrollTop = this.newestFirst ? 0 : box.scrollHeight;
    return made;
  }

  clear() {
    this.target.replaceChildren();
  }
}

/** The connection of a page, and the panel that says how it stands. */
export class Link {
  /** `on` has the functions to call: open, message, close, error, state; each is optional. */
  constructor(on = {}) {
    this.on = on;
    this.socket = null;
    this.sentence = element("p", { role: "status", id: "sentence" }, "Not connected yet.");
    this.state = element("code", { id: "state" }, "–");
    this.closed = element("code", { id: "closed" }, "–");
    this.again = element("button", { type: "button", id: "reconnect" }, "Reconnect");
    this.again.addEventListener("click", () => this.open());
    byId("connection").append(
      this.sentence,
      element("p", {}, "Ready state ", this.state),
      element("p", {}, "Last close ", this.closed),
      this.again,
    );
  }

  /** Open a connection; one that is still there is closed and forgotten. Throws what `new WebSocket` throws. */
  open(path = this.path ?? "", subprotocols = this.subprotocols ?? []) {
    const socket = new WebSocket(socketAddress(path), subprotocols);
    socket.binaryType = this.binaryType ?? "blob";
    const old = this.socket;
    this.socket = socket; // the events of the old one are not ours any more
    old?.close(1000, "reconnect");
    this.path = path;
    this.subprotocols = subprotocols;
    let opened = false;
    const listen = (type, react) =>
      socket.addEventListener(type, (event) => {
        if (socket !== this.socket) return;
        react(event);
        this.on[type]?.(event);
        this.show();
      });
    listen("open", () => {
      opened = true;
      this.say("Connected.");
    });
    listen("message", () => {});
    listen("error", () => {});
    listen("close", (event) => {
      this.closed.textContent = `${event.code} "${event.reason}", wasClean ${event.wasClean}`;
      this.say(opened ? closing(event) : REFUSED);
    });
    this.say("Connecting…");
    this.show();
  }

  /** Send, and tell whether the socket was open for it. */
  send(data) {
    if (this.socket?.readyState !== WebSocket.OPEN) {
      const opening = this.socket?.readyState === WebSocket.CONNECTING;
      this.say(`Nothing was sent: the connection is not open${opening ? " yet" : ". Press Reconnect"}.`);
      return false;
    }
    this.socket.send(data);
    return true;
  }

  /** Begin the closing handshake. Throws what `close` throws: a code that is not allowed, a long reason. */
  close(code, reason) {
    this.socket?.close(code, reason);
    this.show(); // state 2, of which no event tells
  }

  say(sentence) {
    this.sentence.textContent = sentence;
  }

  show() {
    const state = this.socket?.readyState ?? WebSocket.CLOSED;
    this.state.textContent = stateName(state);
    document.body.dataset.state = state;
    this.on.state?.(state);
  }
}

const REFUSED =
  "The connection could not be opened. Is the server running? Run its cell, then press Reconnect. " +
  "If this page came from a server that has been replaced, run the cell that shows the page.";

function closing(event) {
  if (event.code === 1006) return "The connection was lost without a closing handshake. Press Reconnect.";
  const reason = event.reason ? `, reason "${event.reason}"` : "";
  const code = event.code === 1005 ? "no close code" : `close code ${event.code}`;
  return `The connection was closed: ${code}${reason}. Press Reconnect to open a new one.`;
}
