// Entry of the phone app: the face on the real facade.
import { openApp } from "./engine/open.js";
import { startFace } from "./start.js";

startFace(openApp);
