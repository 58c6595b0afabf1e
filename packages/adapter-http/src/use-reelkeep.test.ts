// NestJS 11 with Reelkeep as a provider of the user's container, injected where Nest injects.

import { Controller, Get, Inject } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { memoryStorage } from "@reelkeep/core";
import { createReelkeep, type Reelkeep } from "@reelkeep/core/container";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { sampleCallback } from "@reelkeep/testing";
import { afterEach, describe, expect, it } from "vitest";
import { handlerOptions, recordingReceive, signed } from "../test/harness.js";
import { useReelkeep } from "./use-reelkeep.js";

class RecordingsService {
	readonly reelkeep: Reelkeep = createReelkeep({ plugins: [memoryStorage()] });
	readonly lives: string[] = [];
	async onApplicationBootstrap(): Promise<void> {
		await this.reelkeep.start();
		this.lives.push("started");
	}
	async onApplicationShutdown(): Promise<void> {
		await this.reelkeep.stop();
		this.lives.push("stopped");
	}
}

class RecordingsController {
	readonly #recordings: RecordingsService;
	constructor(recordings: RecordingsService) {
		this.#recordings = recordings;
	}
	async count(): Promise<number> {
		let events = 0;
		for await (const _event of this.#recordings.reelkeep.store.readAll()) events += 1;
		return events;
	}
}
// As decorators do, for tests that no compiler of decorators reads.
Controller("recordings")(RecordingsController);
Inject(RecordingsService)(RecordingsController, undefined, 0);
Get()(
	RecordingsController.prototype,
	"count",
	Object.getOwnPropertyDescriptor(RecordingsController.prototype, "count") ?? {},
);

class AppModule {}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	await Promise.all(closing.splice(0).map((close) => close()));
});

describe("useReelkeep", () => {
	it("refuses another platform in plain words, and mounts nothing", async () => {
		const used: unknown[] = [];
		const onFastify = await NestFactory.create({ module: AppModule }, new FastifyAdapter(), {
			logger: false,
		});
		closing.push(() => onFastify.close());
		onFastify.use = (handler: unknown) => {
			used.push(handler);
			return onFastify;
		};
		const options = handlerOptions(recordingReceive().receive);
		expect(() => useReelkeep(onFastify, options)).toThrow(
			new TypeError(
				"useReelkeep mounts on Nest's Express platform, not on fastify; on Fastify, register fastifyReelkeep",
			),
		);
		expect(used).toEqual([]);
	});

	it.each([{}, { rawBody: true }])(
		"stores what comes, under a global prefix too, by the Reelkeep of Nest's container: %j",
		async (settings) => {
			const root = { module: AppModule, providers: [RecordingsService], controllers: [RecordingsController] };
			const app = await NestFactory.create(root, { logger: false, ...settings });
			app.setGlobalPrefix("api");
			const { reelkeep, lives } = app.get(RecordingsService);
			useReelkeep(app, handlerOptions(reelkeep.receive));
			await app.listen(0, "127.0.0.1");
			closing.push(() => app.close());
			const address = await app.getUrl();
			const reply = await sendRaw(address, signed({ requestParam: JSON.stringify(sampleCallback()) }));
			expect(reply.body).toContain('"consume_state":1');
			expect(await (await fetch(`${address}/api/recordings`)).text()).toBe("1");
			await app.close();
			expect(lives).toEqual(["started", "stopped"]);
		},
	);
});
