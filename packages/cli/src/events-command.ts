// `reelkeep events`: the event log as JSON lines, oldest first, beside a running server too.

import {
	EVENT_TYPES,
	isEventType,
	isPosition,
	type Keyring,
	openLink,
	type Position,
	type RecordedEvent,
} from "@reelkeep/core";
import { comparePositions } from "@reelkeep/core/ports";
import { UsageError } from "./flags.js";
import { openEvents } from "./open-events.js";
import { openKeyring } from "./open-keyring.js";
import { printLines } from "./output.js";

export interface EventsFlags {
	readonly data?: string;
	readonly events?: string;
	readonly after?: string;
	readonly stream?: string;
	readonly revealLinks: boolean;
	readonly keyFile?: string;
}

/** *Errors*: throws a `UsageError`; rejects with a `StoreFault` or a `KeyringFault`. */
export async function printEvents(flags: EventsFlags, environment: NodeJS.ProcessEnv): Promise<void> {
	const after = parsePosition(flags.after);
	const reader = await openEvents(flags, environment);
	const position = after === undefined ? {} : { after };
	try {
		const keyring = flags.revealLinks ? await openKeyring(flags) : undefined;
		const events =
			flags.stream === undefined ? reader.readAll(position) : behind(reader.read(flags.stream), after);
		await printLines(toLines(events, keyring));
	} finally {
		await reader.close();
	}
}

async function* toLines(
	events: AsyncIterable<RecordedEvent>,
	keyring: Keyring | undefined,
): AsyncGenerator<string> {
	for await (const { id, type, stream, version, position, recordedAt, ...rest } of events) {
		const { schemaVersion, metadata } = rest;
		// What others, or later schema versions, call `sealedUrl` may be anything.
		const isOurs = isEventType(type) && schemaVersion <= EVENT_TYPES[type].schemaVersion;
		const data = isOurs && keyring !== undefined ? await reveal(keyring, stream, rest.data) : rest.data;
		yield JSON.stringify({ id, type, schemaVersion, stream, version, position, recordedAt, data, metadata });
	}
}

/** A link is stored masked, beside its sealed whole: only `--reveal-links` puts the two together. */
async function reveal(
	keyring: Keyring,
	stream: string,
	data: RecordedEvent["data"],
): Promise<RecordedEvent["data"]> {
	if (typeof data.sealedUrl !== "string") return data;
	return { ...data, downloadUrl: await openLink(keyring, stream, { sealedUrl: data.sealedUrl }) };
}

async function* behind(
	events: AsyncIterable<RecordedEvent>,
	after: Position | undefined,
): AsyncGenerator<RecordedEvent> {
	for await (const event of events) {
		if (after === undefined || comparePositions(event.position, after) > 0) yield event;
	}
}

function parsePosition(text: string | undefined): Position | undefined {
	if (text === undefined || isPosition(text)) return text;
	throw new UsageError("--after takes a position as `reelkeep events` prints it: a whole number");
}
