import { describe, expect, test } from "vitest";
import { started } from "./container/test-reelkeep.js";
import { memoryStorage } from "./memory/plugin.js";
import { EVENT_STORE, type Plugin } from "./ports/index.js";
import { foldQuarantine } from "./quarantined-callbacks.js";
import { given, METADATA, mended, RECEIVED_AT, RECORDING, renamed } from "./test-redrive.js";

describe("what is in quarantine", () => {
	test("is told with its reasons, and with what became of it; never with its body", async () => {
		const { redriveMended, store, send, later } = given();
		const [one, two] = [await send(renamed()), await send("not json")];
		later(5000);
		await redriveMended(one);
		await store.append(
			two,
			[{ id: "note", type: "acme.Seen", schemaVersion: 1, data: {}, metadata: {} }],
			"any",
		);
		const callbacks = await foldQuarantine(store.readAll());
		expect([...callbacks.keys()]).toEqual([one, two]);
		expect(callbacks.get(one)).toMatchObject({
			appKey: "app",
			receivedAt: RECEIVED_AT,
			bytes: renamed().length,
			issues: [{ field: "game_id", problem: "is missing" }],
			deadline: { source: "link" },
			redriven: { recording: RECORDING, outcome: "Reported", at: RECEIVED_AT + 5000 },
		});
		expect(callbacks.get(two)).not.toHaveProperty("redriven");
		expect(callbacks.get(one)).not.toHaveProperty("sealedBody");
	});

	test("makes room in its app's quota when it is redriven, at once and after a restart", async () => {
		const { store } = given();
		const memory = memoryStorage();
		const storage: Plugin = {
			...memory,
			register: (registry) =>
				memory.register?.({
					provide: (token, factory) =>
						registry.provide(token, token === EVENT_STORE ? () => store as never : factory),
				}),
		};
		const reelkeep = await started({ plugins: [storage], quarantineQuota: { maxCallbacks: 1 } });
		const report = { requestParam: renamed(), appKey: "app", metadata: METADATA };
		const other = { ...report, requestParam: "not json" };
		const outcome = await reelkeep.receive(report);
		expect(await reelkeep.receive(other)).toMatchObject({ _tag: "Unavailable" });
		expect(await reelkeep.health.check()).toMatchObject([{ source: "quarantine", severity: "failing" }]);
		const stream = "stream" in outcome ? outcome.stream : "";
		expect(await reelkeep.redrive(stream, { decode: mended })).toMatchObject({
			_tag: "Redriven",
		});
		const again = await started({ plugins: [storage], quarantineQuota: { maxCallbacks: 1 } });
		expect(await again.receive(report)).toMatchObject({ _tag: "Quarantined" });
		await expect.poll(() => reelkeep.receive(other)).toMatchObject({ _tag: "Quarantined" });
		expect(await again.receive({ ...other, requestParam: "another" })).toMatchObject({ _tag: "Unavailable" });
	});
});
