// Where `serve` keeps what: all of it in a data directory, or events in PostgreSQL, or videos in a bucket, or both of them
// elsewhere, and then nothing on this machine but the key file.

import { lastPosition } from "@reelkeep/core";
import {
	CHECKPOINT_STORE,
	EVENT_STORE,
	KEYRING,
	type Logger,
	type Plugin,
	pickPorts,
	SNAPSHOT_STORE,
	VIDEO_STORE,
} from "@reelkeep/core/ports";
import { createFileKeyring, fsStorage } from "@reelkeep/storage-fs";
import type { S3StorageOptions, S3Videos } from "@reelkeep/storage-s3";
import type { StoragePlaces } from "./storage-config.js";
import type { BucketConfig } from "./videos-url.js";

/** What speaks PostgreSQL's protocol or S3's is loaded by those who use it. */
export async function composeStorage(places: StoragePlaces): Promise<readonly Plugin[]> {
	const { events, videos } = places;
	const elsewhere = [
		...(events === undefined ? [] : [await postgres(events)]),
		...(videos === undefined ? [] : [await bucket(videos)]),
	];
	if (places.directory === undefined) return [...elsewhere, keyFilePlugin(places.keyFile)];
	const fs = fsStorage(places.directory);
	if (elsewhere.length === 0) return [fs];
	const here = [
		KEYRING,
		...(events === undefined ? [EVENT_STORE, CHECKPOINT_STORE, SNAPSHOT_STORE] : []),
		...(videos === undefined ? [VIDEO_STORE] : []),
	];
	return [...elsewhere, pickPorts(fs, here)];
}

async function postgres(connectionString: string): Promise<Plugin> {
	const { postgresStorage } = await import("@reelkeep/storage-postgres");
	return postgresStorage({ connectionString });
}

async function bucket(config: BucketConfig): Promise<Plugin> {
	const { s3Storage } = await loadS3();
	return s3Storage(await bucketOptions(config));
}

/** What the SDK says of the runtime is for whoever installs (docs/runtimes.md); among log lines it is noise. */
const SILENCE = "AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED";

async function loadS3(): Promise<typeof import("@reelkeep/storage-s3")> {
	process.env[SILENCE] ??= "true";
	return import("@reelkeep/storage-s3");
}

/** Videos of a bucket without a composition. *Errors*: rejects with a `StoreFault`. */
export async function openBucket(config: BucketConfig, logger: Logger): Promise<S3Videos> {
	const { openS3Videos } = await loadS3();
	return openS3Videos({ ...(await bucketOptions(config)), logger });
}

async function bucketOptions({ credentials, ...options }: BucketConfig): Promise<S3StorageOptions> {
	if (credentials === "aws") return options;
	const { aliyunCredentials } = await import("@reelkeep/storage-s3/aliyun");
	return { ...options, credentials: aliyunCredentials() };
}

/** Keys are made only where nothing was sealed yet. */
function keyFilePlugin(file: string): Plugin {
	const keyring = createFileKeyring({ file });
	return {
		name: "key-file",
		provides: [KEYRING],
		needs: [EVENT_STORE],
		register: (registry) => registry.provide(KEYRING, () => keyring),
		async start(get) {
			await keyring.load({ createIfMissing: (await lastPosition(get(EVENT_STORE))) === undefined });
		},
	};
}
