// A log with recordings in it, as `receive` writes them: what tests of readers and workers start from. Stores in memory.

import {
	createMemoryEventStore,
	createMemoryKeyring,
	createMemoryVideoStore,
	createReceive,
	type ReelkeepEvent,
	SCREEN_RECORDING_CALL_BACK,
} from "@reelkeep/core";
import type {
	EventStore,
	Ids,
	Keyring,
	Logger,
	Receive,
	StreamName,
	Telemetry,
	VideoStore,
} from "@reelkeep/core/ports";
import { createShiftingClock, readHistory, type ShiftingClock, untilRecorded } from "@reelkeep/testing";
import { transcribingLogger } from "./transcript.js";

export interface RecordingScene {
	readonly store: EventStore;
	readonly videoStore: VideoStore;
	readonly keyring: Keyring;
	readonly clock: ShiftingClock;
	readonly ids: Ids;
	/** Writes to the transcript, which is searched for leaks. */
	readonly logger: Logger;
	readonly telemetry: Telemetry;
	/** Reports a recording and returns its stream; the same object and `trackInfo` with another link renews it. */
	report(
		link: string,
		options?: { readonly expireTime?: number; readonly trackInfo?: string },
	): Promise<StreamName>;
	history(stream: StreamName): Promise<readonly ReelkeepEvent[]>;
	/** The stream's events once one of `type` is among them; throws when that takes too long. */
	until(stream: StreamName, type: ReelkeepEvent["type"]): Promise<readonly ReelkeepEvent[]>;
}

/** Makes the scene. `receive`: report to this one instead, and read elsewhere what came of it. */
export function createRecordingScene(options: { readonly receive?: Receive } = {}): RecordingScene {
	const clock = createShiftingClock();
	const store = createMemoryEventStore({ clock });
	const keyring = createMemoryKeyring();
	const ids: Ids = { next: () => crypto.randomUUID() };
	const logger = transcribingLogger();
	const telemetry: Telemetry = { count: () => undefined, record: () => undefined };
	const admission = { admit: async () => ({ _tag: "Admitted" as const }) };
	const receive =
		options.receive ?? createReceive({ store, keyring, admission, clock, ids, logger, telemetry });

	return {
		store,
		videoStore: createMemoryVideoStore(),
		keyring,
		clock,
		ids,
		logger,
		telemetry,
		history: (stream) => readHistory(store, stream),
		until: (stream, type) => untilRecorded(store, type, stream),
		async report(link, { expireTime = clock.now() + 3_600_000, trackInfo = "track-1" } = {}) {
			const requestParam = JSON.stringify({
				game_id: "game-1",
				track_info: trackInfo,
				account_domain: 3001,
				version: 1,
				account_id: "account-1",
				action: SCREEN_RECORDING_CALL_BACK,
				project_id: "project-1",
				download_url: link,
				expire_time: expireTime,
			});
			const metadata = { ingress: "test", requestId: "request-1", correlationId: "correlation-1" };
			const outcome = await receive({ requestParam, appKey: "23456789", metadata });
			if (!("stream" in outcome)) throw new Error(`the report was answered ${outcome._tag}`);
			return outcome.stream;
		},
	};
}
