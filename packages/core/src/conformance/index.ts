// The contracts of the ports, as cases for any test runner. For tests only.

export { type ConformanceCase, ConformanceError } from "./case.js";
export { type CheckpointStoreHarness, checkpointStoreSuite } from "./checkpoint-store.js";
export { type EventImportHarness, eventImportSuite, type ImportingStore } from "./event-import.js";
export { type EventStoreHarness, eventStoreSuite } from "./event-store.js";
export { type IngressHarness, ingressSuite, type SenderVerdict } from "./ingress.js";
export { type KeyringHarness, keyringSuite } from "./keyring.js";
export { type LeaseStoreHarness, leaseStoreSuite } from "./lease-store.js";
export { type SnapshotStoreHarness, snapshotStoreSuite } from "./snapshot-store.js";
export {
	type ServedObject,
	type SourceSupport,
	type StrayLink,
	type VideoSourceHarness,
	videoSourceSuite,
} from "./video-source.js";
export { type VideoStoreHarness, videoStoreSuite } from "./video-store.js";
