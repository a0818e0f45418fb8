// What the page of lesson 10 shows: messages are counted by their numbers, everything is put in as text.

import { Log, byId } from "./shared.js";

const log = new Log(byId("log"));
let last = null;

/** Count a message, and list it. */
export function draw(message) {
  const count = (id, by) => (byId(id).textContent = Number(byId(id).textContent) + by);
  if (message.snapshot) return (last = message.n), log.add(`snapshot up to ${message.n}`);
  if (last !== null && message.n <= last) return count("twice", 1);
  if (last !== null) count("missing", message.n - last - 1);
  last = message.n;
  count("received", 1);
  log.add(`${message.n}: ${message.symbol} ${message.price}`);
}

/** Say how the connection stands. */
export function say(sentence) {
  byId("state").textContent = sentence;
  log.add(sentence);
}
