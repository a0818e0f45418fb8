// The wire of a tap: rows come a few at a time; a row that is chosen is asked for, a button acts on the tap.

import { byId, element, socketAddress } from "./shared.js";

const ROWS = 200; // the page keeps
const ENDS = { client: ["client →", "client"], server: ["← server", "server"] };
const ENDED = {
  stopped: "The tap has stopped. Run the cells that start it and show this page again.",
  replaced: "This view was replaced by a newer one.",
};
const rows = byId("rows"), box = rows.closest(".log"), fields = byId("fields");
const socket = new WebSocket(socketAddress(`wire${location.search}`)); // the token is handed on
let chosen = null;

const say = (sentence) => (byId("sentence").textContent = sentence);
const send = (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));

socket.onmessage = ({ data }) => {
  const message = JSON.parse(data);
  if (message.rows) addAll(message.rows, message.left_out);
  if (message.state) showState(message.state);
  if (message.piece) showPiece(message.piece);
};
socket.onclose = ({ reason }) => {
  say(ENDED[reason] ?? "The wire is over: its kernel has ended, or the cell that shows this page must run again.");
  for (const button of document.querySelectorAll("#acts button")) button.disabled = true;
};

function showState({ frozen, delay, full }) {
  const network = frozen.length ? `Frozen: nothing that ${frozen.join(" or ")} sends passes.` : "Everything passes.";
  say(`${network}${delay ? ` ${delay} ms later.` : ""}${full ? " The recording is full: what passes now is not shown." : ""}`);
  document.querySelector("[data-do=delay]").setAttribute("aria-pressed", delay > 0);
}

/** Add rows at the end; stay at the newest, unless the reader has scrolled away from it. */
function addAll(given, leftOut) {
  const follows = box.scrollHeight - box.scrollTop - box.clientHeight < 30;
  const made = given.map(rowOf);
  if (leftOut) made.unshift(element("tr", { class: "left-out" }, element("td", { colspan: 4 }, `… ${leftOut} rows left out`)));
  rows.append(...made);
  while (rows.children.length > ROWS) rows.firstChild.remove();
  if (!rows.querySelector("[tabindex='0']")) visible().at(-1)?.setAttribute("tabindex", 0); // one stop for Tab
  const hidden = rows.getElementsByClassName("http").length;
  byId("hidden").textContent = hidden ? `(${hidden})` : "";
  if (follows) box.scrollTop = box.scrollHeight;
}

function rowOf({ id, sender, field, what, meaning, bytes, time, wrong }) {
  const [end, side] = ENDS[sender] ?? ["network", "tap"];
  const name = [element("span", { class: "end" }, end), " ", element("span", { class: "what", ...(field && { "data-field": field }) }, what)];
  const made = element("tr", { "data-id": id, tabindex: -1, "aria-selected": false, class: side },
    element("td", { class: "number" }, time.toFixed(3)), element("td", {}, ...name),
    element("td", { class: "number" }, bytes ? `${bytes}` : ""), element("td", {}, meaning));
  made.classList.toggle("http", field === "start line" || field === "body");
  made.classList.toggle("wrong", wrong);
  return made;
}

const visible = () => [...rows.children].filter((row) => row.dataset.id && row.offsetParent !== null);

function choose(row) {
  for (const each of rows.querySelectorAll("[tabindex='0'], [aria-selected='true']")) {
    each.tabIndex = -1;
    each.setAttribute("aria-selected", false);
  }
  row.tabIndex = 0;
  row.setAttribute("aria-selected", true);
  row.focus();
  send({ show: Number(row.dataset.id) });
}

rows.addEventListener("click", ({ target }) => {
  const row = target.closest("tr[data-id]");
  if (row) choose(row);
});
rows.addEventListener("keydown", (event) => {
  const all = visible(), at = all.indexOf(event.target);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1, Enter: at, " ": at }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  if (all[next]) choose(all[next]);
});
byId("acts").addEventListener("click", ({ target }) => target.dataset.do && send({ do: target.dataset.do }));
byId("http").addEventListener("change", ({ target }) => {
  document.body.classList.toggle("all", target.checked);
  box.scrollTop = box.scrollHeight;
});

/** Show the fields of a row: those of a frame where their bits are, too. */
function showPiece(piece) {
  chosen = piece;
  const bytes = Uint8Array.from(piece.bytes.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const parts = [element("h2", {}, piece.title), element("p", { class: "error" }, piece.error ? `wrong: ${piece.error}` : "")];
  if (piece.frame) parts.push(FrameMap.map(piece.fields, { bytes }));
  if (piece.fields.length) parts.push(FrameMap.table(piece.fields));
  if (piece.left_out) parts.push(element("p", { class: "faint" }, `… ${piece.left_out} more fields`));
  fields.replaceChildren(...parts);
  rows.querySelector("[aria-selected='true']")?.scrollIntoView({ block: "nearest" }); // the list has become lower
}
FrameMap.light(fields);
FrameMap.narrow.addEventListener("change", () => chosen && showPiece(chosen));
