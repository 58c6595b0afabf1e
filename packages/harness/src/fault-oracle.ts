// What must come of a scenario, computed from its plan alone, and whether it did.

import { createHash } from "node:crypto";
import type { ReelkeepEvent, VideoReceipt } from "@reelkeep/core";
import { type ObjectFault, singleFaults } from "@reelkeep/testing";
import { createCRC64 } from "hash-wasm";
import { evidenceOf, isResumable } from "./fault-kinds.js";
import type { RecordingPlan } from "./fault-plan.js";

/** Where a recording comes to: a terminal fact with its cause, or none. */
export type End =
	| "archived"
	| "expired: refused"
	| "expired: deadline"
	| "abandoned: refused"
	| "abandoned: not-found"
	| "pending";

/** The ends that `plan` allows before anything is mended. More than one where luck decides whether a fault does harm. */
export function allowedEnds(plan: RecordingPlan): readonly End[] {
	const { fate } = plan;
	const orArchived = (end: End, isPossible = canBeKept(plan)): readonly End[] =>
		isPossible ? ["archived", end] : [end];
	switch (fate._tag) {
		case "Well":
			return ["archived"];
		case "Lasting":
			return orArchived("expired: deadline");
		case "Dying":
			return orArchived("expired: refused");
		case "Refused":
			return orArchived(`abandoned: ${fate.cause}`);
		case "Expired":
			// A link that is dead from the start is refused before any fault comes to pass.
			return orArchived("expired: refused", fate.fault !== undefined && canBeKept(plan));
		case "Ours":
			return orArchived("pending", fate.fault !== undefined && canBeKept(plan));
	}
}

/** Whether the answers before the last fault, and those with it, may hold enough bytes for a whole video. */
function canBeKept({ faults, versions, habits, fate }: RecordingPlan): boolean {
	const length = Math.min(...versions.map((version) => version.length));
	const supplied = faults.reduce((sum, fault) => sum + supplyOf(fault), 0);
	if (supplied >= length) return true;
	const lasting = fate._tag === "Well" ? undefined : fate.fault;
	if (lasting === undefined || lasting._tag === "Status") return false;
	if (lasting._tag === "Drop" || lasting._tag === "Stall") {
		return isResumable(habits) && lasting.afterBytes > 0;
	}
	// What such a fault does to the rest of a video may be nothing, once there is a rest.
	return isResumable(habits) && supplied > 0;
}

/** How many bytes of the object an answer with this fault may bring; infinite: all of them. */
function supplyOf(fault: ObjectFault): number {
	const supplies = singleFaults(fault).map((single) => {
		if (single._tag === "Status") return 0;
		if (single._tag === "Headers" && "content-encoding" in single.headers) return 0;
		return single._tag === "Drop" || single._tag === "Stall" ? single.afterBytes : Number.POSITIVE_INFINITY;
	});
	return Math.min(...supplies);
}

/** What became of a recording. */
export interface Outcome {
	readonly history: readonly ReelkeepEvent[];
	/** What is kept under its name; absent: nothing. */
	readonly kept?: Uint8Array;
	readonly hasPartial: boolean;
}

export function endOf(history: readonly ReelkeepEvent[]): End {
	let end: End = "pending";
	for (const event of history) {
		if (event.type === "RecordingArchived") end = "archived";
		if (event.type === "LinkExpired") end = `expired: ${event.data.cause}`;
		if (event.type === "ArchiveAbandoned") end = `abandoned: ${event.data.cause}` as End;
		if (event.type === "LinkRenewed" && end !== "archived") end = "pending";
	}
	return end;
}

