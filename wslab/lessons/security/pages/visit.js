// What the pages of lesson 08 share: a bounded log, and one connection whose events it shows.
//
// Everything from the network is put in with textContent: it cannot become markup.

const ROWS = 50;
const log = document.getElementById("log");

/** Add a row to the log. */
export function say(text) {
  const row = document.createElement("li");
  row.textContent = String(text).slice(0, 500);
  log.append(row);
  while (log.children.length > ROWS) log.firstChild.remove();
}

/** Read a port from the address of the page. */
export const port = (name) => Number(new URLSearchParams(location.search).get(name));

/** Open a connection, and show what becomes of it. At the end of the lesson the bank says "log out". */
export function attempt(address, leave = () => {}) {
  const socket = new WebSocket(address);
  const scheme = address.split(":")[0] === "wss" ? "WebSocket over TLS" : "WebSocket";
  socket.onmessage = async (event) => {
    say(`${scheme}: ${event.data}`);
    if (event.data !== "log out") return;
    await leave();
    socket.close(1000);
  };
  socket.onerror = () => say(`${scheme}: an error, without a reason.`);
  socket.onclose = (event) => say(`${scheme}: closed with ${event.code} "${event.reason}".`);
}
