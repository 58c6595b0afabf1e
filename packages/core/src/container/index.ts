// Where an application composes Reelkeep; the only part of the core that loads tsyringe.

export { silentLogger } from "../observe.js";
export { CompositionError } from "./compose.js";
export {
	admitEveryApp,
	consoleLogger,
	noTelemetry,
	randomIds,
	systemClock,
} from "./defaults.js";
export { createReelkeep, type Reelkeep, type ReelkeepOptions } from "./reelkeep.js";
