// What is not needed before the first photo: see later.js.
import { more as words } from "../text/vi-more.js";
import { appraise } from "./appraise.js";
import { conflict, conflicts } from "./conflicts.js";
import { parcels } from "./parcels.js";
import { queue } from "./queue.js";
import { register } from "./register.js";
import { settings } from "./settings.js";
import { askReopen, askSubmit } from "./submit.js";
import { talk } from "./talk.js";
import { openPhoto } from "./viewer.js";
import { who } from "./who.js";

export { words };
export const screens = { appraise, conflict, conflicts, parcels, queue, register, settings, talk, who };
export const sheets = { askReopen, askSubmit, openPhoto };
