import { Link, Log, byId, element, fill } from "./shared.js";

const log = new Log(byId("log"), { newestFirst: true });
const rows = new Map(); // symbol to the cells of its row
const SYMBOLS = 50; // more rows than that nobody reads
let arrived, missed, last, next;

const link = new Link({ message: (event) => receive(event.data), open: start });

/** Say whether the server was asked to pause; whether it does is seen at the clock. */
function pausing(paused) {
  document.body.toggleAttribute("data-paused", paused);
  byId("pause").setAttribute("aria-pressed", paused);
  link.say(paused ? "Paused: you asked the server to wait. Press Resume to go on." : "Connected.");
}

/** A new connection is counted anew. */
function start() {
  if (link.socket) pausing(false);
  [arrived, missed, last, next] = [0, 0, undefined, undefined];
}

function receive(data) {
  const now = performance.now();
  const gap = last === undefined ? "first" : `${Math.round(now - last)} ms`;
  last = now;
  const content = element("td");
  fill(content, data);
  log.add(element("td", { class: "number" }, gap), content);
  count(show(data));
}

/** Show what a message says; return what it was read as. */
function show(data) {
  const said = parse(data);
  byId("clock").hidden &&= typeof said.symbol === "string";
  if (typeof said.symbol === "string" && typeof said.price === "number") quote(said);
  else if (typeof said.time === "number") byId("clock").textContent = localTime(said.time);
  else if (typeof said.time === "string") byId("clock").textContent = said.time.slice(0, 60);
  else fill(byId("clock"), typeof data === "string" ? data.slice(0, 60) : data);
  return said;
}

function parse(data) {
  try {
    return Object(JSON.parse(data));
  } catch {
    return {}; // plain text, or bytes
  }
}

function localTime(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toTimeString().slice(0, 8);
}

function count({ number }) {
  arrived += 1;
  if (Number.isInteger(number)) {
    if (number > next) missed += number - next;
    next = number + 1;
  }
  byId("arrived").textContent = arrived;
  byId("missed").textContent = missed;
}

function quote({ symbol, price }) {
  if (byId("quotes").hidden && byId("clock").textContent === "–") {
    document.querySelector("h1").textContent = "Ticker"; // no clock, but quotes
    byId("clock").hidden = true;
    document.body.classList.add("ticker");
  }
  byId("quotes").hidden = false;
  let row = rows.get(symbol);
  if (!row) {
    if (rows.size === SYMBOLS) return;
    row = { price, updates: 0, cells: [0, 1, 2].map(() => element("td", { class: "number" })) };
    rows.set(symbol, row);
    byId("table").append(element("tr", {}, element("th", { scope: "row" }, symbol), ...row.cells));
  }
  const change = price - row.price;
  const sign = change > 0 ? "▲ +" : change < 0 ? "▼ −" : "";
  row.updates += 1;
  row.price = price;
  row.cells[0].textContent = price.toFixed(2);
  row.cells[1].textContent = sign + Math.abs(change).toFixed(2);
  row.cells[2].textContent = row.updates;
}

byId("pause").addEventListener("click", () => link.send("pause") && pausing(true));
byId("resume").addEventListener("click", () => link.send("resume") && pausing(false));
byId("close").addEventListener("click", () => link.close(1000, "bye"));
byId("command").addEventListener("submit", (event) => {
  event.preventDefault();
  const { text } = event.target.elements;
  if (text.value && link.send(text.value)) text.value = "";
});
start();
link.open();
