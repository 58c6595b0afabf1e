// Keeps every recording's video before its link expires: a plugin, and its parts for other compositions.

export { type AddressClass, classifyAddress, isAddressAllowed } from "./address-policy.js";
export { type Agenda, createAgenda, type Taken } from "./agenda.js";
export {
	type Archiver,
	type ArchiverDeps,
	type ArchiverOptions,
	type ArchiverSummary,
	createArchiver,
	DEFAULT_AT_RISK_MS,
	DEFAULT_CONCURRENCY,
	DEFAULT_CONCURRENCY_PER_HOST,
	DEFAULT_REFRESH_BEFORE_MS,
} from "./archiver.js";
export { type Bandwidth, measureBandwidth } from "./bandwidth.js";
export { DEFAULT_RESERVE_BYTES } from "./disk-space.js";
export { type FailureKind, type FailureReason, failureKind } from "./failure.js";
export { DEFAULT_ALLOWED_HOSTS, type HostPattern, isHostAllowed, parseHostPattern } from "./host-policy.js";
export {
	createHttpVideoSource,
	DEFAULT_CONNECT_TIMEOUT_MS,
	DEFAULT_FIRST_BYTE_TIMEOUT_MS,
	DEFAULT_IDLE_TIMEOUT_MS,
	DEFAULT_MAX_VIDEO_BYTES,
	DEFAULT_MIN_BYTES_PER_SECOND,
	DEFAULT_THROUGHPUT_WINDOW_MS,
	type HttpVideoSourceOptions,
	MAX_REDIRECTS,
} from "./http-video-source.js";
export { evolvePending, initialPending, type PendingRecording } from "./pending.js";
export { type ArchiverPlugin, type ArchiverPluginOptions, archiver } from "./plugin.js";
export { type PlannedDownload, planRescue, type RescuePlan } from "./rescue-plan.js";
export {
	DEFAULT_RETRY_POLICY,
	decideNextStep,
	type FailedAttempt,
	type NextStep,
	type RetryPolicy,
} from "./retry.js";
