// The clauses of `VideoSource` about links that lead to no video: why, as a value, and in words that give nothing away.

import { isSourceFault } from "../ports/source-fault.js";
import { assert, assertSame } from "./case.js";
import type { StrayLink, VideoSourceHarness } from "./video-source.js";
import {
	assertFault,
	assertRest,
	open,
	openUnavailable,
	openVideo,
	promptly,
	readToEnd,
} from "./video-source-samples.js";
import { sampleBytes } from "./video-store-samples.js";

export async function tellsAbsence(harness: VideoSourceHarness): Promise<void> {
	await openUnavailable(harness, harness.strayLink("absent"), "not-found");
}

export async function tellsExpiry(harness: VideoSourceHarness): Promise<void> {
	await openUnavailable(harness, harness.strayLink("expired"), "expired");
}

export async function tellsRefusal(harness: VideoSourceHarness): Promise<void> {
	await openUnavailable(harness, harness.strayLink("refused"), "refused");
}

export async function tellsPatience(harness: VideoSourceHarness): Promise<void> {
	const bytes = sampleBytes(1_000);
	const link = harness.serve("video.mp4", { bytes, busyForMs: 3_000 });
	const { retryAfterMs } = await openUnavailable(harness, link, "busy");
	assertSame(retryAfterMs, 3_000, "milliseconds that the origin wants to be left alone");
	await assertRest(await openVideo(harness, harness.serve("video.mp4", { bytes })), 0, bytes);
}

export async function obeysPolicy(harness: VideoSourceHarness): Promise<void> {
	const link = harness.strayLink("forbidden");
	await promptly(harness, "a link that is not allowed", openUnavailable(harness, link, "not-allowed"));
}

export async function tellsSilence(harness: VideoSourceHarness): Promise<void> {
	await openUnavailable(harness, harness.strayLink("unreachable"), "failed");
}

const SECRET = "c2VjcmV0LW9mLXRoZS1saW5r";
const BAD_LINKS = [
	"",
	" ",
	"\0",
	"?",
	"not a link",
	"http://",
	"http://[",
	"http://:80/",
	"//host/video.mp4",
	"/etc/passwd",
	"javascript:alert(1)",
	"data:video/mp4;base64,AAAA",
	"file:///etc/passwd",
	"http://\ud800/",
	"x".repeat(100_000),
].flatMap((link) => [link, `${link}?Signature=${SECRET}`]);

export async function takesBadLinks(harness: VideoSourceHarness): Promise<void> {
	for (const link of BAD_LINKS) {
		const result = await open(harness, link);
		assertSame(result._tag, "Unavailable", `what opens behind ${JSON.stringify(link.slice(0, 40))}`);
	}
}

export async function limitsSizes(harness: VideoSourceHarness): Promise<void> {
	const { maxBytes } = harness;
	assert(maxBytes !== undefined, "the harness says how large a video may be");
	const largest = new Uint8Array(maxBytes);
	await assertRest(await openVideo(harness, harness.serve("video.mp4", { bytes: largest })), 0, largest);
	const bytes = new Uint8Array(maxBytes + 1);
	await openUnavailable(harness, harness.serve("video.mp4", { bytes }), "too-large");
	const unstated = await openVideo(harness, harness.serve("video.mp4", { bytes, statesNoLength: true }));
	const ended = await readToEnd(unstated);
	assertFault(ended, "too-large", bytes);
	assert(ended.bytes.length <= maxBytes, "no byte comes that is one too many");
}

/** What each kind of stray link needs of the source, if anything. */
const STRAY = {
	absent: undefined,
	expired: "expiry",
	refused: "refusal",
	unreachable: undefined,
	forbidden: "policy",
} as const satisfies Record<StrayLink, unknown>;

export async function tellsNoSecrets(harness: VideoSourceHarness): Promise<void> {
	const { supports } = harness;
	for (const [kind, need] of Object.entries(STRAY) as [StrayLink, (typeof STRAY)[StrayLink]][]) {
		if (need !== undefined && !supports[need]) continue;
		await expectDiscretion(harness, harness.strayLink(kind));
	}
	for (const link of BAD_LINKS.filter((link) => link.includes(SECRET))) await expectDiscretion(harness, link);
	const bytes = sampleBytes(200_000);
	if (supports.patience) {
		await expectDiscretion(harness, harness.serve("video.mp4", { bytes, busyForMs: 1_000 }));
	}
	await expectDiscretion(harness, harness.serve("video.mp4", { bytes, breaksOffAfter: 100_000 }));
	if (supports.silence) {
		await expectDiscretion(harness, harness.serve("video.mp4", { bytes, silentAfter: 100_000 }));
	}
}

/** Fails when what is said about `link` holds a part of its query. */
async function expectDiscretion(harness: VideoSourceHarness, link: string): Promise<void> {
	const query = link.slice(link.indexOf("?") + 1);
	const values = query.split("&").map((pair) => pair.slice(pair.indexOf("=") + 1));
	const secrets = values
		.flatMap((value) => [value, decodeURIComponent(value)])
		.filter(({ length }) => length > 4);
	assert(link.includes("?") && secrets.length > 0, "the harness's links have a query with a secret");
	const result = await open(harness, link);
	const said = result._tag === "Unavailable" ? JSON.stringify(result) : await wordsOf(readToEnd(result));
	for (const secret of [query, ...secrets])
		assert(!said.includes(secret), "no message holds a part of a link's query");
}

async function wordsOf(reading: ReturnType<typeof readToEnd>): Promise<string> {
	const { fault } = await reading;
	assert(isSourceFault(fault), "a body that ends early throws a SourceFault");
	return `${fault.message} ${fault.stack} ${JSON.stringify(fault)} ${String(fault.cause ?? "")}`;
}
