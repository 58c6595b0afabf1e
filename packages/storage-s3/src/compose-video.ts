// Makes one object of a video's parts, by copies within the object store: none of its bytes come back to us.

import {
	AbortMultipartUploadCommand,
	CompleteMultipartUploadCommand,
	CreateMultipartUploadCommand,
	ListMultipartUploadsCommand,
	UploadPartCommand,
	UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { storeFault } from "@reelkeep/core/ports";
import { type BucketOptions, faulted, headObject, videoSettings } from "./bucket.js";
import { addHeader, contentMd5 } from "./request-headers.js";
import { isChanged, isMissing, isTaken, toFault } from "./s3-fault.js";

/** Copies that are under way at once. */
const COPIES_AT_A_TIME = 4;

export interface Composition {
	/** Of the video. */
	readonly key: string;
	/** Each at least as large as the object store wants parts to be. */
	readonly parts: readonly { readonly key: string; readonly etag: string }[];
	/** What comes behind them; may be empty. */
	readonly tail: Uint8Array;
	readonly metadata: Readonly<Record<string, string>>;
	/** Multipart uploads that are under way in this process: an entry is added and removed. */
	readonly live: Set<string>;
}

interface CompletedPart {
	readonly PartNumber: number;
	readonly ETag: string | undefined;
}

/**
 * Creates the video; `false`: one is there already, and is left alone.
 * *Errors*: rejects with a `StoreFault`; the parts are still there, and no multipart upload, as far as that can be reached.
 * *Promise*: nothing is visible before all of it is.
 */
export async function composeVideo(options: BucketOptions, composition: Composition): Promise<boolean> {
	const { key, live } = composition;
	// Not every server says of a multipart upload that its name is taken.
	if ((await headObject(options, key)) !== undefined) return false;
	const uploadId = await beginMultipart(options, composition);
	if (uploadId === undefined) return false;
	live.add(uploadId);
	try {
		const parts = await putParts(options, composition, uploadId);
		const isCreated = await complete(options, composition, uploadId, parts);
		if (!isCreated) await abortMultipart(options, key, uploadId);
		return isCreated;
	} catch (error) {
		// Whoever begins the next upload of this video tries again.
		await abortMultipart(options, key, uploadId).catch(() => undefined);
		throw error;
	} finally {
		live.delete(uploadId);
	}
}

/** `undefined`: OSS says already now that the name is taken. */
async function beginMultipart(
	options: BucketOptions,
	{ key, metadata }: Composition,
): Promise<string | undefined> {
	const { client, bucket, prefix, conditions } = options;
	const command = new CreateMultipartUploadCommand({
		Bucket: bucket,
		Key: prefix + key,
		...videoSettings(options),
		Metadata: { ...metadata },
	});
	const header = conditions.header();
	if (header?.[0] === "x-oss-forbid-overwrite") addHeader(command, ...header);
	try {
		const { UploadId } = await client.send(command);
		if (UploadId === undefined) throw storeFault("io", "the object store names no multipart upload");
		return UploadId;
	} catch (error) {
		if (isTaken(error)) return undefined;
		throw toFault(error, "beginning to put a video together");
	}
}

async function putParts(
	options: BucketOptions,
	{ key, parts, tail }: Composition,
	uploadId: string,
): Promise<readonly CompletedPart[]> {
	const { client, bucket, prefix } = options;
	const upload = { Bucket: bucket, Key: prefix + key, UploadId: uploadId };
	const done: CompletedPart[] = [];
	const waiting = parts.entries();
	const copyOn = async (): Promise<void> => {
		for (const [index, part] of waiting) {
			const command = new UploadPartCopyCommand({
				...upload,
				PartNumber: index + 1,
				CopySource: `${bucket}/${prefix}${part.key}`,
				CopySourceIfMatch: part.etag,
			});
			const { CopyPartResult } = await client.send(command);
			done.push({ PartNumber: index + 1, ETag: CopyPartResult?.ETag });
		}
	};
	const copies = Array.from({ length: COPIES_AT_A_TIME }, copyOn);
	// To the ends of all: nothing is copied any more when this upload is aborted.
	const ended = await Promise.allSettled(copies);
	for (const each of ended) if (each.status === "rejected") throw lostPart(each.reason);
	if (tail.length > 0) {
		const PartNumber = parts.length + 1;
		const command = new UploadPartCommand({
			...upload,
			PartNumber,
			Body: tail,
			ContentMD5: contentMd5(tail),
		});
		const { ETag } = await faulted("writing the end of a video", client.send(command));
		done.push({ PartNumber, ETag });
	}
	return done.sort((a, b) => a.PartNumber - b.PartNumber);
}

function lostPart(error: unknown): unknown {
	if (isMissing(error) || isChanged(error))
		return storeFault(
			"failed",
			"a part of the video was removed or replaced: does another process keep it too?",
			{ retryable: true },
		);
	return toFault(error, "putting a video together");
}

async function complete(
	options: BucketOptions,
	{ key }: Composition,
	uploadId: string,
	parts: readonly CompletedPart[],
): Promise<boolean> {
	const { client, bucket, prefix, conditions } = options;
	const send = (header: readonly [string, string] | undefined) => {
		const command = new CompleteMultipartUploadCommand({
			Bucket: bucket,
			Key: prefix + key,
			UploadId: uploadId,
			MultipartUpload: { Parts: [...parts] },
		});
		if (header !== undefined) addHeader(command, ...header);
		return client.send(command);
	};
	// Swift ignores the condition here, without a word.
	const look = async () => (await headObject(options, key)) !== undefined;
	return faulted("putting a video together", conditions.create({ send, look, looksFirst: true }));
}

/** Aborts what processes that ended within a commit of this video left; not what `live` names. */
export async function abortOrphans(
	options: BucketOptions,
	key: string,
	live: ReadonlySet<string>,
): Promise<void> {
	const { client, bucket, prefix } = options;
	const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix + key });
	const { Uploads = [] } = await faulted("looking for unfinished uploads", client.send(command));
	for (const { Key, UploadId } of Uploads)
		if (Key === prefix + key && UploadId !== undefined && !live.has(UploadId))
			await abortMultipart(options, key, UploadId);
}

async function abortMultipart(options: BucketOptions, key: string, uploadId: string): Promise<void> {
	const { client, bucket, prefix } = options;
	const command = new AbortMultipartUploadCommand({ Bucket: bucket, Key: prefix + key, UploadId: uploadId });
	try {
		await client.send(command);
	} catch (error) {
		if (!isMissing(error)) throw toFault(error, "giving up an unfinished upload");
	}
}
