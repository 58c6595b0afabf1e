// The one way in. Every ingress hands its authentic reports to `receive`; what it returns is durable, or says so.

import { utf8ToBytes } from "@noble/hashes/utils.js";
import { isLeft } from "fp-ts/lib/Either.js";
import { DEFAULT_CAP_MS, MAX_DAYS_AHEAD } from "./deadline.js";
import type { DecodeError } from "./decode-error.js";
import { execute, toNewEvent } from "./execute.js";
import { describeError, observe } from "./observe.js";
import type { Admission } from "./ports/admission.js";
import type { EventStore, StreamName } from "./ports/event-store.js";
import type { DecodeIssue, Receive, ReceiveOutcome, Report } from "./ports/ingress.js";
import type { Keyring } from "./ports/keyring.js";
import type { Clock, Ids, Logger, Telemetry } from "./ports/runtime.js";
import { isStoreFault } from "./ports/store-fault.js";
import { quarantined } from "./quarantine.js";
import type { QuarantineLedger } from "./quarantine-ledger.js";
import { createRateLimiter, type RateLimit, type TakeTurn } from "./rate-limit.js";
import { quarantineStream } from "./recording-id.js";
import { decodeRequestParam, reportOutcome, toReport } from "./report-recording.js";
import type { ScreenRecordCallback } from "./screen-record-callback.js";
import { createTimeLimit, MAX_TIMER_MS } from "./time-limit.js";

/** Reports in flight hold memory; past this a sender is asked to retry at once. */
const DEFAULT_MAX_IN_FLIGHT = 1024;
/** Senders wait 15 s and more before they give up; an answer in time lets them retry on their own terms. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** No deadline lies further ahead, whoever states it. */
const MAX_CAP_MS = MAX_DAYS_AHEAD * 24 * 3_600_000;

const LATE = unavailable("timeout", "the event store did not answer in time");

export interface ReceiveOptions {
	/** A whole number of at least 1. Default 1024. */
	readonly maxInFlight?: number;
	/**
	 * How long a report may take before it is answered `Unavailable`; its append is completed all the same. Whole, at most what a
	 * timer can wait for, almost 25 days. Default 10 seconds.
	 */
	readonly timeoutMs?: number;
	/** The deadline of a link that states no plausible expiry, after receipt: whole, at most 400 days. Default 7 days. */
	readonly deadlineCapMs?: number;
	/** How often each app may report. Default: as often as it likes. */
	readonly rateLimit?: RateLimit;
}

export interface ReceiveDeps {
	readonly store: EventStore;
	readonly keyring: Keyring;
	readonly admission: Admission;
	readonly clock: Clock;
	readonly ids: Ids;
	readonly logger: Logger;
	readonly telemetry: Telemetry;
	/** Keeps quarantine within its quota. Left out: there is none. */
	readonly quarantine?: QuarantineLedger;
}

/**
 * Makes `receive`: decode, admit, decide, append. Never rejects. Throws a `RangeError` for options that make no sense.
 * *Promise*: an outcome other than `Unavailable`, `RateLimited` and `Refused` leaves only after what it says is durable.
 */
export function createReceive(deps: ReceiveDeps, options: ReceiveOptions = {}): Receive {
	const { maxInFlight, timeoutMs, takeTurn } = resolveReceiveOptions(options);
	const withinLimit = createTimeLimit(deps.clock, timeoutMs);
	let inFlight = 0;
	return async (report) => {
		if (inFlight >= maxInFlight) return counted(unavailable("overloaded", "too many reports in flight"));
		const retryAfterMs = takeTurn(report.appKey, deps.clock.now());
		if (retryAfterMs > 0) return counted(rateLimited(retryAfterMs));
		inFlight += 1;
		return counted(await withinLimit(receiveSafely(report), LATE));
	};

	async function receiveSafely(report: Report): Promise<ReceiveOutcome> {
		try {
			return await receiveOne(deps, options, report);
		} catch (error) {
			return toUnavailable(deps.logger, report, error);
		} finally {
			inFlight -= 1;
		}
	}

	function counted(outcome: ReceiveOutcome): ReceiveOutcome {
		observe(() => deps.telemetry.count("reelkeep.receive", { outcome: outcome._tag }));
		return outcome;
	}
}

/** Defaults and checks. Throws a `RangeError` for options that make no sense. */
export function resolveReceiveOptions({
	maxInFlight = DEFAULT_MAX_IN_FLIGHT,
	timeoutMs = DEFAULT_TIMEOUT_MS,
	deadlineCapMs = DEFAULT_CAP_MS,
	rateLimit,
}: ReceiveOptions): {
	readonly maxInFlight: number;
	readonly timeoutMs: number;
	readonly takeTurn: TakeTurn;
} {
	checkWhole("maxInFlight", maxInFlight, Number.MAX_SAFE_INTEGER);
	checkWhole("timeoutMs", timeoutMs, MAX_TIMER_MS);
	// An event with another number for its deadline could be stored, and never read again.
	checkWhole("deadlineCapMs", deadlineCapMs, MAX_CAP_MS);
	return {
		maxInFlight,
		timeoutMs,
		takeTurn: rateLimit === undefined ? () => 0 : createRateLimiter(rateLimit),
	};
}

