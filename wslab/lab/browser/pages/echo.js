import { Link, Log, byId, element, fill, kindOf } from "./shared.js";

const log = new Log(byId("log"));
const link = new Link({ message: (event) => row("received", event.data) });

function row(direction, data) {
  const content = element("span", { class: typeof data === "string" ? "text" : "bytes" });
  fill(content, data);
  log.add(direction, element("span", { class: "faint" }, kindOf(data)), content);
}

byId("send").addEventListener("submit", (event) => {
  event.preventDefault();
  const { text, kind } = event.target.elements;
  const data = kind.value === "text" ? text.value : new TextEncoder().encode(text.value).buffer;
  if (link.send(data)) row("sent", data);
  text.select();
});

byId("type").addEventListener("change", (event) => {
  link.binaryType = event.target.value; // for the connections to come
  if (link.socket) link.socket.binaryType = event.target.value; // for the messages to come
});

byId("close").addEventListener("submit", (event) => {
  event.preventDefault();
  const { code, reason } = event.target.elements;
  try {
    if (code.value) link.close(Number(code.value), reason.value);
    else link.close();
  } catch (error) {
    link.say(`The browser refused: ${error.message}`); // a code that a page may not send, a long reason
  }
});

link.binaryType = byId("type").value;
link.open();
