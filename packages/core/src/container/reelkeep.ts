// The composition: plugins in, one Reelkeep out. A child of the user's container, so that what the user registered
// there takes the place of a plugin's or of a default.

import "reflect-metadata/lite";
import { type DependencyContainer, container as globalContainer, type InjectionToken } from "tsyringe";
import type { ReelkeepEvent } from "../events.js";
import { noLeases } from "../hold-lease.js";
import { createLiveEmitter, type LiveEvents } from "../live-events.js";
import { createNoticeEmitter, type NoticeEvents } from "../notice-emitter.js";
import { errorName, observe } from "../observe.js";
import type { EventStore, StreamName } from "../ports/event-store.js";
import type { Receive } from "../ports/ingress.js";
import type { Get, Plugin, Token } from "../ports/plugin.js";
import type { Health, Logger, Problem } from "../ports/runtime.js";
import * as tokens from "../ports/tokens.js";
import {
	ADMISSION,
	CHECKPOINT_STORE,
	CLOCK,
	EVENT_STORE,
	HEALTH,
	IDS,
	KEYRING,
	LEASE_STORE,
	LINK_REFRESHER,
	LOGGER,
	RECEIVE,
	SNAPSHOT_STORE,
	TELEMETRY,
} from "../ports/tokens.js";
import {
	createProjection,
	type Projection,
	type ProjectionDefinition,
	type ProjectionOptions,
} from "../projection.js";
import type { QuarantineQuota } from "../quarantine-ledger.js";
import type { ReceiveOptions } from "../receive.js";
import { type RedriveOptions, type RedriveOutcome, redrive } from "../redrive.js";
import { openLink } from "../seal-link.js";
import {
	type SubscribeOptions,
	type Subscription,
	type SubscriptionHandler,
	subscribe,
} from "../subscribe.js";
import { describeNoPlugins } from "./check-plugins.js";
import { CompositionError, describeMissing, orderPlugins } from "./compose.js";
import { corePlugin } from "./core-plugin.js";
import {
	admitEveryApp,
	consoleLogger,
	noLinkRefresher,
	noTelemetry,
	randomIds,
	systemClock,
} from "./defaults.js";
import { createLifecycle } from "./lifecycle.js";
import { createReaders } from "./readers.js";
import { registerPlugin } from "./registration.js";
import { createChild, createResolve } from "./resolve.js";
import { sameKeysPlugins } from "./same-keys.js";

export interface ReelkeepOptions {
	readonly plugins: readonly Plugin[];
	/** Yours: what it has registered under our tokens is taken instead of a plugin's. Never changed by Reelkeep. */
	readonly container?: DependencyContainer;
	/** A pino logger, say. Default: what goes wrong, on standard error; `silentLogger` for nothing. */
	readonly logger?: Logger;
	readonly receive?: ReceiveOptions;
	/** How much of the quarantine each app may fill. Default: 10 000 callbacks and 256 MiB. */
	readonly quarantineQuota?: Partial<QuarantineQuota>;
}

export interface Reelkeep {
	/** Starts the plugins in the order of their needs. A partial start is rolled back. */
	start(): Promise<void>;
	/** Stops the subscriptions, then the projections, then the plugins in reverse order. Idempotent. */
	stop(): Promise<void>;
	/**
	 * Hands over an authentic report: for an ingress of your own. Never rejects. Before `start` the outcome is
	 * `Unavailable`, at once; only what can be decoded is stored by a store that needs no start, in memory say.
	 */
	readonly receive: Receive;
	/** What is recorded from the start on, by whichever process, in position order; not durable. */
	readonly events: LiveEvents;
	/** What goes on right now in this process and is no fact for the log: `archiveProgress`, `recordingAtRisk`. */
	readonly notices: NoticeEvents;
	/**
	 * Follows the log durably: from the beginning, at least once, each recording in order, across restarts. Where several
	 * processes subscribe under one name, one of them is handed the events, and another takes over when it ends.
	 * *Errors*: throws before `start` and after `stop`.
	 */
	subscribe(name: string, handler: SubscriptionHandler, options?: SubscribeOptions): Subscription;
	/**
	 * Keeps a read model up to date: folded from the log, each event once. With a `codec` it is saved, and goes on across
	 * restarts; without one it is folded anew at each start.
	 * *Errors*: throws before `start` and after `stop`, for a name that runs already, as `createProjection` for what makes no sense,
	 * and a `CompositionError` when there is a `codec` and nothing provides a `SnapshotStore`.
	 */
	project<State>(definition: ProjectionDefinition<State>, options?: ProjectionOptions): Projection<State>;
	/**
	 * Takes the callback in the quarantine's stream `stream` up again, once it can be decoded, as it came and once.
	 * `deadlineCapMs` is by default that of `receive`.
	 * *Errors*: rejects before `start` and after `stop`, with a `StoreFault`, and with a `KeyringFault` when its body cannot be opened.
	 */
	redrive(stream: StreamName, options?: RedriveOptions): Promise<RedriveOutcome>;
	/** The event log, to read. */
	readonly store: EventStore;
	readonly health: Health;
	/** The whole download link of an event that has one: a secret. Rejects with a `KeyringFault`. */
	revealLink(
		event: Extract<ReelkeepEvent, { readonly data: { readonly sealedUrl: string } }>,
	): Promise<string>;
	/** What is behind a token in this composition; or a class of yours, made with this composition's ports. */
	get<T>(what: Token<T> | InjectionToken<T>): T;
}

