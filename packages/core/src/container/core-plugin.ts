// The core as a plugin among others: it provides `receive` and `health`, and feeds the live emitter.

import { decodeEvent } from "../events.js";
import { followLog, lastPosition } from "../follow.js";
import type { LiveEmitter } from "../live-events.js";
import { describeError, observe } from "../observe.js";
import type { ReceiveOutcome } from "../ports/ingress.js";
import type { Notices } from "../ports/notices.js";
import type { Get, Plugin } from "../ports/plugin.js";
import { comparePositions } from "../ports/position.js";
import type { Clock, Problem } from "../ports/runtime.js";
import { storeFault } from "../ports/store-fault.js";
import {
	ADMISSION,
	CLOCK,
	EVENT_STORE,
	HEALTH,
	IDS,
	KEYRING,
	LOGGER,
	NOTICES,
	RECEIVE,
	TELEMETRY,
} from "../ports/tokens.js";
import { createQuarantineLedger, type QuarantineLedger, type QuarantineQuota } from "../quarantine-ledger.js";
import { QUARANTINE_TYPES } from "../quarantined-callbacks.js";
import { createReceive, type ReceiveOptions, resolveReceiveOptions } from "../receive.js";

const CORE_PLUGIN = "reelkeep";

const STOPPED = {
	_tag: "Unavailable",
	reason: "fault",
	message: "this Reelkeep was stopped: nothing can be received any more",
} as const satisfies ReceiveOutcome;

export function corePlugin(options: {
	readonly receive: ReceiveOptions;
	readonly quarantineQuota: Partial<QuarantineQuota>;
	readonly emitter: () => LiveEmitter;
	readonly notices: () => Notices;
	readonly check: () => Promise<readonly Problem[]>;
}): Plugin {
	resolveReceiveOptions(options.receive); // throws now, not when the first report comes
	const stopping = new AbortController();
	const ledger = createQuarantineLedger(options.quarantineQuota);
	let isStarted = false;
	let isStopped = false;
	/** Before the start nobody counts what is in quarantine: waiting for that would end in a timeout. */
	const quarantine: QuarantineLedger = {
		...ledger,
		async reserve(...place) {
			if (isStarted) return ledger.reserve(...place);
			throw storeFault("closed", "callbacks that cannot be decoded are kept once Reelkeep is started");
		},
	};
	let clock: Clock | undefined;
	let tail: Promise<unknown> = Promise.resolve();
	let tailFailure: string | undefined;
	return {
		name: CORE_PLUGIN,
		provides: [RECEIVE, HEALTH, NOTICES],
		needs: [EVENT_STORE, KEYRING, ADMISSION, CLOCK, IDS, LOGGER, TELEMETRY],
		register(registry) {
			registry.provide(RECEIVE, (get) => {
				const receive = createReceive(
					{
						store: get(EVENT_STORE),
						keyring: get(KEYRING),
						admission: get(ADMISSION),
						clock: get(CLOCK),
						ids: get(IDS),
						logger: get(LOGGER),
						telemetry: get(TELEMETRY),
						quarantine,
					},
					options.receive,
				);
				// A store in memory would go on recording for nobody. Ingresses need this port, so they have been drained by then.
				return (report) => (isStopped ? Promise.resolve(STOPPED) : receive(report));
			});
			registry.provide(NOTICES, options.notices);
			registry.provide(HEALTH, () => ({ check: options.check }));
		},
		async start(get) {
			clock = get(CLOCK);
			const after = await lastPosition(get(EVENT_STORE));
			isStarted = true;
			const counting = countHistory(get, ledger, after, stopping.signal);
			const feeding = feed(get, options.emitter(), ledger, after, stopping.signal).catch((error: unknown) => {
				tailFailure = `the live events stopped: ${describeError(error)}`;
				observe(() => get(LOGGER).error({ error: describeError(error) }, "live events stopped"));
			});
			tail = Promise.all([counting, feeding]);
		},
		async stop() {
			isStopped = true;
			stopping.abort();
			await tail;
		},
		async check() {
			if (isStopped) return [{ source: CORE_PLUGIN, message: STOPPED.message }];
			const stopped = tailFailure === undefined ? [] : [{ source: CORE_PLUGIN, message: tailFailure }];
			return [...stopped, ...ledger.problems(clock?.now() ?? 0)];
		},
	};
}

async function feed(
	get: Get,
	emitter: LiveEmitter,
	ledger: QuarantineLedger,
	after: Awaited<ReturnType<typeof lastPosition>>,
	signal: AbortSignal,
): Promise<void> {
	const deps = { store: get(EVENT_STORE), clock: get(CLOCK), logger: get(LOGGER) };
	// What nobody listens for is not even decoded: that is a fifth of a callback's cost (docs/performance.md).
	const types = (): readonly string[] => [...QUARANTINE_TYPES, ...emitter.heard()];
	for await (const followed of followLog(deps, { after, signal, types })) {
		if (followed._tag !== "Event") continue;
		ledger.count(followed.event);
		const event = decodeEvent(followed.event);
		if (event !== undefined) emitter.emit(event);
	}
}

/** What came into quarantine up to `last`, counted beside the start: only a callback that cannot be decoded waits for it. */
async function countHistory(
	get: Get,
	ledger: QuarantineLedger,
	last: Awaited<ReturnType<typeof lastPosition>>,
	signal: AbortSignal,
): Promise<void> {
	try {
		let isWhole = last === undefined;
		const deps = { store: get(EVENT_STORE), clock: get(CLOCK), logger: get(LOGGER) };
		const types = (): readonly string[] => QUARANTINE_TYPES;
		for await (const followed of isWhole ? [] : followLog(deps, { signal, types })) {
			isWhole =
				followed._tag === "CaughtUp" ||
				(last !== undefined && comparePositions(followed.event.position, last) > 0);
			if (isWhole) break;
			if (followed._tag === "Event") ledger.count(followed.event);
		}
		ledger.opened(isWhole ? undefined : storeFault("closed", "the log was closed while it was counted"));
	} catch (error) {
		observe(() => get(LOGGER).error({ error: describeError(error) }, "the quarantine cannot be counted"));
		ledger.opened(error instanceof Error ? error : new Error("the log cannot be read"));
	}
}
