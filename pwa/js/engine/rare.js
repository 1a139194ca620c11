// What the engine rarely needs, in a file of its own that the worker keeps with the rest.
import { createConflicts } from "./conflicts.js";
import { createDeposit } from "./deposit.js";
import { createMending } from "./mending.js";
import { createParcels } from "./parcels.js";
import { createPins } from "./pins.js";
import { createSettling } from "./settle.js";

/** @param {{store: any, net: any, env: any, state: any, view: any, saving: any, locking: any, changed: () => void}} parts */
export function createRare(parts) {
  const parcels = createParcels(parts);
  const settling = createSettling(parts);
  const deposit = createDeposit({ ...parts, parcels, flush: () => settling.finishChoices(true) });
  return { ...parcels, ...settling, ...deposit, ...createConflicts(parts), ...createMending(parts), ...createPins(parts) };
}
