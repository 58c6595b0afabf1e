// The testing kit: what a service's own tests need to drive Reelkeep.

export { changeMember, replaceLink } from "./callback-text.js";
export { CAPTURE_NAMES, type CaptureName, loadCapture } from "./captures.js";
export { createFakeClock, type FakeClock } from "./fake-clock.js";
export type { FaultedCalls, FaultMoment, Faults } from "./faults.js";
export { type Faulty, type FaultyMethod, type FaultyPort, faulty } from "./faulty.js";
export type { ObjectBytes, ObjectHabits } from "./held-object.js";
export { LINK_EXPIRED, type ObjectFault, singleFaults } from "./object-fault.js";
export {
	type AskedRequest,
	type ObjectStore,
	type ObjectStoreOptions,
	startObjectStore,
} from "./object-store.js";
export { readHistory, untilRecorded } from "./recorded-events.js";
export { type CallbackMember, sampleCallback } from "./sample-callback.js";
export { sampleVideo } from "./sample-video.js";
export {
	flipSignedByte,
	SAMPLE_APP,
	type SdkRequestOptions,
	sdkRequest,
	toFetchRequest,
} from "./sdk-request.js";
export { type RawReply, sendRaw } from "./send-raw.js";
export { createShiftingClock, type ShiftingClock } from "./shifting-clock.js";
export {
	type FaultyStores,
	type ReportOptions,
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
	resign,
	type SignedRequestOptions,
	type SignMethod,
	signedRequest,
	signTop,
	unsignedRequest,
} from "./top-request.js";
