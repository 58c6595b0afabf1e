// For plugin authors: every port, its tokens, and the faults that implementations reject with.

export { type Admission, type AdmissionResult, ANONYMOUS } from "./admission.js";
export { checkAppend } from "./check-append.js";
export { checkCheckpointMove, checkCheckpointName } from "./check-checkpoint.js";
export { checkImport, passedVersion } from "./check-import.js";
export { checkLeaseDuration, checkLeaseNames, checkLeasePrefix } from "./check-lease.js";
export { checkSnapshotName } from "./check-name.js";
export { checkReadAll, checkReadStream } from "./check-read.js";
export { checkUploadNote, checkVideoKey, checkVideoLocation, checkVideoOffset } from "./check-video.js";
export type { Checkpoint, CheckpointStore, SaveResult } from "./checkpoint-store.js";
export { encodedRuns, encodeEvent } from "./encoded-runs.js";
export type { EventImporter, ImportResult } from "./event-import.js";
export type {
	AppendResult,
	EncodedEvent,
	EncodedRun,
	EventMetadata,
	EventStore,
	ExpectedVersion,
	Json,
	JsonObject,
	LogReading,
	NewEvent,
	Position,
	ReadAllOptions,
	ReadStreamOptions,
	RecordedEvent,
	StreamName,
	StreamVersion,
	VerificationReceipt,
} from "./event-store.js";
export { freezeDeep } from "./freeze-deep.js";
export type {
	DecodeIssue,
	Ingress,
	IngressStarted,
	Receive,
	ReceiveOutcome,
	Report,
} from "./ingress.js";
export { isKeyringFault, type Keyring, type KeyringFault, keyringFault } from "./keyring.js";
export type { AcquireResult, Lease, LeaseHolder, LeaseStore, RenewResult } from "./lease-store.js";
export type { LinkRefresher, RefreshedLink, RefreshReason, RefreshRequest } from "./link-refresher.js";
export type { ArchiveProgress, Notice, Notices, NoticeType, RecordingAtRisk } from "./notices.js";
export {
	createToken,
	type Get,
	type Plugin,
	pickPorts,
	type Registry,
	type Token,
	tokenName,
} from "./plugin.js";
export { comparePositions, isPosition, toPosition } from "./position.js";
export type { Clock, Health, Ids, Logger, Problem, Telemetry } from "./runtime.js";
export type { SaveSnapshotResult, Snapshot, SnapshotStore } from "./snapshot-store.js";
export {
	isSourceFault,
	type SourceFault,
	type SourceFaultReason,
	sourceFault,
} from "./source-fault.js";
export { isStoreFault, type StoreFault, type StoreFaultReason, storeFault } from "./store-fault.js";
export {
	ADMISSION,
	CHECKPOINT_STORE,
	CLOCK,
	EVENT_STORE,
	HEALTH,
	IDS,
	KEYRING,
	LEASE_STORE,
	LINK_REFRESHER,
	LOGGER,
	NOTICES,
	RECEIVE,
	SNAPSHOT_STORE,
	TELEMETRY,
	VERIFIER,
	VIDEO_SOURCE,
	VIDEO_STORE,
} from "./tokens.js";
export type {
	NotAuthenticReason,
	PeerCertificate,
	SignedRequest,
	Verification,
	Verifier,
} from "./verifier.js";
export { isVideoLocation, locationOfVideo, videoLocation, videoName } from "./video-location.js";
export type {
	OpenedVideo,
	OpenVideoOptions,
	OpenVideoResult,
	OriginChecksums,
	VideoSource,
	VideoUnavailable,
} from "./video-source.js";
export type {
	BeginUploadOptions,
	CommitResult,
	PartialVideo,
	StoredVideo,
	VideoDigest,
	VideoKey,
	VideoStore,
	VideoUpload,
} from "./video-store.js";
