// A bounded run of hostile requests against a receiver on this machine, and what came of them.

import { sendAlone, shareConnections } from "./hostile-connection.js";
import { SLOW_KINDS } from "./hostile-framing.js";
import type { HostileRequest } from "./hostile-kind.js";
import { createMaterial } from "./hostile-material.js";
import { createDraw } from "./hostile-random.js";
import { pickKind } from "./hostile-requests.js";

export interface HostileRunOptions {
	/** `http://127.0.0.1:port`. */
	readonly address: string;
	readonly seed: number;
	readonly requests: number;
	/** Sent of each slow kind, beside all others. Default 0. */
	readonly slow?: number;
	/** Told after every hundredth request. */
	readonly onProgress?: (sent: number) => void;
}

interface KindCount {
	sent: number;
	answered: number;
	/** Closed without an answer. */
	closed: number;
	/** How often each word was heard (`hostile-answers.ts`). */
	readonly words: Map<string, number>;
}

export interface HostileRun {
	readonly counts: ReadonlyMap<string, KindCount>;
	/** A line for each answer that is not allowed: the seed and the number make the same request again. */
	readonly failures: readonly string[];
}

const SHARED_CONNECTIONS = 4;
/** Connections at once, of those that serve one request. */
const ALONE = 48;
/** Signs are good for ten minutes. */
const SIGN_AGAIN_MS = 60_000;
const MAX_FAILURES = 20;

/** Sends all that is to be stored once, then request 0 to `requests - 1` of the seed. */
export async function runHostile(options: HostileRunOptions): Promise<HostileRun> {
	const { address, seed, requests, slow = 0, onProgress } = options;
	const port = Number(new URL(address).port);
	const ledger = createLedger(seed);
	const shared = shareConnections(port, SHARED_CONNECTIONS);
	const alone = new Set<Promise<void>>();
	let material = createMaterial(Date.now());
	let signedAt = performance.now();
	for (const kind of SLOW_KINDS) {
		for (let index = 0; index < slow; index++) {
			const request = kind.make(createDraw(seed, index), material);
			void ledger.follow(kind.name, index, request, sendAlone(port, request));
		}
	}
	for (const [index, { bytes, word }] of material.everything.entries()) {
		const allows = new RegExp(`^${word}$`);
		const request: HostileRequest = { pieces: [bytes], allows, connection: "kept" };
		void ledger.follow("each callback once", index, request, (await shared.send(request)).heard);
	}
	for (let index = 0; index < requests; index++) {
		if (performance.now() - signedAt > SIGN_AGAIN_MS) {
			material = createMaterial(Date.now());
			signedAt = performance.now();
		}
		const draw = createDraw(seed, index);
		const { name, make } = pickKind(draw);
		const request = make(draw, material);
		if (request.connection === "kept") {
			void ledger.follow(name, index, request, (await shared.send(request)).heard);
		} else {
			while (alone.size >= ALONE) await Promise.race(alone);
			const done = ledger.follow(name, index, request, sendAlone(port, request));
			alone.add(done);
			void done.then(() => alone.delete(done));
		}
		if (index % 100 === 99) onProgress?.(index + 1);
	}
	await ledger.settled();
	shared.close();
	return ledger;
}

interface Ledger extends HostileRun {
	/** Resolves when the request was judged. */
	follow(name: string, index: number, request: HostileRequest, heard: Promise<string>): Promise<void>;
	/** Resolves when all were. */
	settled(): Promise<unknown>;
}

function createLedger(seed: number): Ledger {
	const counts = new Map<string, KindCount>();
	const failures: string[] = [];
	const running = new Set<Promise<void>>();
	return {
		counts,
		failures,
		settled: () => Promise.all(running),
		follow(name, index, request, heard) {
			const judged = heard.then((said) => {
				running.delete(judged);
				// Whoever breaks off hears nothing, or half of it.
				const words = request.connection === "reset" ? "" : said;
				count(counts, name, words);
				if (isAllowed(request, words) || failures.length >= MAX_FAILURES) return;
				const text = Buffer.concat(request.pieces).toString("latin1", 0, 800);
				failures.push(
					`seed ${seed}, request ${index} (${name}): heard "${words}", allowed ${request.allows}: ${JSON.stringify(text)}`,
				);
			});
			running.add(judged);
			return judged;
		},
	};
}

function isAllowed({ allows }: HostileRequest, words: string): boolean {
	return allows.test(words) && !/malformed|hangs|cut/.test(words);
}

function count(counts: Map<string, KindCount>, name: string, words: string): void {
	const known = counts.get(name) ?? { sent: 0, answered: 0, closed: 0, words: new Map<string, number>() };
	counts.set(name, known);
	known.sent += 1;
	if (words === "") known.closed += 1;
	else known.answered += 1;
	for (const word of words.split(/[ +]/)) {
		if (word !== "") known.words.set(word, (known.words.get(word) ?? 0) + 1);
	}
}

/** A line for each kind. */
export function describeCounts(counts: HostileRun["counts"]): string {
	const rows = [...counts].map(([name, { sent, answered, closed, words }]) => {
		const heard = [...words].sort(([a], [b]) => (a < b ? -1 : 1)).map(([word, times]) => `${word}: ${times}`);
		return `${name.padEnd(28)} sent ${sent}, answered ${answered}, closed ${closed}; ${heard.join(", ")}`;
	});
	return rows.sort().join("\n");
}
