// What this package's tests share: one real server for each file, a prefix for each test, clients that can be killed.

import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3";
import type { VideoStoreHarness } from "@reelkeep/core/conformance";
import { s3Missing, startS3, type TestS3 } from "@reelkeep/harness/swift";
import { transcribingLogger } from "@reelkeep/harness/transcript";
import { afterAll, beforeAll } from "vitest";
import { type BucketOptions, createBucket } from "./bucket.js";
import { type CreateOnly, createConditions } from "./create-only.js";
import { type ConnectionOptions, createClient } from "./s3-client.js";
import { createS3VideoStore, type S3VideoStore } from "./video-store.js";

/** Why nothing can be tested here; `undefined`: it can. */
export const missing: string | undefined = s3Missing();
if (missing !== undefined) {
	if (process.env.CI !== undefined) throw new Error(missing);
	console.warn(`storage-s3 is NOT tested: ${missing}`);
}

/** Starts a server before this file's tests, and stops it behind them. */
export function useServer(): { readonly server: () => TestS3 } {
	let server: TestS3 | undefined;
	beforeAll(async () => {
		if (missing === undefined) server = await startS3();
	}, 90_000);
	afterAll(() => server?.stop(), 60_000);
	return {
		server() {
			if (server === undefined) throw new Error(missing ?? "the server is not started yet");
			return server;
		},
	};
}

/** So that a video of a test has several. */
const SMALL_PART_BYTES = 256 * 1024;

let serial = 0;
/** A prefix that nobody else uses. */
export function newPrefix(): string {
	serial += 1;
	return `test-${process.pid}-${Date.now().toString(36)}-${serial}/`;
}

/** How tests get to a server, and in which way. */
export interface Way {
	readonly connection: ConnectionOptions;
	readonly bucket: string;
	readonly requestHandler?: S3ClientConfig["requestHandler"];
	readonly createOnly?: CreateOnly;
	readonly partBytes: number;
	readonly maxParts?: number;
}

export function wayTo({ endpoint, region, credentials, pathStyle, bucket, minPartBytes }: TestS3): Way {
	return {
		connection: { endpoint, region, credentials, pathStyle },
		bucket,
		partBytes: Math.max(minPartBytes, SMALL_PART_BYTES),
	};
}

export interface OpenStore {
	readonly store: S3VideoStore;
	readonly client: S3Client;
	readonly options: BucketOptions;
	/**
	 * As if the process were killed: it asks for nothing more, and hears no answer. Resolves when the server is through with
	 * what was under way.
	 */
	kill(): Promise<void>;
	close(): void;
}

export async function openStore(way: Way, prefix: string, logger = transcribingLogger()): Promise<OpenStore> {
	const client = createClient(way.connection, way.requestHandler);
	const kill = makeKillable(client);
	const options: BucketOptions = {
		client,
		bucket: way.bucket,
		prefix,
		conditions: createConditions(way.createOnly ?? "if-none-match", logger),
	};
	const { partBytes, maxParts } = way;
	const store = createS3VideoStore({
		...options,
		partBytes,
		logger,
		...(maxParts === undefined ? {} : { maxParts }),
	});
	await store.start();
	const close = (): void => {
		store.close();
		client.destroy();
	};
	return { store, client, options, kill, close };
}

function makeKillable(client: S3Client): () => Promise<void> {
	let isKilled = false;
	const underWay = new Set<Promise<unknown>>();
	client.middlewareStack.add(
		(next) => async (args) => {
			if (isKilled) throw new Error("this process was killed");
			const answer = next(args);
			underWay.add(answer);
			const end = (): void => void underWay.delete(answer);
			answer.then(end, end);
			const output = await answer;
			if (isKilled) throw new Error("this process was killed");
			return output;
		},
		{ step: "finalizeRequest", priority: "low" },
	);
	return async () => {
		isKilled = true;
		await Promise.allSettled(underWay);
	};
}

/** For the conformance suite: every case has a prefix of its own. */
export async function s3Harness(way: Way, isOwn: boolean, minResumableBytes = 1): Promise<VideoStoreHarness> {
	const prefix = newPrefix();
	let opened: OpenStore | undefined;
	const open = async () => {
		opened = await openStore(way, prefix);
		return opened.store;
	};
	return {
		open,
		minResumableBytes,
		reopen() {
			opened?.close();
			return open();
		},
		async crash() {
			await opened?.kill();
			return open();
		},
		async dispose() {
			if (!isOwn && opened !== undefined) await removeAll(opened.options);
			opened?.close();
		},
	};
}

async function removeAll(options: BucketOptions): Promise<void> {
	const bucket = createBucket(options);
	await bucket.remove((await bucket.list("")).map(({ key }) => key));
}

export async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const all: Uint8Array[] = [];
	for await (const chunk of chunks) all.push(chunk);
	return Buffer.concat(all);
}
