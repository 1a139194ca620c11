// What the engine rarely needs, in a file of its own that the worker keeps with the rest.
import { createDeposit } from "./deposit.js";
import { createParcels } from "./parcels.js";
import { createPins } from "./pins.js";

/** @param {{store: any, net: any, env: any, state: any, locking: any, flush: () => Promise<void>}} parts */
export function createRare(parts) {
  const parcels = createParcels(parts);
  return { ...parcels, ...createDeposit({ ...parts, parcels }), ...createPins(parts) };
}
