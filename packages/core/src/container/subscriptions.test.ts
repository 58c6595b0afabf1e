import "reflect-metadata/lite";
import { describe, expect, test } from "vitest";
import * as tokens from "../ports/tokens.js";
import { compose, memoryWithout, report, started } from "./test-reelkeep.js";

describe("subscribing", () => {
	test("subscribe throws and says what to do", async () => {
		const reelkeep = compose();
		const subscribe = () => reelkeep.subscribe("mail", async () => undefined);
		expect(subscribe).toThrow("subscribe once Reelkeep runs: await reelkeep.start() first");
		await reelkeep.start();
		await subscribe().stop();
		await reelkeep.stop();
		expect(subscribe).toThrow("this Reelkeep was stopped");
	});

	test("subscribe says who could provide the checkpoint store that it misses", async () => {
		const reelkeep = await started({ plugins: [memoryWithout(tokens.CHECKPOINT_STORE)] });
		expect(() => reelkeep.subscribe("mail", async () => undefined)).toThrow(
			/nothing provides CheckpointStore, which a subscription needs; add fsStorage\(\)/,
		);
	});

	test("subscribe refuses a second owner of a name at once, and health tells what is stuck", async () => {
		const reelkeep = await started();
		await reelkeep.receive(report());
		const subscription = reelkeep.subscribe("mail", async () => {
			throw new Error("no mail server");
		});
		expect(() => reelkeep.subscribe("mail", async () => undefined)).toThrow(
			"there is a subscription mail already",
		);
		await expect
			.poll(() => reelkeep.health.check())
			.toEqual([
				{
					source: "subscriptions",
					message: expect.stringContaining("subscription mail is stuck at position 1"),
					severity: "degraded",
				},
			]);
		await subscription.stop();
		reelkeep.subscribe("mail", async () => undefined);
	});

	test("subscribe refuses a name that no checkpoint can have", async () => {
		const reelkeep = await started();
		for (const name of ["", "x".repeat(257)]) {
			expect(() => reelkeep.subscribe(name, async () => undefined)).toThrow("1 to 256 characters");
		}
	});

	test("a subscription that is stopped before it has begun has ended well, and health says nothing of it", async () => {
		const reelkeep = await started();
		await reelkeep.receive(report());
		const subscription = reelkeep.subscribe("mail", async () => undefined);
		await subscription.stop();
		await expect(subscription.ended).resolves.toBeUndefined();
		expect(subscription.problem()).toBeUndefined();
		expect(await reelkeep.health.check()).toEqual([]);
	});

	test("subscribe throws also when stop came while start was under way", async () => {
		const reelkeep = compose();
		const starting = reelkeep.start();
		await reelkeep.stop();
		await starting;
		expect(() => reelkeep.subscribe("mail", async () => undefined)).toThrow();
	});
});