/** What is wrong with an outcome, for people; empty: nothing. *Units*: `graceMs` as the archivers had it. */
export async function judge(
	plan: RecordingPlan,
	outcome: Outcome,
	expected: { readonly ends: readonly End[]; readonly graceMs: number },
): Promise<readonly string[]> {
	const { history, kept, hasPartial } = outcome;
	const end = endOf(history);
	const said = (message: string) => `${plan.name}: ${message}`;
	const wrong: string[] = [];
	if (!expected.ends.includes(end)) wrong.push(`it is ${end}, not ${expected.ends.join(" or ")}`);
	wrong.push(...judgeHistory(history, expected.graceMs));
	if (end !== "pending" && hasPartial) wrong.push("it rests, and a partial video is left");
	if (end !== "archived" && kept !== undefined) wrong.push("a video is kept of which nothing is said");
	const archived = history.find((event) => event.type === "RecordingArchived");
	if (archived?.type === "RecordingArchived") {
		const { receipt, adopted } = archived.data;
		wrong.push(...(await judgeReceipt(plan, receipt, { kept, adopted })));
	}
	return wrong.map(said);
}

/** One terminal fact, and after each that is reopened one more; a deadline only when it is over. */
function judgeHistory(history: readonly ReelkeepEvent[], graceMs: number): readonly string[] {
	const wrong: string[] = [];
	let resting: string | undefined;
	let deadline = 0;
	for (const event of history) {
		if (event.type === "RecordingReported" || event.type === "LinkRenewed") {
			deadline = Math.max(deadline, event.data.deadline.at);
			if (event.type === "LinkRenewed" && event.data.reopens) resting = undefined;
			continue;
		}
		if (resting !== undefined) wrong.push(`${event.type} comes after ${resting}`);
		if (event.type === "ArchiveAttemptFailed") continue;
		resting = event.type;
		const isEarly = event.type === "LinkExpired" && event.recordedAt < deadline + graceMs;
		if (isEarly && event.data.cause === "deadline") wrong.push("its deadline is said to be over too early");
	}
	return wrong;
}

async function judgeReceipt(
	plan: RecordingPlan,
	receipt: VideoReceipt,
	{ kept, adopted }: { readonly kept: Uint8Array | undefined; readonly adopted: boolean },
): Promise<readonly string[]> {
	if (kept === undefined) return ["it is said to be archived, and nothing is kept"];
	const version = plan.versions.find((each) => Buffer.compare(each, kept) === 0);
	if (version === undefined) return [`the ${kept.length} bytes that are kept are no version of the object`];
	const wrong: string[] = [];
	if (receipt.bytes !== kept.length) wrong.push(`its receipt says ${receipt.bytes} bytes`);
	if (receipt.sha256 !== hashOf("sha256", kept)) wrong.push("its receipt has another SHA-256");
	const { originChecksum, etag } = receipt;
	const md5 = hashOf("md5", kept);
	const right = [`md5:${md5}`, `crc64:${await crc64Of(kept)}`];
	if (originChecksum !== undefined && !right.includes(originChecksum)) {
		wrong.push(`its receipt has a wrong checksum, ${originChecksum}`);
	}
	if (originChecksum !== undefined && !couldBeChecked(plan))
		wrong.push("its receipt has a checksum of nobody's");
	if (originChecksum === undefined && !adopted && hadToBeChecked(plan))
		wrong.push("its receipt has no checksum");
	const tells = plan.habits.etag !== "other" && !hasHeaders(plan);
	if (etag !== undefined && tells && !etag.includes(md5.toUpperCase()))
		wrong.push("its receipt has another ETag");
	return wrong;
}

function couldBeChecked({ habits }: RecordingPlan): boolean {
	return habits.crc64 === true || habits.contentMd5 === true || habits.etag === "md5";
}

function hadToBeChecked(plan: RecordingPlan): boolean {
	const { habits } = plan;
	if (habits.crc64) return true;
	return habits.etag === "md5" && evidenceOf(habits) === "etag" && !hasHeaders(plan);
}

/** Whether some answers had other headers than the object's own. */
function hasHeaders({ faults, rangeFaults }: RecordingPlan): boolean {
	return [...faults, ...rangeFaults].flatMap(singleFaults).some(({ _tag }) => _tag === "Headers");
}

function hashOf(algorithm: "md5" | "sha256", bytes: Uint8Array): string {
	return createHash(algorithm).update(bytes).digest("hex");
}

async function crc64Of(bytes: Uint8Array): Promise<string> {
	const crc64 = await createCRC64();
	return BigInt(`0x${crc64.init().update(bytes).digest("hex")}`).toString();
}