/**
 * Composes plugins into a Reelkeep; nothing runs before `start`. Two of them live side by side in one process.
 * *Errors*: throws a `CompositionError` that says in words what is missing, provided twice or no plugin.
 */
export function createReelkeep(options: ReelkeepOptions): Reelkeep {
	const problems = describeNoPlugins(options?.plugins);
	if (problems.length > 0) throw new CompositionError(problems);
	const child = createChild(options.container ?? globalContainer);
	const isUsers = (token: Token<unknown>): boolean => options.container?.isRegistered(token, true) ?? false;
	const get: Get = (token) => resolve(token);
	const emitter = lazy(() => createLiveEmitter(get(LOGGER)));
	const notices = lazy(() => createNoticeEmitter(get(LOGGER)));
	const check = async (): Promise<readonly Problem[]> => [
		...(await checkAll(composed)),
		...subscriptions.problems(),
		...projections.problems(),
	];
	const { receive = {}, quarantineQuota = {} } = options;
	const core = corePlugin({ receive, quarantineQuota, emitter, notices, check });
	const provided = options.plugins.flatMap(({ provides }) => provides);
	const composed = [core, ...sameKeysPlugins(provided), ...options.plugins];
	const known = [...knownTokens(composed)];
	const resolve = createResolve(
		child,
		known.filter((token) => !isUsers(token)),
	);

	for (const token of known) if (isUsers(token)) resolveOnce(child, token);
	registerDefaults(child, isUsers, options.logger ?? consoleLogger);
	const ordered = orderPlugins(
		composed.map((plugin) => ({ ...plugin, provides: plugin.provides.filter((token) => !isUsers(token)) })),
		(token) => child.isRegistered(token, options.container !== undefined),
	);
	for (const plugin of composed) registerPlugin(plugin, { child, isUsers }, get);
	const byName = new Map(composed.map((plugin) => [plugin.name, plugin]));
	const lifecycle = createLifecycle(
		ordered.flatMap(({ name }) => byName.get(name) ?? []),
		get,
		() => get(LOGGER),
	);
	const subscriptions = createReaders("subscription");
	const projections = createReaders("projection");
	let running = false;
	let stopped = false;
	let door: Receive | undefined;
	const requireRunning = (what: string, done: string): void => {
		if (stopped) throw new Error(`this Reelkeep was stopped: nothing can be ${done} any more`);
		if (!running) throw new Error(`${what} once Reelkeep runs: await reelkeep.start() first`);
	};

	return {
		async start() {
			await lifecycle.start();
			running = !stopped;
		},
		async stop() {
			stopped = true;
			running = false;
			// A handler under way may wait for a projection to catch up.
			await subscriptions.stop();
			await projections.stop();
			await lifecycle.stop();
		},
		async receive(report) {
			try {
				door ??= get(RECEIVE);
				return await door(report);
			} catch (error) {
				// What it is made of cannot be had: the keyring or the store has not been opened, say.
				const failure = errorName(error);
				observe(() => get(LOGGER).error({ failure }, "reports cannot be received"));
				return { _tag: "Unavailable", reason: "fault", message: "Reelkeep cannot receive; is it started?" };
			}
		},
		events: {
			on: (type, listener) => emitter().on(type, listener),
			once: (type, listener) => emitter().once(type, listener),
		},
		notices: {
			on: (type, listener) => notices().on(type, listener),
			once: (type, listener) => notices().once(type, listener),
		},
		subscribe(name, handler, subscribeOptions) {
			requireRunning("subscribe", "subscribed to");
			requireProvided(child, CHECKPOINT_STORE, "a subscription");
			const deps = { store: get(EVENT_STORE), clock: get(CLOCK), ids: get(IDS), logger: get(LOGGER) };
			const kept = { checkpoints: get(CHECKPOINT_STORE), leases: get(LEASE_STORE) };
			return subscriptions.add(name, () => subscribe({ ...deps, ...kept }, name, handler, subscribeOptions));
		},
		project(definition, projectionOptions) {
			requireRunning("project", "projected");
			const deps = { store: get(EVENT_STORE), clock: get(CLOCK), logger: get(LOGGER) };
			const { name, codec } = definition;
			if (codec !== undefined) requireProvided(child, SNAPSHOT_STORE, `projection ${name}`);
			const kept = codec === undefined ? {} : { snapshots: get(SNAPSHOT_STORE) };
			return projections.add(name, () =>
				createProjection({ ...deps, ...kept }, definition, projectionOptions),
			);
		},
		async redrive(stream, redriveOptions) {
			requireRunning("redrive", "redriven");
			const [store, keyring] = [get(EVENT_STORE), get(KEYRING)];
			const deps = { store, keyring, admission: get(ADMISSION), ids: get(IDS) };
			const { deadlineCapMs } = receive;
			const cap = deadlineCapMs === undefined ? {} : { deadlineCapMs };
			return redrive(deps, stream, { ...cap, ...redriveOptions });
		},
		get store() {
			return get(EVENT_STORE);
		},
		get health() {
			return get(HEALTH);
		},
		revealLink: (event) => openLink(get(KEYRING), event.stream, event.data),
		get: resolve,
	};
}

