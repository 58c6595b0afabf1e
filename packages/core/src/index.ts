// For applications: the domain, and how to receive, follow and read. Plugin authors import `@reelkeep/core/ports`;
// `createReelkeep` is in `@reelkeep/core/container`.

export {
	DEFAULT_CAP_MS,
	type Deadline,
	type DeadlineSource,
	decideDeadline,
	type IgnoredExpiry,
} from "./deadline.js";
export { type DecodeError, decodeError, describeIssues } from "./decode-error.js";
export type { DeliveryParked } from "./delivery-ledger.js";
export { type DividedWork, type DivideWorkOptions, divideWork } from "./divide-work.js";
export {
	ArchiveAbandoned,
	ArchiveAttemptFailed,
	CallbackQuarantined,
	CallbackRedriven,
	type DomainEvent,
	decodeEvent,
	EVENT_TYPES,
	type EventData,
	type EventType,
	isEventType,
	LinkExpired,
	LinkRenewed,
	LogRepaired,
	Mp4Probe,
	RecordingArchived,
	RecordingReported,
	type ReelkeepEvent,
	ReportContradicted,
	toUnknownEvent,
	type UnknownEvent,
	VideoReceipt,
	VideoRemoved,
} from "./events.js";
export { type ExecuteOptions, execute, type LoadedRecording, loadRecording, toNewEvent } from "./execute.js";
export { type Followed, type FollowOptions, followLog, lastPosition } from "./follow.js";
export type { GuardedEvents } from "./guarded-emitter.js";
export { createHintListeners, type HintListeners } from "./hint-listeners.js";
export { type HeldLease, type HoldLeaseOptions, holdLease, noLeases } from "./hold-lease.js";
export { linkExpiry, linkFingerprint, linkObject, maskLink, parseLink, type StatedExpiry } from "./link.js";
export { createLiveEmitter, type LiveEmitter, type LiveEvents, type LiveListener } from "./live-events.js";
export { createMemoryCheckpointStore } from "./memory/checkpoint-store.js";
export { createMemoryEventStore } from "./memory/event-store.js";
export { createMemoryKeyring } from "./memory/keyring.js";
export { createMemoryLeaseStore } from "./memory/lease-store.js";
export { memoryStorage } from "./memory/plugin.js";
export { createMemorySnapshotStore } from "./memory/snapshot-store.js";
export { createMemoryVideoStore } from "./memory/video-store.js";
export { createNoticeEmitter, type NoticeEvents } from "./notice-emitter.js";
export {
	createThrottledWarning,
	describeError,
	describeUnexpected,
	guardLogger,
	observe,
	silentLogger,
} from "./observe.js";
export * from "./ports/index.js";
export { type AppProjects, createProjectAdmission, projectAdmission } from "./project-admission.js";
export {
	createProjection,
	foldProjection,
	type Projection,
	type ProjectionDefinition,
	type ProjectionDeps,
	type ProjectionOptions,
	type StateCodec,
} from "./projection.js";
export { isProjectionError, type ProjectionError } from "./projection-error.js";
export { openQuarantined } from "./quarantine.js";
export {
	createQuarantineLedger,
	DEFAULT_QUARANTINE_QUOTA,
	type QuarantineLedger,
	type QuarantineQuota,
	type QuarantineReservation,
} from "./quarantine-ledger.js";
export { foldQuarantine, QUARANTINE_TYPES, type QuarantinedCallback } from "./quarantined-callbacks.js";
export type { RateLimit } from "./rate-limit.js";
export { checkReadiness, type Readiness } from "./readiness.js";
export { createReceive, type ReceiveDeps, type ReceiveOptions } from "./receive.js";
export {
	type Decision,
	type DecisionOutcome,
	decide,
	evolve,
	initialRecording,
	MAX_CONTRADICTIONS,
	MAX_RECORDED_FAILURES,
	MAX_RENEWALS,
	MAX_RENEWALS_IN_ALL,
	type Recording,
	type RecordingState,
	receiptOfFound,
} from "./recording.js";
export type {
	AbandonArchive,
	ArchiveRecording,
	ExpireLink,
	RecordFailedAttempt,
	RecordingCommand,
	RecordingFacts,
	RecordingLink,
	RemoveVideo,
	ReportRecording,
} from "./recording-command.js";
export {
	isRecordingStream,
	quarantineStream,
	type RecordingId,
	recordingIdOf,
	recordingStream,
} from "./recording-id.js";
export { foldRecordings, type Recordings, recordingDeadline } from "./recordings.js";
export { type RecordingsModel, recordingsProjection } from "./recordings-model.js";
export {
	MAX_RECORDINGS_PER_PAGE,
	type RecordingsFilter,
	type RecordingsOrder,
	type RecordingsPage,
	type RecordingsQuery,
	recordingCursor,
} from "./recordings-query.js";
export type { RecordingRow, RowDeadline } from "./recordings-row.js";
export { type RedriveDeps, type RedriveOptions, type RedriveOutcome, redrive } from "./redrive.js";
export { type RenewLinkDeps, type RenewLinkResult, renewLink } from "./renew-link.js";
export type { DecodeCallback, ReportedAs } from "./report-recording.js";
export {
	decodeCallback,
	SCREEN_RECORDING_CALL_BACK,
	ScreenRecordCallback,
} from "./screen-record-callback.js";
export { openLink, sealLink } from "./seal-link.js";
export { shareOf } from "./share-out.js";
export {
	type Delivery,
	type ReplayOptions,
	type SubscribeDeps,
	type SubscribeOptions,
	type Subscription,
	type SubscriptionHandler,
	subscribe,
} from "./subscribe.js";
export { readTraceparent } from "./traceparent.js";
export { createTurns, type Turns } from "./turns.js";
export type { EventSchema, Upcast } from "./upcast.js";
export { decodeUtf8 } from "./utf8.js";
export { createWake, type Wake } from "./wake.js";
export { whenAborted } from "./when-aborted.js";
export { withinTime } from "./within-time.js";
