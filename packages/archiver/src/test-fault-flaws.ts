// For the tests of the archiver only: flaws that it could have, planted around it, each of which a scenario must see.

import type { OpenedVideo, VideoSource, VideoStore } from "@reelkeep/core/ports";
import type { FlawedParts } from "@reelkeep/harness/fault-lives";

export interface Flaw {
	readonly name: string;
	/** Some scenario among so many sees it. */
	readonly withinSeeds: number;
	/** By what. */
	readonly seenAs: RegExp;
	readonly plant: (parts: FlawedParts) => FlawedParts;
}

const OTHER_BYTES = /are no version of the object/;

export const FLAWS: readonly Flaw[] = [
	{
		name: "a whole answer is taken for the rest that was asked for",
		withinSeeds: 200,
		seenAs: OTHER_BYTES,
		plant: withSource((source) => ({
			async open(link, { offset = 0, validator, signal }) {
				const opened = await source.open(link, { signal });
				if (opened._tag === "Unavailable" || offset === 0 || validator === undefined) return opened;
				const { totalBytes, ...rest } = opened;
				return { ...rest, offset, ...(totalBytes === undefined ? {} : { totalBytes: totalBytes + offset }) };
			},
		})),
	},
	{
		name: "a download of a changed object is gone on with",
		withinSeeds: 400,
		seenAs: OTHER_BYTES,
		plant: withSource((source) => ({
			async open(link, options) {
				const { offset = 0, validator } = options;
				if (offset === 0 || validator === undefined) return source.open(link, options);
				return (
					(await openUnconditionally(link, { ...options, offset, validator })) ?? source.open(link, options)
				);
			},
		})),
	},
	{
		name: "checksums are not looked at",
		withinSeeds: 100,
		seenAs: OTHER_BYTES,
		plant: withSource((source) => withOpened(source, (opened) => ({ ...opened, checksums: {} }))),
	},
	{
		name: "a body that breaks off is taken for whole",
		withinSeeds: 100,
		seenAs: OTHER_BYTES,
		plant: withSource((source) =>
			withOpened(source, ({ totalBytes: _length, ...opened }) => ({
				...opened,
				checksums: {},
				body: swallowBreak(opened.body),
			})),
		),
	},
	{
		name: "an origin's wish for patience is taken for the link's end",
		withinSeeds: 100,
		seenAs: /it was expired: refused before it was mended|it is expired: refused, not/,
		plant: withSource((source) => ({
			async open(link, options) {
				const opened = await source.open(link, options);
				const isBusy = opened._tag === "Unavailable" && opened.reason === "busy";
				return isBusy ? { ...opened, reason: "expired" } : opened;
			},
		})),
	},
	{
		name: "a video is said to be archived before it is kept",
		withinSeeds: 20,
		seenAs: /archived before it is kept/,
		plant: withVideoStore((videoStore) => ({
			...videoStore,
			async begin(key, options) {
				const upload = await videoStore.begin(key, options);
				return {
					...upload,
					async commit() {
						const video = { location: `memory:${key}`, ...(await upload.digest()) };
						setTimeout(() => upload.commit().catch(() => undefined), 10);
						return { _tag: "Committed", video };
					},
				};
			},
		})),
	},
	{
		name: "what was begun for a lost video is left behind",
		withinSeeds: 200,
		seenAs: /a partial video is left/,
		plant: withVideoStore((videoStore) => ({ ...videoStore, removePartial: async () => undefined })),
	},
	{
		name: "a partial video is not the bytes that were written",
		withinSeeds: 200,
		seenAs: OTHER_BYTES,
		plant: withVideoStore((videoStore) => ({
			...videoStore,
			async begin(key, options) {
				const upload = await videoStore.begin(key, options);
				let isFirst = upload.offset === 0;
				return {
					...upload,
					async write(chunk) {
						await upload.write(isFirst ? chunk.map((byte) => byte ^ 1) : chunk);
						isFirst = false;
					},
				};
			},
		})),
	},
	{
		name: "an end is appended twice",
		withinSeeds: 20,
		seenAs: /comes after/,
		plant: (parts) => ({
			...parts,
			store: {
				...parts.store,
				async append(stream, events, expected) {
					const ends = events.filter(({ type }) => type !== "ArchiveAttemptFailed");
					const again = ends.map((event) => ({ ...event, id: crypto.randomUUID() }));
					return parts.store.append(stream, [...events, ...again], expected);
				},
			},
		}),
	},
];

function withSource(flawed: (source: VideoSource) => VideoSource): Flaw["plant"] {
	return (parts) => ({ ...parts, source: flawed(parts.source) });
}

function withVideoStore(flawed: (videoStore: VideoStore) => VideoStore): Flaw["plant"] {
	return (parts) => ({ ...parts, videoStore: flawed(parts.videoStore) });
}

function withOpened(source: VideoSource, change: (opened: OpenedVideo) => OpenedVideo): VideoSource {
	return {
		async open(link, options) {
			const opened = await source.open(link, options);
			return opened._tag === "Opened" ? change(opened) : opened;
		},
	};
}

async function* swallowBreak(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
	try {
		yield* body;
	} catch {
		// That is the flaw.
	}
}

/** Asks for a range without a word about the object that it is to be of; `undefined`: no range came. */
async function openUnconditionally(
	link: string,
	{
		offset,
		validator,
		signal,
	}: { readonly offset: number; readonly validator: string; readonly signal: AbortSignal },
): Promise<OpenedVideo | undefined> {
	const response = await fetch(link, { headers: { range: `bytes=${offset}-` }, signal }).catch(
		() => undefined,
	);
	const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response?.headers.get("content-range") ?? "");
	if (!response?.body || Number(range?.[1]) !== offset) {
		await response?.body?.cancel();
		return undefined;
	}
	const crc64 = response.headers.get("x-oss-hash-crc64ecma");
	return {
		_tag: "Opened",
		offset,
		validator,
		totalBytes: Number(range?.[2]),
		checksums: crc64 === null ? {} : { crc64 },
		body: response.body,
	};
}
