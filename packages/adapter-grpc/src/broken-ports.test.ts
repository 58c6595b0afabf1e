// Ports that break their promises end no process and leave no caller without an answer.

import { status as Code } from "@grpc/grpc-js";
import type { Clock, EventStore, Ids } from "@reelkeep/core/ports";
import { afterEach, describe, expect, it } from "vitest";
import { ingressStarter, raw, recordingReceive, storeOf } from "../test/harness.js";

const servers = ingressStarter();
afterEach(() => servers.stop());

const broken = (): never => {
	throw new Error("password=1");
};
const ids: Ids = { next: broken };
const clock: Clock = { now: broken, sleep: async () => {} };
const AGAIN = { code: Code.UNAVAILABLE, reason: "INTERNAL_ERROR", retryInfo: expect.anything() };

/** Nothing that nobody caught. */
async function quietly(work: () => Promise<void>): Promise<void> {
	const seen: unknown[] = [];
	const keep = (error: unknown): void => void seen.push(error);
	process.on("unhandledRejection", keep).on("uncaughtException", keep);
	try {
		await work();
		await new Promise((resolve) => setImmediate(resolve));
	} finally {
		process.off("unhandledRejection", keep).off("uncaughtException", keep);
	}
	expect(seen).toEqual([]);
}

describe.each([
	["ids that cannot be had", { ids }],
	["a clock that is broken", { clock }],
	["a verifier that rejects", { callers: { verify: async () => broken() } }],
])("with %s", (_, options) => {
	it("every method is answered: internal error, to be tried again", () =>
		quietly(async () => {
			const recorded = recordingReceive();
			const { address } = await servers.start({ ...options, store: await storeOf(1) }, recorded);
			const client = servers.client(address);
			await expect(client.report(raw("{}"))).rejects.toMatchObject(AGAIN);
			await expect(client.reportMany([raw("{}")])).rejects.toMatchObject(AGAIN);
			await expect(client.subscribe({}).next()).rejects.toMatchObject(AGAIN);
		}));
});

it("of a stream, the reports that nothing could be done about are answered, and the others kept", () =>
	quietly(async () => {
		let asked = 0;
		const sometimes: Ids = {
			next: () => {
				asked += 1;
				return asked % 2 === 0 ? broken() : `id-${asked}`;
			},
		};
		const { address } = await servers.start({ ids: sometimes });
		const { results } = await servers.client(address).reportMany(Array.from({ length: 4 }, () => raw("{}")));
		expect(results.map(({ result }) => result.case)).toEqual(["error", "response", "error", "response"]);
	}));

it("a log that throws what is no fault ends the subscription, and nothing else", () =>
	quietly(async () => {
		const store: EventStore = { ...(await storeOf(1)), readAll: broken };
		const { address } = await servers.start({ store });
		const client = servers.client(address);
		await expect(client.subscribe({}).next()).rejects.toMatchObject(AGAIN);
		expect(await client.report(raw("{}"))).toMatchObject({ stream: "recording-1" });
	}));
