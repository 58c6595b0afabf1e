// Events as Reelkeep writes them: one that a real `receive` made, under other names.

import { createMemoryEventStore, createMemoryKeyring, createReceive } from "@reelkeep/core";
import { admitEveryApp, noTelemetry, randomIds, silentLogger, systemClock } from "@reelkeep/core/container";
import { sampleCallback } from "@reelkeep/testing";

/** A `RecordingReported` of some 900 bytes of JSON. */
export async function sampleEvent() {
	const store = createMemoryEventStore({ clock: systemClock });
	const receive = createReceive({
		store,
		keyring: createMemoryKeyring(),
		admission: admitEveryApp,
		clock: systemClock,
		ids: randomIds,
		logger: silentLogger,
		telemetry: noTelemetry,
	});
	const requestParam = JSON.stringify(sampleCallback());
	await receive({ requestParam, appKey: "12345678", metadata: { ingress: "http" } });
	for await (const { id, type, schemaVersion, data, metadata } of store.readAll())
		return { id, type, schemaVersion, data, metadata };
}

/** The name of the recording stream `index`: as long as a real one. */
export const streamOf = (index) => `recording-${index.toString(16).padStart(64, "0")}`;