function registerDefaults(
	child: DependencyContainer,
	isUsers: (token: Token<unknown>) => boolean,
	logger: Logger,
): void {
	const provide = <T>(token: Token<T>, value: T): void => {
		if (!isUsers(token)) child.register<T>(token, { useValue: value });
	};
	provide(CLOCK, systemClock);
	provide(IDS, randomIds);
	provide(LOGGER, logger);
	provide(TELEMETRY, noTelemetry);
	provide(ADMISSION, admitEveryApp);
	provide(LINK_REFRESHER, noLinkRefresher);
	provide(LEASE_STORE, noLeases);
}

/**
 * A port is one thing in one Reelkeep. tsyringe would make a class that is registered as transient anew for each who
 * asks, and so a store for each reader; the first one made stays, in our child only.
 */
function resolveOnce(child: DependencyContainer, token: Token<unknown>): void {
	child.afterResolution(token, (_, made) => child.register(token, { useValue: made }), { frequency: "Once" });
}

/** For what only some compositions use, so that it is missed when it is used. */
function requireProvided(child: DependencyContainer, token: Token<unknown>, user: string): void {
	if (!child.isRegistered(token, true)) throw new CompositionError([describeMissing(token, [user])]);
}

function knownTokens(plugins: readonly Plugin[]): ReadonlySet<Token<unknown>> {
	return new Set([
		...Object.values(tokens),
		...plugins.flatMap(({ provides, needs }) => [...provides, ...needs]),
	]);
}

async function checkAll(plugins: readonly Plugin[]): Promise<readonly Problem[]> {
	const checks = plugins.map(async (plugin) => {
		try {
			return (await plugin.check?.()) ?? [];
		} catch (error) {
			return [
				{ source: plugin.name, message: `its check failed: ${error instanceof Error ? error.name : "?"}` },
			];
		}
	});
	return (await Promise.all(checks)).flat();
}

function lazy<Value>(make: () => Value): () => Value {
	let made: { readonly value: Value } | undefined;
	return () => {
		made ??= { value: make() };
		return made.value;
	};
}
