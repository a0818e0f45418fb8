// How connections end, as this browser reports it: the close event of each, and what close() refuses.

import { Log, byId, socketAddress } from "./shared.js";

const log = new Log(byId("endings"));
const ENDINGS = [
  ["server closes with 1000", "1000"],
  ["server closes without a code", "1005"],
  ["server shuts down with 1001", "1001"],
  ["handler raises", "1011"],
  ["connection is lost", "1006"],
  ["page calls close()", "wait", (socket) => socket.close()],
  ['page calls close(4000, "enough")', "wait", (socket) => socket.close(4000, "enough")],
];
const CODES = [999, 1000, 1001, 1005, 1006, 1011, 2999, 3000, 4999, 5000];

/** Open a connection at a path, do something once it is open, and return its close event. */
function ending(path, act = () => {}) {
  return new Promise((resolve) => {
    const socket = new WebSocket(socketAddress(path));
    socket.addEventListener("open", () => act(socket));
    socket.addEventListener("close", resolve);
  });
}

/** Tell which codes close() takes; those that it refuses do nothing. */
function accepted(code) {
  const socket = new WebSocket(socketAddress("wait"));
  try {
    socket.close(code);
    return true;
  } catch {
    socket.close();
    return false;
  }
}

/** Close a connection before it is open, and return its ready states and its close event. */
async function early() {
  const socket = new WebSocket(socketAddress("wait"));
  const states = [socket.readyState];
  socket.close();
  states.push(socket.readyState);
  const event = await new Promise((resolve) => socket.addEventListener("close", resolve));
  return { states: [...states, socket.readyState], event };
}

for (const [what, path, act] of ENDINGS) {
  const event = await ending(path, act);
  log.add(what, String(event.code), event.reason, String(event.wasClean));
}
const taken = CODES.filter(accepted);
const refused = CODES.filter((code) => !taken.includes(code));
byId("allowed").textContent = `close() takes ${taken.join(", ")}, and refuses ${refused.join(", ")}.`;
const { states, event } = await early();
byId("early").textContent = `close() before the handshake is done: readyState ${states.join(" → ")}, code ${event.code}.`;
byId("ping").textContent = `A WebSocket of this browser ${"ping" in WebSocket.prototype ? "has" : "has no"} ping().`;
