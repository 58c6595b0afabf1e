// One recording of a scenario: its object and its faults, its report, and what is waited for until it is judged.

import type { StreamName } from "@reelkeep/core/ports";
import type { ObjectFault, ObjectStore } from "@reelkeep/testing";
import { REDIRECT_TO_ITSELF } from "./fault-kinds.js";
import type { Lives } from "./fault-lives.js";
import { allowedEnds, type End, endOf, judge } from "./fault-oracle.js";
import type { RecordingPlan } from "./fault-plan.js";
import { readKept } from "./fault-stores.js";
import type { RecordingScene } from "./recording-scene.js";

export const HOUR_MS = 3_600_000;
/** A recording that is reported late waits so often at most for an archiver that does something. */
const MOST_LOOKS = 10;

export interface RecordingEntry {
	readonly ends: End[];
	/** Reports it before there is an archiver, unless it is to be reported late. */
	prepare(): Promise<void>;
	/** Reports what is late; whether what must come of it without time's help has come. */
	hasMetItsFate(): Promise<boolean>;
	mark(): void;
	/** Whether it rests, or waits for no more than time since the mark, as all but these do. */
	isTriedAgainOr(...resting: readonly string[]): Promise<boolean>;
	mend(): Promise<void>;
	isMended(): Promise<boolean>;
	/** What its origin was asked at last. */
	describe(): string;
	judge(graceMs: number): Promise<readonly string[]>;
}

/** Puts the recording of `plan` on; it is reported later. */
export function createEntry(
	plan: RecordingPlan,
	{
		scene,
		origin,
		lives,
	}: { readonly scene: RecordingScene; readonly origin: ObjectStore; readonly lives: Lives },
): RecordingEntry {
	const { name, fate } = plan;
	const ends: End[] = [];
	let stream: StreamName | undefined;
	let marked = 0;
	let looks = 0;
	let isMended = false;
	let isRenewed = false;

	const presign = (livesMs: number): string => origin.presign(name, scene.clock.now() + livesMs);
	const history = async () => (stream === undefined ? [] : scene.history(stream));
	const end = async (): Promise<End> => endOf(await history());
	const report = async (livesMs: number): Promise<void> => {
		const expireTime = scene.clock.now() + HOUR_MS;
		stream = await scene.report(presign(livesMs), { expireTime, trackInfo: name });
	};
	const point = (fault: ObjectFault): ObjectFault =>
		fault._tag === "Redirect" && fault.location === REDIRECT_TO_ITSELF
			? { ...fault, location: presign(48 * HOUR_MS) }
			: fault;
	const tries = (): number => origin.requests(name);
	const begin = async (): Promise<void> => {
		const [first = new Uint8Array()] = plan.versions;
		origin.put(name, first, plan.habits);
		origin.fault(name, ...plan.faults.map(point));
		origin.faultRanges(name, ...plan.rangeFaults.map(point));
		if (fate._tag !== "Well") origin.faultForever(name, fate.fault && point(fate.fault));
		const isDead = fate._tag === "Expired" && fate.fault === undefined;
		await report(isDead ? -HOUR_MS : fate._tag === "Dying" ? HOUR_MS : 48 * HOUR_MS);
		if (stream === undefined) return;
		const isBroken = fate._tag === "Ours" && fate.fault === undefined;
		lives.storeFaults.set(stream, isBroken ? "always" : [...plan.storeFaults]);
	};

	return {
		ends,
		async prepare() {
			if (!plan.isReportedLate) await begin();
		},
		async hasMetItsFate() {
			if (stream === undefined) {
				looks += 1;
				if (lives.happened() > 0 || looks > MOST_LOOKS) await begin();
				return false;
			}
			if (plan.isRenewed && !isRenewed && tries() > 0) {
				isRenewed = true;
				await report(47 * HOUR_MS);
			}
			if ((await end()) !== "pending") return true;
			const needsTime = fate._tag === "Lasting" || fate._tag === "Dying" || fate._tag === "Ours";
			return needsTime && tries() > plan.faults.length + 1;
		},
		mark() {
			marked = tries();
		},
		async isTriedAgainOr(...resting) {
			if ((await end()) !== "pending") return true;
			return !resting.includes(fate._tag) && tries() > marked + 1;
		},
		async mend() {
			ends.push(await end());
			if (!plan.isMended || stream === undefined) return;
			origin.faultForever(name, undefined);
			lives.storeFaults.delete(stream);
			isMended = true;
			// What was ours needs no new link; all others have none that lives.
			if (ends[0] !== "pending") await report(46 * HOUR_MS);
		},
		async isMended() {
			return !isMended || (await end()) === "archived";
		},
		describe() {
			const last = origin.asked(name).slice(-5);
			const asked = last.map(({ range = "all", status, bodyBytes }) => `${range} ${status} ${bodyBytes}`);
			return `${name}: asked ${tries()} times, at last ${asked.join("; ")}`;
		},
		async judge(graceMs) {
			if (stream === undefined) return [`${name}: it was not reported`];
			const [before = await end()] = ends;
			const wrong = allowedEnds(plan).includes(before)
				? []
				: [`${name}: it was ${before} before it was mended`];
			if (isMended) ends.push(await end());
			const videoStore = lives.videoStore();
			const kept = await readKept(videoStore, stream);
			const outcome = {
				history: await history(),
				hasPartial: (await videoStore.findPartial(stream)) !== undefined,
				...(kept === undefined ? {} : { kept }),
			};
			const expected = isMended ? (["archived"] as const) : allowedEnds(plan);
			return [...wrong, ...(await judge(plan, outcome, { ends: expected, graceMs }))];
		},
	};
}
