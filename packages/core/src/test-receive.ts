// For the tests of `receive` only: what it is made of, and what it said and stored, which is searched for secrets afterwards.

import { afterEach, expect, vi } from "vitest";
import { systemClock } from "./container/defaults.js";
import { createMemoryEventStore } from "./memory/event-store.js";
import { createMemoryKeyring } from "./memory/keyring.js";
import type {
	Admission,
	EventStore,
	Keyring,
	Logger,
	ReceiveOutcome,
	RecordedEvent,
	Report,
	Telemetry,
} from "./ports/index.js";
import { createReceive, type ReceiveOptions } from "./receive.js";
import { transcribe } from "./test-transcript.js";

const NOW = 1_700_000_000_000;
const SIGNATURE = "0EULWMQnEjKQs8cHFlLttlZaFiI";
export const QUERY = `OSSAccessKeyId=LTAI5tSecret&Expires=1700003600&Signature=${SIGNATURE}%3D`;
export const LINK = `http://bucket.example.com/720p.mp4?${QUERY}`;
/** What may be said nowhere: the link's query, whole or in parts, and a user in it. */
const SECRETS = [SIGNATURE, "LTAI5tSecret", "Expires=1700003600", "hunter2"];

export const fields = {
	game_id: "cgdctwrqs",
	track_info: "9dacb134",
	account_domain: 0,
	download_url: LINK,
	version: 1,
	account_id: "NUAzXzcy",
	expire_time: NOW + 3_600_000,
	action: "SCREEN_RECORDING_CALL_BACK",
	project_id: "cg-avatar",
};

export interface Overrides {
	readonly store?: (store: EventStore) => Partial<EventStore>;
	readonly keyring?: Keyring;
	readonly admission?: Admission;
	readonly logger?: Partial<Logger>;
	readonly telemetry?: Telemetry;
	readonly options?: ReceiveOptions;
}

/** Everything that any receive of this test said or stored; searched when the test is over. */
let said: unknown[] = [];
afterEach(() => {
	vi.useRealTimers();
	const text = JSON.stringify(said);
	transcribe(said);
	for (const secret of SECRETS) expect(text).not.toContain(secret);
	said = [];
});

export function given(overrides: Overrides = {}) {
	const log: { readonly level: string; readonly details: object; readonly message: string }[] = [];
	const counted: string[] = [];
	const write = (level: string) => (details: object, message: string) => {
		log.push({ level, details, message });
		said.push(level, details, message);
	};
	const clock = { now: () => NOW, sleep: systemClock.sleep };
	const memory = createMemoryEventStore({ clock });
	const keyring = overrides.keyring ?? createMemoryKeyring();
	let serial = 0;
	const receive = createReceive(
		{
			store: { ...memory, ...overrides.store?.(memory) },
			keyring,
			admission: overrides.admission ?? { admit: async () => ({ _tag: "Admitted" }) },
			clock,
			ids: { next: () => `event-${++serial}` },
			logger: {
				trace: write("trace"),
				debug: write("debug"),
				info: write("info"),
				warn: write("warn"),
				error: write("error"),
				...overrides.logger,
			},
			telemetry: overrides.telemetry ?? {
				count: (name, attributes) => {
					counted.push(`${name} ${attributes?.outcome}`);
					said.push(name, attributes);
				},
				record: () => undefined,
			},
		},
		overrides.options,
	);
	let request = 0;
	const send = async (
		body: object | string | Uint8Array,
		more: Partial<Report> = {},
	): Promise<ReceiveOutcome> => {
		request += 1;
		const requestParam = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
		const metadata = { ingress: "test", requestId: `request-${request}` };
		const outcome = await receive({ requestParam, appKey: "app", metadata, ...more });
		said.push(outcome);
		return outcome;
	};
	const events = async (): Promise<readonly RecordedEvent[]> => {
		const all: RecordedEvent[] = [];
		for await (const event of memory.readAll()) all.push(event);
		said.push(all);
		return all;
	};
	const types = async (): Promise<readonly string[]> => (await events()).map(({ type }) => type);
	return { send, events, types, memory, keyring, log, counted, receive };
}
