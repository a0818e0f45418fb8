import { Link, Log, byId, element, fill, kindOf, shorten } from "./shared.js";

const log = new Log(byId("log"));
const link = new Link({ open, message: (event) => receive(event.data), close: outside });
const asked = new URLSearchParams(location.search);
let members = new Set();
const SHOWN = 200; // how many names are listed
const lines = asked.has("lines"); // no names yet: what is typed is the message, and what arrives is shown

/** What to do with each type of message from the server. */
const REACTIONS = {
  welcome({ name, room, members: present, history }) {
    byId("error").textContent = "";
    members = new Set(list(present).map(String));
    byId("join").hidden = true;
    byId("inside").hidden = false;
    byId("messages").textContent = `Messages in ${room}, you are ${name}`;
    log.clear();
    for (const said of list(history)) REACTIONS.said(Object(said));
    showMembers();
    if (document.hasFocus()) byId("text").focus({ preventScroll: true }); // else the reader is in the notebook
  },
  joined({ name }) {
    members.add(String(name));
    note(`${name} joined`);
  },
  left({ name }) {
    members.delete(String(name));
    note(`${name} left`);
  },
  said({ name, text, at }) {
    const time = typeof at === "number" ? new Date(at * 1000).toTimeString().slice(0, 5) : "";
    log.add(element("span", { class: "faint" }, time), element("strong", {}, String(name)), element("span", {}, shorten(String(text))));
  },
  error({ code, sentence }) {
    byId("error").textContent = shorten(String(sentence ?? code));
  },
};

const list = (value) => (Array.isArray(value) ? value : []);

function receive(data) {
  if (lines && typeof data === "string") return log.add(shorten(data));
  const said = parse(data);
  const react = Object.hasOwn(REACTIONS, said.type) ? REACTIONS[said.type] : unknown;
  react(said, data);
}

function parse(data) {
  try {
    return Object(JSON.parse(data));
  } catch {
    return {};
  }
}

/** Show what is not of this protocol: an echo server, for one, is no chat. */
function unknown(_, data) {
  const content = element("span");
  fill(content, data);
  byId("inside").hidden = false;
  log.add(element("span", { class: "faint" }, `Not of this protocol (${kindOf(data)}):`), content);
}

function note(sentence) {
  log.add(element("span", { class: "faint" }, shorten(sentence)));
  showMembers();
}

function showMembers() {
  byId("count").textContent = members.size;
  const names = [...members].sort().slice(0, SHOWN).map(shorten);
  if (members.size > SHOWN) names.push(`and ${members.size - SHOWN} more`);
  byId("members").replaceChildren(...names.map((name) => element("li", {}, name)));
}

function say(message) {
  byId("error").textContent = "";
  return link.send(JSON.stringify(message));
}

function join() {
  if (link.socket.readyState !== WebSocket.OPEN) link.open(); // and then join
  else say({ type: "join", name: byId("name").value, room: byId("room").value });
}

function open() {
  byId("inside").hidden &&= !lines;
  if (byId("name").value && !lines) join();
}

function outside() {
  members.clear();
  showMembers();
  byId("join").hidden = lines;
}

byId("join").addEventListener("submit", (event) => {
  event.preventDefault();
  join();
});
byId("say").addEventListener("submit", (event) => {
  event.preventDefault();
  const { text } = event.target.elements;
  const sent = text.value && (lines ? link.send(text.value) : say({ type: "say", text: text.value }));
  if (sent) text.value = "";
});
byId("leave").addEventListener("click", () => link.close(1000, "left"));

byId("name").value = asked.get("name") ?? "";
byId("room").value = asked.get("room") ?? byId("room").value;
byId("join").hidden = byId("present").parentElement.hidden = lines;
link.open();
