import "reflect-metadata/lite";
import { inject, injectable, Lifecycle, scoped, singleton } from "tsyringe";
import { describe, expect, test } from "vitest";
import { CLOCK, type Clock, EVENT_STORE, type EventStore } from "../ports/index.js";
import { CompositionError } from "./compose.js";
import { compose } from "./test-reelkeep.js";

class Reader {
	readonly store: EventStore;
	constructor(store: EventStore) {
		this.store = store;
	}
}
class SingleReader extends Reader {}
class ScopedReader extends Reader {}
class Pool {}
class Mailer {
	readonly pool: Pool;
	readonly clock: Clock;
	constructor(pool: Pool, clock: Clock) {
		this.pool = pool;
		this.clock = clock;
	}
}
// What decorators do; vitest does not compile those of parameters in this package.
inject(EVENT_STORE)(SingleReader, undefined, 0);
singleton()(SingleReader);
inject(EVENT_STORE)(ScopedReader, undefined, 0);
scoped(Lifecycle.ContainerScoped)(ScopedReader);
singleton()(Pool);
inject(Pool)(Mailer, undefined, 0);
inject(CLOCK)(Mailer, undefined, 1);
injectable()(Mailer);

describe("the user's classes", () => {
	test("that are singletons with a Reelkeep's ports in them are refused by another one, also after the first has stopped", async () => {
		const [one, two] = [compose(), compose()];
		const reader = one.get(SingleReader);
		expect(reader.store).toBe(one.store);
		expect(one.get(SingleReader)).toBe(reader);
		expect(() => two.get(SingleReader)).toThrow(CompositionError);
		await one.stop();
		expect(() => two.get(SingleReader)).toThrow(
			"SingleReader is a singleton, and was made with the ports of another Reelkeep",
		);
		expect(one.get(SingleReader)).toBe(reader);
	});

	test("that are scoped to the container are made once for each Reelkeep", () => {
		const [one, two] = [compose(), compose()];
		expect(one.get(ScopedReader)).toBe(one.get(ScopedReader));
		expect(one.get(ScopedReader).store).toBe(one.store);
		expect(two.get(ScopedReader).store).toBe(two.store);
	});

	test("that take nothing of ours are shared as tsyringe shares them", () => {
		const [one, two] = [compose(), compose()];
		expect(one.get(Mailer)).not.toBe(one.get(Mailer));
		expect(two.get(Mailer).pool).toBe(one.get(Mailer).pool);
		expect(two.get(Pool)).toBe(one.get(Pool));
	});
});
