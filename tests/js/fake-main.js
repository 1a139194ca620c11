// Entry of the screens on the fake facade; what it shows is chosen in the address before the hash.
import { startFace } from "../../pwa/js/start.js";
import { createFakeApp } from "./fake-app.js";

const query = new URLSearchParams(location.search);
const number = (name) => (query.has(name) ? Number(query.get(name)) : undefined);
startFace(async () => createFakeApp({ people: number("people"), waiting: number("waiting"), role: query.get("role") ?? undefined, signal: query.get("signal") ?? undefined, round: query.get("round") ?? undefined, paired: !query.has("unpaired"), who: query.has("who") }));
