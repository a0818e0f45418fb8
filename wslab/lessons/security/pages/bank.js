// The bank's own page: one connection to its own server, and a way to take the cookies away.

import { attempt, say } from "./visit.js";

/** Ask the server to take its cookies away; a script cannot, because one of them is HttpOnly. */
async function leave() {
  await fetch("/logout");
  say("The cookies of lesson 08 are gone.");
}

document.getElementById("leave").onclick = leave;
attempt(`ws://${location.host}/`, leave);
