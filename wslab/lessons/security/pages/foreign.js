// A page of a stranger: first HTTP, whose answer CORS withholds, then WebSocket, which knows no CORS.

import { attempt, port, say } from "./visit.js";

const bank = port("bank");
document.getElementById("other").href = `http://localhost:${location.port}/${location.search}`;
try {
  const answer = await fetch(`http://127.0.0.1:${bank}/balance`, { credentials: "include" });
  say(`HTTP: ${await answer.text()}`);
} catch {
  say("HTTP: the browser keeps the answer from this page (CORS).");
}
attempt(`ws://127.0.0.1:${bank}/`);