function checkWhole(option: string, value: number, most: number): void {
	if (Number.isInteger(value) && value >= 1 && value <= most) return;
	throw new RangeError(`${option} must be a whole number from 1 to ${most}`);
}

async function receiveOne(
	deps: ReceiveDeps,
	options: ReceiveOptions,
	report: Report,
): Promise<ReceiveOutcome> {
	const callback = decodeRequestParam(report.requestParam);
	if (isLeft(callback)) return quarantine(deps, options, report, callback.left);
	const { projectId } = callback.right;
	const admission = await deps.admission.admit({ appKey: report.appKey, projectId });
	if (admission._tag === "NotAdmitted") return { _tag: "Refused", message: admission.message };
	return reportRecording(deps, options, report, callback.right);
}

async function reportRecording(
	deps: ReceiveDeps,
	options: ReceiveOptions,
	report: Report,
	callback: ScreenRecordCallback,
): Promise<ReceiveOutcome> {
	const receivedAt = deps.clock.now();
	const { stream, command } = await toReport(deps.keyring, callback, { receivedAt, ...capOf(options) });
	const { metadata } = report;
	const { outcome } = await execute(deps, stream, command, { metadata, assumeUnreported: true });
	return { _tag: reportOutcome(outcome), stream };
}

async function quarantine(
	deps: ReceiveDeps,
	options: ReceiveOptions,
	report: Report,
	{ issues }: DecodeError,
): Promise<ReceiveOutcome> {
	const { appKey, requestParam } = report;
	const body = typeof requestParam === "string" ? utf8ToBytes(requestParam) : requestParam;
	const stream = quarantineStream(appKey, body);
	const kept: ReceiveOutcome = { _tag: "Quarantined", stream, issues };
	const place = await deps.quarantine?.reserve(appKey, body.length, stream);
	if (deps.quarantine !== undefined && place === undefined) {
		if (await hasStream(deps.store, stream)) return kept;
		deps.quarantine.refused(appKey, deps.clock.now());
		observe(() =>
			deps.logger.error({ appKey }, "quarantine is full; a callback that cannot be decoded is not kept"),
		);
		return unavailable("overloaded", "the app's quota of the quarantine is used up");
	}
	let isNew = false;
	try {
		isNew = await keepRaw(deps, options, report, { stream, body, issues });
	} finally {
		if (!isNew) place?.release();
	}
	if (isNew) observe(() => deps.logger.warn({ stream, issues }, "callback quarantined"));
	return kept;
}

/** Whether it was not there before. */
async function keepRaw(
	deps: ReceiveDeps,
	options: ReceiveOptions,
	{ appKey, metadata }: Report,
	{ stream, body, issues }: RawCallback,
): Promise<boolean> {
	const receivedAt = deps.clock.now();
	const data = await quarantined(deps.keyring, stream, {
		appKey,
		body,
		issues,
		receivedAt,
		...capOf(options),
	});
	const event = toNewEvent({ type: "CallbackQuarantined", data }, deps.ids, metadata);
	const result = await deps.store.append(stream, [event], "no-stream");
	return result._tag === "Appended";
}

interface RawCallback {
	readonly stream: StreamName;
	readonly body: Uint8Array;
	readonly issues: readonly DecodeIssue[];
}

async function hasStream(store: EventStore, stream: StreamName): Promise<boolean> {
	for await (const _ of store.read(stream, { limit: 1 })) return true;
	return false;
}

function toUnavailable(logger: Logger, report: Report, error: unknown): ReceiveOutcome {
	const { requestId } = report.metadata;
	observe(() => logger.error({ requestId, error: describeError(error) }, "report could not be stored"));
	const reason = isStoreFault(error) ? error.reason : undefined;
	const hint = reason === "closed" ? "; is Reelkeep started, and not stopped?" : "";
	return unavailable(reason === "overloaded" ? reason : "fault", `the report could not be stored${hint}`);
}

function unavailable(reason: "overloaded" | "timeout" | "fault", message: string): ReceiveOutcome {
	return { _tag: "Unavailable", reason, message };
}

function rateLimited(retryAfterMs: number): ReceiveOutcome {
	return { _tag: "RateLimited", message: "the app reports more often than it may", retryAfterMs };
}

function capOf({ deadlineCapMs }: ReceiveOptions): { readonly deadlineCapMs?: number } {
	return deadlineCapMs === undefined ? {} : { deadlineCapMs };
}
