// Redrives a quarantined callback: once a codec is mended, what it refused before becomes part of its recording.

import { isLeft } from "fp-ts/lib/Either.js";
import type { CallbackQuarantined, CallbackRedriven, ReelkeepEvent } from "./events.js";
import { decodeEvent } from "./events.js";
import { execute, loadRecording, MAX_RACES, toNewEvent } from "./execute.js";
import type { Admission } from "./ports/admission.js";
import type {
	EventMetadata,
	EventStore,
	RecordedEvent,
	StreamName,
	StreamVersion,
} from "./ports/event-store.js";
import type { DecodeIssue } from "./ports/ingress.js";
import type { Keyring } from "./ports/keyring.js";
import type { Ids } from "./ports/runtime.js";
import { storeFault } from "./ports/store-fault.js";
import { openQuarantined } from "./quarantine.js";
import { decide } from "./recording.js";
import {
	type DecodeCallback,
	decodeRequestParam,
	type ReportedAs,
	reportOutcome,
	toReport,
} from "./report-recording.js";

export interface RedriveDeps {
	/** One that only reads will do for a dry run. */
	readonly store: EventStore;
	readonly keyring: Keyring;
	readonly admission: Admission;
	readonly ids: Ids;
}

export interface RedriveOptions {
	/** Decode and decide, but append nothing: the outcome is what would be. Default: no. */
	readonly dryRun?: boolean;
	/** As for `createReceive`; counted from when the callback was received. */
	readonly deadlineCapMs?: number;
	/** Default: today's codec. Another one rescues what that refuses. */
	readonly decode?: DecodeCallback;
}

/**
 * - `Redriven`: it is part of `recording`, and `CallbackRedriven` says so
 * - `AlreadyRedriven`: that was said before; nothing changed
 * - `StillUndecodable`, `NotAdmitted`: it stays in quarantine; nothing changed
 * - `NotQuarantined`: the stream holds no quarantined callback
 */
export type RedriveOutcome =
	| { readonly _tag: "Redriven"; readonly outcome: ReportedAs; readonly recording: StreamName }
	| { readonly _tag: "AlreadyRedriven"; readonly recording: StreamName }
	| { readonly _tag: "StillUndecodable"; readonly issues: readonly DecodeIssue[] }
	| { readonly _tag: "NotAdmitted"; readonly message: string }
	| { readonly _tag: "NotQuarantined" };

/**
 * Decodes the callback in the quarantine's stream `stream`, and decides and records it as `receive` would have when it came: who
 * sent it, how that was verified and when it was received are its own.
 * *Errors*: rejects with a `StoreFault`, or a `KeyringFault` when its body cannot be opened.
 * *Promise*: idempotent. Cut short between the report and `CallbackRedriven`, it can be run again: the report is known then.
 */
export async function redrive(
	deps: RedriveDeps,
	stream: StreamName,
	{ dryRun = false, deadlineCapMs, decode }: RedriveOptions = {},
): Promise<RedriveOutcome> {
	const { quarantined, redriven } = await loadQuarantined(deps.store, stream);
	if (quarantined === undefined) return { _tag: "NotQuarantined" };
	if (redriven !== undefined) return alreadyRedriven(redriven);
	const body = await openQuarantined(deps.keyring, stream, quarantined.data);
	const callback = decodeRequestParam(body, decode);
	if (isLeft(callback)) return { _tag: "StillUndecodable", issues: callback.left.issues };
	const { appKey } = quarantined.data;
	const admission = await deps.admission.admit({ appKey, projectId: callback.right.projectId });
	if (admission._tag === "NotAdmitted") return admission;
	const report = await toReport(deps.keyring, callback.right, {
		receivedAt: quarantined.recordedAt,
		...(deadlineCapMs === undefined ? {} : { deadlineCapMs }),
	});
	const recording = report.stream;
	if (dryRun) {
		const loaded = await loadRecording(deps.store, recording);
		const { outcome } = decide(report.command, loaded.recording);
		return { _tag: "Redriven", outcome: reportOutcome(outcome), recording };
	}
	const metadata = metadataOf(quarantined);
	const decision = await execute(deps, recording, report.command, { metadata });
	return settle(deps, quarantined, { outcome: reportOutcome(decision.outcome), recording });
}

type Quarantined = RecordedEvent<"CallbackQuarantined", CallbackQuarantined>;
type Redriven = RecordedEvent<"CallbackRedriven", CallbackRedriven>;

interface LoadedQuarantined {
	readonly quarantined?: Quarantined;
	readonly redriven?: Redriven;
	readonly version: StreamVersion;
}

/** Others may have events of their own there. */
async function loadQuarantined(store: EventStore, stream: StreamName): Promise<LoadedQuarantined> {
	let loaded: LoadedQuarantined = { version: 0 };
	for await (const event of store.read(stream)) {
		loaded = { ...loaded, ...told(decodeEvent(event)), version: event.version };
	}
	return loaded;
}

function told(event: ReelkeepEvent | undefined): Partial<LoadedQuarantined> {
	if (event?.type === "CallbackQuarantined") return { quarantined: event };
	return event?.type === "CallbackRedriven" ? { redriven: event } : {};
}

/** Says that the callback is in quarantine no more, once. */
async function settle(
	deps: RedriveDeps,
	quarantined: Quarantined,
	done: Pick<CallbackRedriven, "outcome" | "recording">,
): Promise<RedriveOutcome> {
	const { appKey, bytes } = quarantined.data;
	const event = toNewEvent(
		{ type: "CallbackRedriven", data: { appKey, bytes, ...done } },
		deps.ids,
		metadataOf(quarantined),
	);
	for (let race = 0; race < MAX_RACES; race += 1) {
		const { redriven, version } = await loadQuarantined(deps.store, quarantined.stream);
		if (redriven !== undefined) return alreadyRedriven(redriven);
		const result = await deps.store.append(quarantined.stream, [event], version);
		if (result._tag === "Appended") return { _tag: "Redriven", ...done };
	}
	throw storeFault("overloaded", `stream ${quarantined.stream} is written to by too many at once; try again`);
}

/** What was proved when it was received stays proved. */
function metadataOf({ id, metadata }: Quarantined): EventMetadata {
	return {
		...metadata,
		ingress: "redrive",
		correlationId: metadata.correlationId ?? id,
		causationId: id,
	};
}

function alreadyRedriven({ data }: Redriven): RedriveOutcome {
	return { _tag: "AlreadyRedriven", recording: data.recording };
}
