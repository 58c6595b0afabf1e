// Reelkeep's embedded storage: the event log, checkpoints, videos and keys in one directory.

export { type BackupOptions, type BackupReport, backupFsStorage } from "./backup.js";
export type { BackupProgress } from "./backup-meter.js";
export {
	createFsCheckpointStore,
	type FsCheckpointStore,
	type FsCheckpointStoreOptions,
} from "./checkpoint-store.js";
export { type FsKeyCopy, type FsKeyCopyOptions, readFsKeyCopy } from "./copy-keys.js";
export {
	type InspectFsVideosOptions,
	inspectFsVideos,
	type MendFsVideosOptions,
	type MendReport,
	mendFsVideos,
} from "./doctor.js";
export { type FsEventReaderOptions, openFsEventReader } from "./event-reader.js";
export { createFsEventStore, type FsEventStore, type FsEventStoreOptions } from "./event-store.js";
export type { FileStatus, FileSystem, OpenFile, OpenMode } from "./file-system.js";
export type { LogDamage, LogInspection } from "./inspect-log.js";
export { createFileKeyring, type FileKeyring, type FileKeyringOptions } from "./keyring.js";
export { type ListFsCheckpointsOptions, listFsCheckpoints } from "./list-checkpoints.js";
export type { Watermark } from "./log-files.js";
export { createNodeFileSystem } from "./node-file-system.js";
export type { Owned, OwnerConnection, OwnerIdentity, Ownership } from "./ownership.js";
export { type FsStorageOptions, fsStorage, KEY_FILE_NAME } from "./plugin.js";
export { type RepairOptions, type RepairReport, repairFsStorage } from "./repair.js";
export {
	createFsSnapshotStore,
	type FsSnapshotStore,
	type FsSnapshotStoreOptions,
} from "./snapshot-store.js";
export { createSocketOwnership } from "./socket-ownership.js";
export { type VerifyOptions, verifyFsStorage } from "./verify.js";
export {
	type DamagedVideo,
	isWrongFinding,
	type Leftover,
	type MissingVideo,
	type UntoldVideo,
	type VideoFinding,
	type VideoInspection,
} from "./video-findings.js";
export type { InspectionProgress } from "./video-inspection.js";
export type { Mending } from "./video-mending.js";
export { createFsVideoReader, type FsVideoReaderOptions } from "./video-reader.js";
export { createFsVideoStore, type FsVideoStore, type FsVideoStoreOptions } from "./video-store.js";
