import { Link, Log, byId, element, shorten } from "./shared.js";

const log = new Log(byId("log"));
const me = Math.random().toString(36).slice(2, 8); // so that the numbers of two pages never meet
const kept = new Map(); // what is not acknowledged: key to message
let number = 0;
let last = "0-0"; // the id of the newest message that arrived
const link = new Link({ open: () => [...kept.values()].forEach((text) => link.send(text)), message, close });

function message(event) {
  const arrived = JSON.parse(event.data);
  if (arrived.ack) {
    kept.delete(arrived.ack);
    return waiting();
  }
  last = arrived.id;
  const said = JSON.parse(arrived.m);
  if (typeof said.text === "string") log.add(element("span", { class: "faint" }, arrived.id), shorten(said.text));
}

function close() {
  setTimeout(connect, 100 + 300 * Math.random()); // jitter: two pages do not come back in the same moment
}

function connect() {
  link.open(`?last=${last}`);
}

function waiting() {
  byId("waiting").textContent = kept.size ? `Not yet stored: ${kept.size}` : "Everything sent is stored.";
}

byId("send").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = `${me}:${++number}`;
  kept.set(key, JSON.stringify({ key, text: event.target.elements.text.value }));
  waiting();
  link.send(kept.get(key));
  event.target.elements.text.select();
});

connect();
