// @reelkeep/storage-s3: videos in S3-compatible object storage.

export type { CreateOnly } from "./create-only.js";
export { openS3Videos, type S3Videos } from "./open-videos.js";
export type { S3StorageOptions } from "./parts.js";
export { type S3Storage, s3Storage } from "./plugin.js";
export type { ReadLinkOptions } from "./read-link.js";
export type { ConnectionOptions } from "./s3-client.js";
