// Stores whose calls go wrong when a test says so. Until then they are what is behind them, contract and all.

import { whenAborted } from "@reelkeep/core";
import { systemClock } from "@reelkeep/core/container";
import {
	type CheckpointStore,
	type Clock,
	type EventStore,
	type Keyring,
	keyringFault,
	type LeaseStore,
	type SnapshotStore,
	storeFault,
	type VideoStore,
	type VideoUpload,
} from "@reelkeep/core/ports";
import { createFaults, type DueFault, type Faults } from "./faults.js";

/** A port that can be made to fail. */
export type FaultyPort = EventStore | CheckpointStore | SnapshotStore | LeaseStore | VideoStore | Keyring;

type CallsOf<Port> = {
	[Name in keyof Port]: Port[Name] extends (...given: never[]) => Promise<unknown> | AsyncIterable<unknown>
		? Name
		: never;
}[keyof Port] &
	string;

/** What faults can be planned for: the port's calls and readings; a video store's uploads are a part of it. */
export type FaultyMethod<Port> = CallsOf<Port> | (Port extends VideoStore ? CallsOf<VideoUpload> : never);

/** `Port`, and what goes wrong with it. */
export type Faulty<Port> = Port & { readonly faults: Faults<FaultyMethod<Port>> };

type Call = (given: readonly unknown[]) => unknown;

/** What each wrapper wraps. */
const behind = new WeakMap<object, unknown>();

/**
 * Wraps `port`; what is planned in `faults` happens to the calls that are made through the wrapper. Of what is wrapped
 * already, a second wrapper without the faults of the first; a store that was spread from a wrapper is one of its own, and what
 * it took from there still meets that one's faults.
 * *Units*: `clock` counts the milliseconds of delays; default: the system's.
 */
export function faulty<Port extends FaultyPort>(
	port: Port,
	{ clock = systemClock }: { readonly clock?: Pick<Clock, "sleep"> } = {},
): Faulty<Port> {
	const isKeyring = "seal" in port;
	const makeError = () =>
		isKeyring
			? keyringFault("unavailable", "the keyring fails because a test planned it")
			: storeFault("io", "the store fails because a test planned it");
	// A keyring opens one text, a video store a reading.
	const isReading = (method: string): boolean =>
		method === "read" || method === "readAll" || (method === "open" && !isKeyring);
	const canTear = (method: string): boolean => isReading(method) || method === "append" || method === "write";
	const { faults, next } = createFaults<FaultyMethod<Port>>({ makeError, canTear });
	const act = (method: string, call: Call, given: readonly unknown[]): unknown => {
		const due = next(method);
		if (due !== undefined && isReading(method)) return readWith(due, () => call(given) as Reading, clock);
		const answer = due === undefined ? call(given) : callWith(due, call, given, clock);
		return method === "begin" ? wrapUpload(answer as Promise<VideoUpload>) : answer;
	};
	const wrapUpload = async (upload: Promise<VideoUpload>) => wrapMembers(await upload, act);
	const target = unwrap(port);
	const wrapper = wrapMembers(target, act);
	// A store that was spread from another wrapper has faults of that one.
	Object.defineProperty(wrapper, "faults", { enumerable: true, value: faults });
	behind.set(wrapper, target);
	return wrapper as Faulty<Port>;
}

/** What is behind a wrapper; `port` itself when it is none. */
export function unwrap<Port extends FaultyPort>(port: Port): Port {
	return (behind.get(port) as Port | undefined) ?? port;
}

type Reading = AsyncIterable<unknown>;

async function callWith(
	due: DueFault,
	call: Call,
	given: readonly unknown[],
	clock: Pick<Clock, "sleep">,
): Promise<unknown> {
	const { fault, met } = due;
	const isBefore = "when" in fault && fault.when === "before";
	if (isBefore) await meet(due, clock);
	const passed = fault._tag === "Tear" ? given.map((each) => tear(each, fault.keep)) : given;
	const answer = await call(passed);
	if (passed.some((each, at) => each !== given[at])) met();
	if (fault._tag === "Duplicate") {
		met();
		await callAgain(call, given);
	}
	if (!isBefore) await meet(due, clock);
	return answer;
}

/** A second time; nobody hears what became of it. */
async function callAgain(call: Call, given: readonly unknown[]): Promise<void> {
	try {
		await call(given);
	} catch {}
}

async function* readWith(
	due: DueFault,
	read: () => Reading,
	clock: Pick<Clock, "sleep">,
): AsyncGenerator<unknown> {
	const { fault, met } = due;
	const isBefore = "when" in fault && fault.when === "before";
	if (isBefore) await meet(due, clock);
	let left = fault._tag === "Tear" ? fault.keep : Number.POSITIVE_INFINITY;
	for await (const item of read()) {
		if (left === 0) {
			met();
			break;
		}
		left -= 1;
		yield item;
		if (fault._tag === "Duplicate") {
			met();
			yield item;
		}
	}
	if (!isBefore) await meet(due, clock);
}

/** What comes before a call, or behind it. */
async function meet({ fault, met }: DueFault, clock: Pick<Clock, "sleep">): Promise<void> {
	if (fault._tag === "Delay") {
		met();
		const { until, released } = fault;
		await (typeof until === "number"
			? clock.sleep(until, released)
			: Promise.race([until, whenAborted(released)]));
	}
	if ((fault._tag === "Fail" || fault._tag === "Tear") && fault.error !== undefined) {
		met();
		throw fault.error;
	}
}

function tear(given: unknown, keep: number): unknown {
	const isWhole = Array.isArray(given) || given instanceof Uint8Array;
	return isWhole && given.length > keep ? given.slice(0, keep) : given;
}

/** The same members, each method by way of `act`; also of a class, whose methods stand in its prototype. */
function wrapMembers<Target extends object>(
	target: Target,
	act: (method: string, call: Call, given: readonly unknown[]) => unknown,
): Target {
	const wrapper = {};
	for (const name of memberNames(target)) {
		const get = (): unknown => {
			const member: unknown = Reflect.get(target, name);
			if (typeof member !== "function") return member;
			return (...given: unknown[]) => act(name, (passed) => Reflect.apply(member, target, passed), given);
		};
		Object.defineProperty(wrapper, name, { enumerable: true, configurable: true, get });
	}
	return wrapper as Target;
}

function memberNames(target: object): ReadonlySet<string> {
	const names = new Set<string>();
	for (
		let at: object | null = target;
		at !== null && at !== Object.prototype;
		at = Object.getPrototypeOf(at)
	) {
		for (const name of Object.getOwnPropertyNames(at)) names.add(name);
	}
	names.delete("constructor");
	return names;
}
