import type { Admission } from "./admission.js";
import type { CheckpointStore } from "./checkpoint-store.js";
import type { EventStore } from "./event-store.js";
import type { Receive } from "./ingress.js";
import type { Keyring } from "./keyring.js";
import type { LeaseStore } from "./lease-store.js";
import type { LinkRefresher } from "./link-refresher.js";
import type { Notices } from "./notices.js";
import { createToken, type Token } from "./plugin.js";
import type { Clock, Health, Ids, Logger, Telemetry } from "./runtime.js";
import type { SnapshotStore } from "./snapshot-store.js";
import type { Verifier } from "./verifier.js";
import type { VideoSource } from "./video-source.js";
import type { VideoStore } from "./video-store.js";

export const EVENT_STORE: Token<EventStore> = createToken("EventStore");
export const CHECKPOINT_STORE: Token<CheckpointStore> = createToken("CheckpointStore");
export const SNAPSHOT_STORE: Token<SnapshotStore> = createToken("SnapshotStore");
export const LEASE_STORE: Token<LeaseStore> = createToken("LeaseStore");
export const VIDEO_STORE: Token<VideoStore> = createToken("VideoStore");
export const VIDEO_SOURCE: Token<VideoSource> = createToken("VideoSource");
export const VERIFIER: Token<Verifier> = createToken("Verifier");
export const ADMISSION: Token<Admission> = createToken("Admission");
export const LINK_REFRESHER: Token<LinkRefresher> = createToken("LinkRefresher");
export const KEYRING: Token<Keyring> = createToken("Keyring");
export const CLOCK: Token<Clock> = createToken("Clock");
export const IDS: Token<Ids> = createToken("Ids");
export const LOGGER: Token<Logger> = createToken("Logger");
export const TELEMETRY: Token<Telemetry> = createToken("Telemetry");
/** Provided by Reelkeep itself. */
export const RECEIVE: Token<Receive> = createToken("Receive");
/** Provided by Reelkeep itself. */
export const NOTICES: Token<Notices> = createToken("Notices");
/** Provided by Reelkeep itself. */
export const HEALTH: Token<Health> = createToken("Health");
