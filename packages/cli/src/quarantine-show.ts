// `reelkeep quarantine show`: one quarantined callback; its body only when that is asked for.

import {
	type CallbackQuarantined,
	decodeEvent,
	decodeUtf8,
	describeIssues,
	type EventMetadata,
	type EventStore,
	foldQuarantine,
	openQuarantined,
	QUARANTINE_TYPES,
	type QuarantinedCallback,
} from "@reelkeep/core";
import { UsageError } from "./flags.js";
import { openEvents } from "./open-events.js";
import { openKeyring } from "./open-keyring.js";
import { printable, printLines } from "./output.js";
import { findQuarantined, toJson } from "./quarantine-words.js";

export interface QuarantineShowFlags {
	readonly data?: string;
	readonly events?: string;
	readonly keyFile?: string;
	readonly revealBody: boolean;
	readonly json: boolean;
}

/** *Errors*: throws a `UsageError`; rejects with a `StoreFault` or a `KeyringFault`. */
export async function showQuarantined(
	id: string,
	flags: QuarantineShowFlags,
	environment: NodeJS.ProcessEnv,
): Promise<void> {
	const reader = await openEvents(flags, environment);
	try {
		const callback = findQuarantined(
			(await foldQuarantine(reader.readAll({ types: QUARANTINE_TYPES }))).values(),
			id,
		);
		const { data, metadata } = await readQuarantined(reader, callback.stream);
		const body = flags.revealBody
			? await openQuarantined(await openKeyring(flags), callback.stream, data)
			: undefined;
		const shown = { callback, metadata, body };
		await printLines(flags.json ? [JSON.stringify(toObject(shown))] : toLines(shown));
	} finally {
		await reader.close();
	}
}

interface Shown {
	readonly callback: QuarantinedCallback;
	readonly metadata: EventMetadata;
	/** `undefined`: not asked for. */
	readonly body: Uint8Array | undefined;
}

async function readQuarantined(
	store: Pick<EventStore, "read">,
	stream: string,
): Promise<{ readonly data: CallbackQuarantined; readonly metadata: EventMetadata }> {
	for await (const recorded of store.read(stream)) {
		const event = decodeEvent(recorded);
		if (event?.type === "CallbackQuarantined") return event;
	}
	throw new UsageError(`${stream} holds no quarantined callback`);
}

/** A body that is no text is printed as base64. */
function toObject({ callback, metadata, body }: Shown): object {
	const text = body && decodeUtf8(body);
	return {
		...toJson(callback),
		metadata,
		...(text === undefined ? {} : { body: text }),
		...(body !== undefined && text === undefined ? { bodyBase64: Buffer.from(body).toString("base64") } : {}),
	};
}

function* toLines({ callback, metadata, body }: Shown): Generator<string> {
	const { stream, appKey, receivedAt, bytes, sha256, deadline, issues, redriven } = callback;
	const { ingress = "unknown", verification } = metadata;
	yield stream;
	yield `received   ${new Date(receivedAt).toISOString()} by ${printable(ingress)} from app ${printable(appKey)}`;
	yield `verified   ${verification === undefined ? "by nobody" : printable(describeProof(verification))}`;
	yield `its link   lives until ${new Date(deadline.at).toISOString()} at most (${deadline.source})`;
	yield `reasons    ${printable(describeIssues(issues))}`;
	yield redriven === undefined
		? "redriven   no"
		: `redriven   ${new Date(redriven.at).toISOString()}: ${redriven.outcome}, ${redriven.recording}`;
	yield `body       ${bytes} bytes, SHA-256 ${sha256}`;
	if (body === undefined) {
		yield "           sealed; --reveal-body prints it: it may hold a download link, which is a secret";
		return;
	}
	const text = decodeUtf8(body);
	if (text === undefined) yield `           base64 ${Buffer.from(body).toString("base64")}`;
	else yield* text.split("\n").map((line) => `           ${printable(line)}`);
}

function describeProof({ scheme, secretId }: NonNullable<EventMetadata["verification"]>): string {
	return secretId === undefined ? scheme : `${scheme}, secret ${secretId}`;
}
