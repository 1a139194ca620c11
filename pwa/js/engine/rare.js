// What the engine rarely needs, in a file of its own that the worker keeps with the rest.
import { createDeposit } from "./deposit.js";
import { createPins } from "./pins.js";

/** @param {{store: any, net: any, env: any, state: any, locking: any, flush: () => Promise<void>}} parts */
export function createRare(parts) {
  return { ...createDeposit(parts), ...createPins(parts) };
}
