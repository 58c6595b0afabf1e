// For the tests of redriving only: a log with a quarantine, and a codec that takes what today's refuses.

import { systemClock } from "./container/defaults.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemoryKeyring } from "./memory/keyring.js";
import { silentLogger } from "./observe.js";
import type { Admission, RecordedEvent, StreamName } from "./ports/index.js";
import { createReceive } from "./receive.js";
import { recordingStream } from "./recording-id.js";
import { type RedriveDeps, type RedriveOptions, redrive } from "./redrive.js";
import type { DecodeCallback } from "./report-recording.js";
import { decodeCallback } from "./screen-record-callback.js";
import { transcribe } from "./test-transcript.js";

export const RECEIVED_AT = 1_700_000_000_000;
const SECRET = "Signature=secret-4711";
export const link = (serial = 0): string =>
	`http://bucket.example.com/720p.mp4?Expires=1700003600&${SECRET}-${serial}`;
export const fields = {
	game_id: "game",
	track_info: "track",
	account_domain: 0,
	download_url: link(),
	version: 1,
	account_id: "account",
	expire_time: RECEIVED_AT + 7_200_000,
	action: "SCREEN_RECORDING_CALL_BACK",
	project_id: "project",
};
export const RECORDING = recordingStream({
	projectId: "project",
	trackInfo: "track",
	object: "bucket.example.com/720p.mp4",
});
export const METADATA = {
	ingress: "http",
	appKey: "app",
	requestId: "request",
	traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	verification: { scheme: "md5", secretId: "2026", clockSkewMs: 12, requestSha256: "ab".repeat(32) },
};

/** As if today's codec refused it, and the next one took it: the game's id has another name in these callbacks. */
export const renamed = (changes: object = {}): string => {
	const { game_id, ...rest } = { ...fields, ...changes };
	return JSON.stringify({ ...rest, gameId: game_id });
};
export const mended: DecodeCallback = (requestParam) =>
	decodeCallback(requestParam.replace('"gameId"', '"game_id"'));

export function given() {
	let now = RECEIVED_AT;
	let serial = 0;
	const clock = { now: () => now, sleep: systemClock.sleep };
	const store = createMemoryEventStore({ clock });
	const keyring = createMemoryKeyring();
	const admission: Admission = { admit: async () => ({ _tag: "Admitted" }) };
	const ids = { next: () => `event-${++serial}` };
	const deps = { store, keyring, admission, ids };
	const count = (): void => undefined;
	const receive = createReceive({
		...deps,
		clock,
		logger: silentLogger,
		telemetry: { count, record: count },
	});
	return {
		store,
		keyring,
		deps,
		/** With the codec that takes what today's refuses. */
		redriveMended: (stream: StreamName, more: Partial<RedriveDeps> = {}, options: RedriveOptions = {}) =>
			redrive({ ...deps, ...more }, stream, { decode: mended, ...options }),
		later: (ms: number) => {
			now += ms;
		},
		async send(requestParam: string | Uint8Array): Promise<StreamName> {
			const outcome = await receive({ requestParam, appKey: "app", metadata: METADATA });
			if (!("stream" in outcome)) throw new Error(`not kept: ${outcome._tag}`);
			return outcome.stream;
		},
		async events(): Promise<readonly RecordedEvent[]> {
			const all: RecordedEvent[] = [];
			for await (const event of store.readAll()) all.push(event);
			transcribe(all);
			return all;
		},
	};
}
