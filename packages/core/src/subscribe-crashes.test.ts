// Every life of a subscription ends in the middle of something here: what it writes last fails, or is done and not answered.

import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { storeFault } from "./ports/index.js";
import type { SubscribeOptions, SubscriptionHandler } from "./subscribe.js";
import { clock, given, idsOfStream, parksSoon, passes } from "./test-subscription.js";

beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: 0 }));
afterEach(() => vi.useRealTimers());

test("whatever crashes, each recording comes in order, whole, and as a replay only what was handled", async () => {
	const step = fc.oneof(
		fc.record({ _tag: fc.constant("Append" as const), count: fc.integer({ min: 1, max: 20 }) }),
		fc.record({ _tag: fc.constant("Pass" as const), ms: fc.nat({ max: 20_000 }) }),
		fc.record({ _tag: fc.constant("Crash" as const), log: fc.boolean(), lost: fc.boolean() }),
		fc.record({ _tag: fc.constant("Break" as const), modulus: fc.integer({ min: 2, max: 7 }) }),
		fc.constant({ _tag: "Mend" as const }),
		fc.constant({ _tag: "Replay" as const }),
		fc.constant({ _tag: "Retry" as const }),
	);
	const run = fc.record({
		steps: fc.array(step, { minLength: 1, maxLength: 20 }),
		concurrency: fc.integer({ min: 1, max: 4 }),
		maxParked: fc.integer({ min: 1, max: 3 }),
	});
	let crashes = 0;
	let replays = 0;
	await fc.assert(
		fc.asyncProperty(run, async ({ steps, concurrency, maxParked }) => {
			let dead = false;
			let lost = false;
			const { append, start } = given({
				store: (memory) => ({
					async append(stream, ...rest) {
						if (dead && !lost) throw storeFault("failed", "dead");
						const result = await memory.append(stream, ...rest);
						if (dead) throw storeFault("failed", "dead");
						return result;
					},
				}),
				checkpoints: (kept) => ({
					async save(...rest) {
						await clock.sleep(3);
						if (dead) throw storeFault("failed", "dead");
						return kept.save(...rest);
					},
				}),
			});
			const bad: string[] = [];
			const firsts = new Map<string, string[]>();
			const last = new Map<string, number>();
			let appended = 0;
			let modulus = 0;
			const handler: SubscriptionHandler = async ({ id, stream }, { isReplay }) => {
				const number = Number(id.slice(1));
				await clock.sleep(number % 3);
				if (modulus > 0 && number % modulus === 0) throw new Error("broken");
				const seen = firsts.get(stream) ?? [];
				if (isReplay) {
					replays += 1;
					if (!seen.includes(id)) bad.push(`replay of ${id}, which was not handled`);
					return;
				}
				// Within one life what is no replay only goes forward.
				const before = last.get(stream) ?? 0;
				if (number <= before) bad.push(`${id} after e${before}`);
				last.set(stream, number);
				firsts.set(stream, seen.includes(id) ? seen : [...seen, id]);
			};
			let log = false;
			const optionsNow = (): SubscribeOptions =>
				log ? { order: "log" } : { ...parksSoon, concurrency, maxParked };
			let subscription = start(handler, "mail", optionsNow());
			for (const each of steps) {
				if (each._tag === "Append") {
					appended += each.count;
					await append(each.count);
				} else if (each._tag === "Pass") await passes(each.ms);
				else if (each._tag === "Break") modulus = each.modulus;
				else if (each._tag === "Mend") modulus = 0;
				else if (each._tag === "Retry") subscription.retryParked();
				else if (each._tag === "Replay") {
					subscription.replay({ eventsPerSecond: 50 }).catch(() => undefined);
					await passes(100);
				} else {
					crashes += 1;
					dead = true;
					lost = each.lost;
					await Promise.all([subscription.stop(), passes(20)]);
					dead = false;
					log = each.log;
					last.clear();
					subscription = start(handler, "mail", optionsNow());
				}
			}
			modulus = 0;
			for (let i = 0; i < 4; i += 1) {
				await passes(31_000);
				subscription.retryParked();
			}
			await passes(31_000);
			expect(bad).toEqual([]);
			expect(subscription.problem()).toBeUndefined();
			await Promise.all([subscription.stop(), passes(10)]);
			await subscription.ended;
			for (const remainder of [0, 1, 2]) {
				expect(firsts.get(`stream-${remainder}`) ?? []).toEqual(idsOfStream(remainder, appended));
			}
		}),
		{ numRuns: 150 },
	);
	expect(Math.min(crashes, replays)).toBeGreaterThan(20);
}, 60_000);
