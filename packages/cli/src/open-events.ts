// The log that a command looks into: in a data directory, beside its owner too, or in PostgreSQL.

import { systemClock } from "@reelkeep/core/container";
import type { EventStore } from "@reelkeep/core/ports";
import { openFsEventReader } from "@reelkeep/storage-fs";
import { requireDirectory } from "./flags.js";
import { warningsOnly } from "./output.js";
import { checkPostgresUrl } from "./postgres-url.js";

export interface EventsPlaceFlags {
	readonly data?: string;
	readonly events?: string;
}

/** To be closed; it changes nothing. *Errors*: throws a `UsageError`; rejects with a `StoreFault` where there is no log. */
export async function openEvents(
	{ data, events }: EventsPlaceFlags,
	environment: NodeJS.ProcessEnv,
): Promise<EventStore> {
	if (events) return openPostgresEvents(events, "read", environment);
	return openFsEventReader({ directory: requireDirectory(data), logger: warningsOnly });
}

/** `url`: as `--events` takes it. To be closed. *Errors*: throws a `UsageError`; rejects with a `StoreFault`. */
export async function openPostgresEvents(
	url: string,
	access: "read" | "write",
	environment: NodeJS.ProcessEnv,
): Promise<EventStore> {
	checkPostgresUrl({ flag: "--events", variable: "REELKEEP_EVENTS", text: url }, environment);
	const { openPostgresStores } = await import("@reelkeep/storage-postgres");
	const connection = { connectionString: url, clock: systemClock, logger: warningsOnly };
	const { events, close } = await openPostgresStores({ ...connection, access });
	return { ...events, close };
}
