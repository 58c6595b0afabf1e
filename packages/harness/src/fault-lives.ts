// The archivers of a scenario, one after the other, over the same stores.

import type { EventStore, VideoSource, VideoStore } from "@reelkeep/core/ports";
import type { ObjectStore } from "@reelkeep/testing";
import type { FaultPlan } from "./fault-plan.js";
import { rememberOpened, type StoreFaults, spoilVideoStore, watchEventStore } from "./fault-stores.js";
import type { RecordingScene } from "./recording-scene.js";

/** For the archivers of scenarios: as the archiver's default, a thousand times faster. Milliseconds. */
export const QUICK_RETRY = { firstDelayMs: 2, minDelayMs: 1, maxDelayMs: 400, confirmationDelayMs: 2 };
/** The longest silence of an origin, for their source. */
export const QUICK_IDLE_TIMEOUT_MS = 40;

interface StartedArchiver {
	stop(): Promise<void>;
	check(): Promise<readonly { readonly message: string }[]>;
}

/** What a scenario is run with. */
export interface FaultSubject {
	/** Starts an archiver that tries again as `QUICK_RETRY` says, `concurrency` downloads at a time. */
	startArchiver(
		deps: RecordingScene & { readonly source: VideoSource },
		options: { readonly concurrency: number },
	): StartedArchiver;
	/** Allowed to download from 127.0.0.1, and impatient; refuses videos of more than `MAX_VIDEO_BYTES`. */
	readonly source: VideoSource;
	/** How long behind a deadline its archivers still try. Milliseconds. */
	readonly graceMs: number;
	/** Opens the video store; once more for each archiver, as a later process would. */
	openVideoStore(): Promise<{ readonly videoStore: VideoStore; close(): Promise<void> }>;
	/** What takes longer to come does not come. Milliseconds; default 30 000. */
	readonly patienceMs?: number;
	/** Puts something flawed between the archiver and what it works with. */
	readonly flaw?: (parts: FlawedParts) => FlawedParts;
}

export interface FlawedParts {
	readonly source: VideoSource;
	readonly videoStore: VideoStore;
	readonly store: EventStore;
}

export interface Lives {
	start(): Promise<void>;
	stop(): Promise<void>;
	close(): Promise<void>;
	restartIfDue(): Promise<void>;
	/** What the archiver says is wrong. */
	problems(): Promise<readonly string[]>;
	/** Grows with whatever the archiver does that can be seen. */
	happened(): number;
	/** As it is, without any fault or flaw. */
	videoStore(): VideoStore;
	readonly storeFaults: StoreFaults;
}

/** Makes them; none runs yet. `violated` hears what must not be, while it is. */
export function createLives(
	plan: FaultPlan,
	subject: FaultSubject,
	{
		scene,
		origin,
		violated,
	}: { readonly scene: RecordingScene; readonly origin: ObjectStore; violated(message: string): void },
): Lives {
	const restarts = [...plan.restartsAfterRequests].sort((left, right) => left - right);
	const storeFaults: StoreFaults = new Map();
	let opened: Awaited<ReturnType<FaultSubject["openVideoStore"]>> | undefined;
	let archiver: StartedArchiver | undefined;
	let appends = 0;
	const videoStore = (): VideoStore => {
		if (opened === undefined) throw new Error("the video store is not open");
		return opened.videoStore;
	};
	const appended = (): void => {
		appends += 1;
	};
	const store = watchEventStore(scene.store, plan, { videoStore, violated, appended });
	const keyring = rememberOpened(scene.keyring);
	const lives: Lives = {
		async start() {
			opened = await subject.openVideoStore();
			const parts = { source: subject.source, store, videoStore: spoilVideoStore(videoStore(), storeFaults) };
			const deps = { ...scene, keyring, ...(subject.flaw?.(parts) ?? parts) };
			archiver = subject.startArchiver(deps, { concurrency: plan.concurrency });
		},
		async stop() {
			await archiver?.stop();
			archiver = undefined;
		},
		async close() {
			await opened?.close();
		},
		async restartIfDue() {
			if (origin.requests() < (restarts[0] ?? Number.POSITIVE_INFINITY)) return;
			restarts.shift();
			await lives.stop();
			await lives.close();
			await lives.start();
		},
		problems: async () =>
			((await archiver?.check()) ?? []).map(({ message }) => `the archiver says: ${message}`),
		happened: () => origin.requests() + appends,
		videoStore,
		storeFaults,
	};
	return lives;
}
