// One connection over TLS to a server with a certificate of the lesson's own CA.

import { attempt, port } from "./visit.js";

attempt(`wss://127.0.0.1:${port("tls")}/`);
