// The testing kit: what a service's own tests need to drive Reelkeep.

export { CAPTURE_NAMES, loadCapture } from "./captures.js";
export { createFakeClock, type FakeClock } from "./fake-clock.js";
export { createFaults, type FaultedCalls, type Faults, type FaultsOptions, type HeldCall } from "./faults.js";
export {
	type FaultyCheckpointStore,
	type FaultyEventStore,
	type FaultyKeyring,
	type FaultyLeaseStore,
	type FaultySnapshotStore,
	type FaultyVideoStore,
	faultyCheckpointStore,
	faultyEventStore,
	faultyKeyring,
	faultyLeaseStore,
	faultySnapshotStore,
	faultyVideoStore,
} from "./faulty-stores.js";
export type { ObjectBytes, ObjectHabits } from "./held-object.js";
export { LINK_EXPIRED, type ObjectFault, singleFaults } from "./object-fault.js";
export {
	type AskedRequest,
	type ObjectStore,
	type ObjectStoreOptions,
	startObjectStore,
} from "./object-store.js";
export { sampleCallback } from "./sample-callback.js";
export { sampleVideo } from "./sample-video.js";
export { answerText, flipBit, type SdkRequestOptions, sdkRequest, toFetchRequest } from "./sdk-request.js";
export { type RawReply, sendRaw } from "./send-raw.js";
export { createShiftingClock, type ShiftingClock } from "./shifting-clock.js";
export {
	type LogLine,
	startTestReelkeep,
	type TestReelkeep,
	type TestReelkeepOptions,
	type TestStores,
} from "./start-test-reelkeep.js";
export {
	type Capture,
	chinaTime,
	type ResignOptions,
	readCapture,
	replaceLink,
	resign,
	type SignedRequestOptions,
	type SignMethod,
	signedRequest,
	signTop,
	unsignedRequest,
} from "./top-request.js";
