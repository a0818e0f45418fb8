// Frames of RFC 6455 as bytes and as fields, and the accept key. No page and no network: a classic script, because
// a browser loads no module from a file. Its words are those of wslab's dissector and of its steps; a test compares.
"use strict";

globalThis.Frames = (() => {
  const { hex } = Page;
  const OPCODES = { 0: "CONTINUATION", 1: "TEXT", 2: "BINARY", 8: "CLOSE", 9: "PING", 10: "PONG" };
  const SECTIONS = { 0: "§5.4", 1: "§5.6", 2: "§5.6", 8: "§5.5.1", 9: "§5.5.2", 10: "§5.5.3" };
  const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const CODES =
    "NORMAL_CLOSURE GOING_AWAY PROTOCOL_ERROR UNSUPPORTED_DATA - NO_STATUS_RCVD ABNORMAL_CLOSURE INVALID_DATA POLICY_VIOLATION" +
    " MESSAGE_TOO_BIG MANDATORY_EXTENSION INTERNAL_ERROR SERVICE_RESTART TRY_AGAIN_LATER BAD_GATEWAY TLS_HANDSHAKE";
  const nameOf = (code) => CODES.split(" ")[code - 1000]?.replace("-", "");
  const ROUND = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6]; // of SHA-1
  const XORED = 8; // bytes of the payload that are masked before the reader's eyes

  const plural = (number, noun) => `${number} ${noun}${number === 1 || number === 1n ? "" : "s"}`;
  const count = (number) => plural(number, "byte");
  const digit = (number) => number.toString(16).toUpperCase();
  const leftOut = (number) => (number > 0 ? ` … (${count(number)} left out)` : "");
  const hexed = (bytes, limit = 16) => hex(bytes.subarray(0, limit)) + leftOut(bytes.length - limit);
  const bits = (byte) => byte.toString(2).padStart(8, "0").replace(/^..../, "$& "); // two times four

  function escaped(character) {
    const code = character.codePointAt(0), [letter, size] = code < 256 ? ["x", 2] : code < 65536 ? ["u", 4] : ["U", 8];
    if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) return character;
    return { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character] ?? `\\${letter}${code.toString(16).padStart(size, "0")}`;
  }

  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** Read UTF-8: its text with all that cannot be shown escaped, what is wrong first, and a character cut at the end. */
  function utf8(bytes) {
    const text = [];
    let fault = null, at = 0, tail = bytes.subarray(0, 0);
    while (at < bytes.length) {
      const first = bytes[at], low = { 0xe0: 0xa0, 0xf0: 0x90 }[first] ?? 0x80, high = { 0xed: 0x9f, 0xf4: 0x8f }[first] ?? 0xbf;
      const size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
      const follows = (byte, place) => byte >= (place === 1 ? low : 0x80) && byte <= (place === 1 ? high : 0xbf);
      let good = 1;
      while (good < size && follows(bytes[at + good], good)) good += 1;
      const part = bytes.subarray(at, at + good);
      at += good;
      if (good === size) text.push(escaped(decoder.decode(part)));
      else text.push(...Array.from(part, (byte) => `\\x${hex([byte])}`));
      if (size && good < size && at === bytes.length) tail = part;
      else if (good !== size) fault ??= size ? "invalid continuation byte" : "invalid start byte";
    }
    return { text: text.join(""), fault, tail };
  }

  function quoted(bytes, limit = 60) {
    let end = Math.min(limit, bytes.length); // no character is cut in two
    while (end < bytes.length && end > limit - 3 && (bytes[end] & 0b1100_0000) === 0b1000_0000) end -= 1;
    return `"${utf8(bytes.subarray(0, end)).text}"${leftOut(bytes.length - end)}`;
  }

  const plain = (text, limit = 200) => Array.from(text.slice(0, limit), escaped).join("") + leftOut(text.length - limit); // Latin-1

  /** Read hexadecimal digits, with blanks, commas, colons, 0x or \x between them. */
  function fromHex(text) {
    const digits = text.replace(/[0\\]x|[\s,:]/gi, "");
    const wrong = /[^0-9a-f]/iu.exec(digits);
    if (wrong) throw new Error(`"${wrong[0]}" is not a hexadecimal digit`);
    if (digits.length % 2) throw new Error("the last byte has one digit: a byte is two hexadecimal digits");
    return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  }

  const masked = (payload, key) => payload.map((byte, place) => byte ^ key[place % 4]); // §5.3

  /** Encode any frame, also one that no endpoint may send. `first` is its first byte, `key` 4 bytes, or null: no mask. */
  function encode(first, payload, key = null) {
    const size = payload.length, mask = key ? 0b1000_0000 : 0;
    let length = [mask | size];
    if (size > 0xffff) length = [mask | 127, 0, 0, 0, 0, size >>> 24, (size >>> 16) & 255, (size >>> 8) & 255, size & 255];
    else if (size > 125) length = [mask | 126, size >>> 8, size & 255];
    return Uint8Array.from([first, ...length, ...(key ?? []), ...(key ? masked(payload, key) : payload)]);
  }

  /** Take bytes apart, frame by frame, as what one side sends: "client", "server", or "" for either (§5.1). */
  function dissect(bytes, sender = "") {
    const frames = [];
    const memory = { message: null, closed: false, tail: [] }; // what the next frame depends on (§5.4, §5.5.1, §8.1)
    for (let start = 0; start < bytes.length; start += frames.at(-1).bytes.length) {
      const frame = take(bytes.subarray(start), sender, memory), { fin, opcode } = frame;
      frames.push({ start, ...frame });
      if (opcode === 8) memory.closed = true;
      else if (opcode < 3) memory.message = fin ? null : opcode || memory.message;
    }
    return frames;
  }

  function take(bytes, sender, memory) {
    const fields = [], errors = [];
    let bit = 0;
    const rest = (size) => bytes.subarray(bit >> 3, (bit >> 3) + size);
    const add = (name, bits, value, meaning, section, error = null) => {
      fields.push({ name, bit, bits, value, meaning, section, error });
      bit += bits;
      if (error) errors.push(error);
    };
    const { fin, opcode } = addFirst(add, bytes[0], memory);
    const second = header(bytes), { isMasked, known, length, note } = second;
    if (bytes.length > 1) addLength(add, second, opcode >= 8, sender);
    const four = rest(isMasked && known ? 4 : 0), key = four.length === 4 ? four : null;
    const says = key ? "byte i of the payload XOR byte i mod 4 of the key" : "incomplete";
    if (four.length) add("masking-key", 8 * four.length, hex(four), says, "§5.3");
    const wire = rest(key || !isMasked ? Number(length) : 0), payload = key ? masked(wire, key) : wire;
    const frame = { what: OPCODES[opcode] ?? `opcode ${digit(opcode)}`, fin, opcode, key, payload, missing: note, fields };
    const meaning = opcode === 8 && !note ? addClose(add, payload) : addPayload(add, frame, errors, memory);
    return { ...frame, meaning, error: errors.join("; ") || null, bytes: bytes.subarray(0, bit >> 3) };
  }

  function addFirst(add, first, { message, closed }) {
    const fin = first >> 7, opcode = first & 0b0000_1111, control = opcode >= 8;
    let says = opcode === 0 ? "the last fragment of the message" : "the whole message";
    if (control) says = "a control frame is always whole";
    if (!fin) says = "more fragments follow";
    add("FIN", 1, `${fin}`, says, "§5.2", control && !fin ? "a control frame must not be fragmented (§5.5)" : null);
    for (const number of [1, 2, 3]) {
      const set = (first >> (7 - number)) & 1;
      const error = set ? `RSV${number} is set, but no extension gives it a meaning (§5.2)` : null;
      add(`RSV${number}`, 1, `${set}`, "reserved for extensions", "§5.2", error);
    }
    let error = null;
    if (!(opcode in OPCODES)) error = `opcode ${digit(opcode)} is reserved (§5.2)`;
    else if (closed) error = "no frame may follow a Close (§5.5.1)";
    else if (opcode === 0 && !message) error = "there is no message to continue (§5.4)";
    else if (opcode && !control && message) error = `the ${OPCODES[message]} message before is not finished (§5.4)`;
    add("opcode", 4, digit(opcode), OPCODES[opcode] ?? "reserved", "§5.2", error);
    return { fin, opcode };
  }

  const sizeOf = (seven) => ({ 126: 2, 127: 8 })[seven] ?? 0; // bytes of the extended payload length
  const number = (bytes) => bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n); // of 64 bits: no Number has them

  /** Read the second byte and what it announces; `note` says how many bytes are missing, as far as that is known. */
  function header(bytes) {
    const second = bytes[1] ?? 0, isMasked = second >> 7, seven = second & 0b0111_1111, size = sizeOf(seven);
    const extended = bytes.subarray(2, 2 + size), known = bytes.length > 1 && extended.length === size;
    const length = known ? (size ? number(extended) : BigInt(seven)) : 0n;
    const lacking = BigInt(2 + size + 4 * isMasked) + length - BigInt(bytes.length);
    const note = lacking > 0 ? `incomplete: ${known ? "" : "at least "}${plural(lacking, "more byte")} needed` : "";
    return { isMasked, seven, size, extended, known, length, note };
  }

  function addLength(add, { isMasked, seven, size, extended, known, length }, control, sender) {
    let error = sender === "client" && !isMasked ? "a client must mask its frames (§5.1)" : null;
    if (sender === "server" && isMasked) error = "a server must not mask its frames (§5.1)";
    add("MASK", 1, `${isMasked}`, isMasked ? "a masking-key follows" : "not masked", "§5.1", error);
    error = control && seven > 125 ? "a control frame has at most 125 bytes of payload (§5.5)" : null;
    const says = size ? `the next ${size} bytes hold the length` : `${count(seven)} of payload data`;
    add("payload length", 7, `${seven}`, says, "§5.2", error);
    if (!extended.length) return;
    error = length <= (size === 2 ? 125n : 0xffffn) ? `payload length ${length} is not encoded in the fewest bytes (§5.2)` : null;
    if (length >= 1n << 63n) error = "the top bit of the 64-bit payload length is set (§5.2)";
    if (known) add("extended payload length", 8 * size, `${length}`, `${count(length)} of payload data`, "§5.2", error);
    else add("extended payload length", 8 * extended.length, hex(extended), "incomplete", "§5.2");
  }

  function addPayload(add, { fin, opcode, key, payload, missing: note }, errors, memory) {
    const kind = opcode === 0 ? memory.message : opcode;
    let shown = hexed(payload) || "no bytes", error = null;
    if (kind === 1 || ((opcode === 9 || opcode === 10) && payload.every((byte) => byte < 128))) shown = quoted(payload);
    if (kind === 1) {
      const { fault, tail } = utf8(Uint8Array.from([...(opcode === 1 ? [] : memory.tail), ...payload]));
      const reason = fault ?? (fin && !note && tail.length ? "unexpected end of data" : null);
      if (reason) error = `the text is not UTF-8: ${reason} (§8.1)`;
      memory.tail = reason ? [] : tail;
    }
    if (payload.length) {
      const says = `${count(payload.length)}${key ? ", shown unmasked" : ""}${note ? `; ${note}` : ""}`;
      add("payload data", 8 * payload.length, shown, says, SECTIONS[opcode] ?? "§5.2", error);
    } else if (error) errors.push(error);
    if (note && !payload.length) return note;
    let says = shown;
    if (opcode === 9) says = payload.length ? `asks for a Pong with ${shown}` : "asks for a Pong";
    else if (opcode === 10) says = payload.length ? `sign of life with ${shown}` : "sign of life";
    else if (opcode === 0) says = `${fin ? "last fragment" : "fragment"} ${shown}`;
    else if (opcode < 3 && !fin) says = `first fragment ${shown}`;
    return note ? `${says}; ${note}` : says;
  }

  function addClose(add, payload) {
    if (!payload.length) return "close without a code";
    if (payload.length === 1) {
      add("close code", 8, hex(payload), "half a close code", "§5.5.1", "a close payload of 1 byte holds no close code (§5.5.1)");
      return "close with half a code";
    }
    const code = (payload[0] << 8) | payload[1], own = code >= 3000 && code <= 4999;
    const kind = own ? (code < 4000 ? "registered for libraries" : "for private use") : "reserved or undefined";
    const says = nameOf(code) || kind, valid = own || (nameOf(code) && ![1005, 1006, 1015].includes(code));
    add("close code", 16, `${code}`, says, "§7.4", valid ? null : `close code ${code} must not be sent (§7.4)`);
    if (payload.length === 2) return `close ${code}`;
    const reason = payload.subarray(2), { fault, tail } = utf8(reason);
    const wrong = fault ?? (tail.length ? "unexpected end of data" : null);
    const error = wrong ? `the close reason is not UTF-8: ${wrong} (§5.5.1)` : null;
    add("close reason", 8 * reason.length, quoted(reason), count(reason.length), "§7.1.6", error);
    return `close ${code} ${quoted(reason)}`;
  }

  /** Follow a whole frame to its bytes: each step with its parts, and the bytes that are there after it. */
  function steps({ bytes, fin, opcode, key, payload }) {
    const [first, second] = bytes, size = sizeOf(second & 127), made = [];
    const step = (name, how, result, section, upTo, parts = []) => made.push({ name, how, result, section, upTo, parts });
    const part = (name, how, byte) => ({ name, how, result: bits(byte) });
    const rsv = (name, mask) => part(name, first & mask ? "set by an extension" : "no extension uses it", first & mask);
    step("first byte", "FIN, RSV and opcode together", `${bits(first)} = ${hex([first])}`, "§5.2", 1, [
      part("FIN", fin ? "the last frame of its message" : "more fragments follow", first & 0b1000_0000),
      rsv("RSV1", 0b0100_0000), rsv("RSV2", 0b0010_0000), rsv("RSV3", 0b0001_0000),
      part("opcode", `${digit(opcode)} = ${OPCODES[opcode] ?? "reserved"}`, opcode),
    ]);
    const way = { 0: "up to 125: itself", 2: "up to 65535: 126", 8: "more: 127" }[size];
    step("second byte", "MASK and payload length together", `${bits(second)} = ${hex([second])}`, "§5.2", 2, [
      part("MASK", key ? "a client masks" : "a server does not mask", second & 0b1000_0000),
      part("payload length", `${count(payload.length)}; ${way}`, second & 0b0111_1111),
    ]);
    let at = 2 + size;
    const written = `${payload.length} in ${size} bytes, the highest first`;
    if (size) step("extended payload length", written, hex(bytes.subarray(2, at)), "§5.2", at);
    if (key) step("masking-key", "4 bytes that nobody can predict", hex(key), "§5.3", (at += 4));
    const seen = (byte) => hex([byte]) + (byte >= 0x20 && byte < 0x7f ? ` "${String.fromCharCode(byte)}"` : "");
    (key ? payload : []).slice(0, XORED).forEach((byte, i) => {
      const of = key[i % 4], from = [part(`payload byte ${i}`, seen(byte), byte), part(`key byte ${i % 4}`, hex([of]), of)];
      step(`payload byte ${i}`, `${seen(byte)} XOR ${hex([of])} (key byte ${i % 4})`, hex([byte ^ of]), "§5.3", at + i + 1, from);
    });
    const rest = payload.length > XORED ? `, ${payload.length - XORED} more in the same way` : "";
    const all = key ? `all ${count(payload.length)} masked${rest}` : "not masked";
    step("payload data", payload.length ? all : "none", hexed(bytes.subarray(at)), "§5.3", bytes.length);
    step("frame", `all parts in order: ${count(bytes.length)}`, hexed(bytes, 24), "§5.2", bytes.length);
    return made;
  }

  /** SHA-1 (RFC 3174): crypto.subtle is missing on a page that came over plain HTTP from another machine. */
  function sha1(bytes) {
    const rotate = (word, by) => (word << by) | (word >>> (32 - by));
    const words = new DataView(new ArrayBuffer(((bytes.length + 72) >> 6) << 6));
    bytes.forEach((byte, place) => words.setUint8(place, byte));
    words.setUint8(bytes.length, 0x80);
    words.setUint32(words.byteLength - 4, bytes.length * 8);
    let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
    for (let block = 0; block < words.byteLength; block += 64) {
      const w = Array.from({ length: 16 }, (_, i) => words.getInt32(block + 4 * i));
      for (let i = 16; i < 80; i += 1) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
      let [a, b, c, d, e] = state;
      for (let i = 0; i < 80; i += 1) {
        const mixed = [(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d), b ^ c ^ d], turn = Math.floor(i / 20);
        [a, b, c, d, e] = [(rotate(a, 5) + mixed[turn] + e + ROUND[turn] + w[i]) | 0, a, rotate(b, 30), c, d];
      }
      state = [a, b, c, d, e].map((word, i) => (word + state[i]) | 0);
    }
    return Uint8Array.from(state.flatMap((word) => [24, 16, 8, 0].map((by) => (word >>> by) & 255)));
  }

  /** Follow a Sec-WebSocket-Key to the Sec-WebSocket-Accept that answers it (§4.2.2); say what is wrong with the key. */
  function accept(key) {
    if (/[^\0-\xff]/.test(key)) throw new Error("the key has a character outside Latin-1, which no HTTP header can carry");
    const digest = sha1(Uint8Array.from(key + GUID, (character) => character.charCodeAt(0)));
    const size = /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(key) ? atob(key).length : -1;
    let problem = size < 0 ? "the key is not base64; it must be 16 bytes in base64 (§4.1)" : null;
    if (size >= 0 && size !== 16) problem = `the key decodes to ${count(size)}; it must be 16 bytes in base64 (§4.1)`;
    const steps = [
      ["key", problem ? "what the client sent" : "16 random bytes in base64", plain(key), "§4.1"],
      ["key + GUID", `the key, then ${GUID}`, plain(key + GUID), "§4.2.2"],
      ["SHA-1", "digest of these characters: 20 bytes", hex(digest), "§4.2.2"],
      ["accept key", "the 20 bytes in base64", btoa(String.fromCharCode(...digest)), "§4.2.2"],
    ];
    return { steps, problem };
  }

  return { OPCODES, accept, bits, count, dissect, encode, fromHex, steps };
})();
