// Where the bytes of unfinished videos lie, by name: `partial/NAME/UPLOAD/000001` and on, each an object, and a `note`
// beside them. Pure.

import { randomBytes } from "node:crypto";
import { storeFault } from "@reelkeep/core/ports";

/** Of one multipart upload, by S3. */
export const MAX_PARTS = 10_000;
const NAME = /^partial\/[0-9a-f]{64}\/([0-9a-f]{32})\/(?:(note)|([0-9]{6}))$/;

export interface ListedObject {
	/** Below the store's prefix. */
	readonly key: string;
	readonly bytes: number;
	readonly etag: string;
}

interface PartObject extends ListedObject {
	/** From 1 on. */
	readonly number: number;
}

/** What is there of one upload. */
export interface PartialObjects {
	readonly uploadId: string;
	/** Absent: it cannot be gone on with. */
	readonly noteKey?: string;
	/** From the first on, without a gap. */
	readonly parts: readonly PartObject[];
	readonly bytes: number;
	/** Of everything. */
	readonly keys: readonly string[];
}

export function newUploadId(): string {
	return randomBytes(16).toString("hex");
}

/** Of everything that uploads of one video leave. `name`: its `videoName`. */
export function partialFolder(name: string): string {
	return `partial/${name}/`;
}

export function noteKey(name: string, uploadId: string): string {
	return `${partialFolder(name)}${uploadId}/note`;
}

/** *Errors*: throws a `StoreFault` when there may be no such part. */
export function partKey(name: string, uploadId: string, number: number, maxParts = MAX_PARTS): string {
	if (number > maxParts)
		throw storeFault(
			"failed",
			`a video is larger than ${maxParts} parts, and an object has no more: raise \`partBytes\``,
			{ retryable: false },
		);
	return `${partialFolder(name)}${uploadId}/${String(number).padStart(6, "0")}`;
}

/** What a listing of a `partialFolder` tells, upload by upload. What has no name of ours is left out. */
export function groupPartials(objects: readonly ListedObject[]): readonly PartialObjects[] {
	const byUpload = new Map<string, Found>();
	for (const object of objects) {
		const [, uploadId, note, number] = NAME.exec(object.key) ?? [];
		if (uploadId === undefined) continue;
		const found = byUpload.get(uploadId) ?? { keys: [], parts: new Map<number, PartObject>() };
		byUpload.set(uploadId, found);
		found.keys.push(object.key);
		if (note !== undefined) found.noteKey = object.key;
		if (number !== undefined) found.parts.set(Number(number), { ...object, number: Number(number) });
	}
	return [...byUpload].map(([uploadId, { keys, noteKey, parts }]) => {
		const whole = contiguous(parts);
		const bytes = whole.reduce((sum, part) => sum + part.bytes, 0);
		return { uploadId, keys, parts: whole, bytes, ...(noteKey === undefined ? {} : { noteKey }) };
	});
}

interface Found {
	readonly keys: string[];
	readonly parts: Map<number, PartObject>;
	noteKey?: string;
}

function contiguous(parts: ReadonlyMap<number, PartObject>): readonly PartObject[] {
	const whole: PartObject[] = [];
	for (let part = parts.get(1); part !== undefined; part = parts.get(whole.length + 1)) whole.push(part);
	return whole;
}

/** The one to go on with: which came furthest. */
export function furthest(partials: readonly PartialObjects[]): PartialObjects | undefined {
	return partials
		.filter(({ noteKey, bytes }) => noteKey !== undefined && bytes > 0)
		.reduce<PartialObjects | undefined>(
			(best, each) => (best === undefined || each.bytes > best.bytes ? each : best),
			undefined,
		);
}
