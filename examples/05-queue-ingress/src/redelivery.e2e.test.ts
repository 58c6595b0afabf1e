import { setTimeout as pause } from "node:timers/promises";
import { randomIds, silentLogger, systemClock } from "@reelkeep/core/container";
import type { Receive } from "@reelkeep/core/ports";
import { expect, test, vi } from "vitest";
import { startBroker } from "./broker.js";
import { createHmacVerifier } from "./hmac-verifier.js";
import { send } from "./producer.js";
import { createQueueIngress } from "./queue-ingress.js";

const app = { appKey: "1234", secret: "secret-of-the-tests" };
const deps = {
	verifier: createHmacVerifier({ [app.appKey]: app.secret }),
	clock: systemClock,
	ids: randomIds,
	logger: silentLogger,
};

test("a start without a broker is refused, and says where it was looked for", async () => {
	const broker = await startBroker();
	await broker.close();
	const ingress = createQueueIngress({ host: "127.0.0.1", port: broker.port }, deps);
	await expect(ingress.start(async () => ({ _tag: "Refused", message: "" }))).rejects.toThrow("ECONNREFUSED");
	await ingress.stop();
});

test("a message whose connection broke before its acknowledgement comes again", async () => {
	const broker = await startBroker();
	const ingress = createQueueIngress({ host: "127.0.0.1", port: broker.port }, deps);
	let calls = 0;
	const receive: Receive = async () => {
		calls += 1;
		if (calls > 1) return { _tag: "AlreadyReported", stream: "recording-0" };
		broker.disconnect();
		await pause(50);
		return { _tag: "Reported", stream: "recording-0" };
	};
	await ingress.start(receive);
	const sending = send(broker.port, { ...app, requestParam: "{}" }, 10_000);
	await vi.waitFor(() => expect(ingress.problems()).toMatchObject([{ source: "queue" }]));
	expect(await sending).toBe("ack");
	expect(calls).toBe(2);
	expect(ingress.problems()).toEqual([]);
	await ingress.stop();
	await broker.close();
});

test("what is rejected is set aside with the broker, and no loop", async () => {
	const broker = await startBroker();
	const ingress = createQueueIngress({ host: "127.0.0.1", port: broker.port }, deps);
	let calls = 0;
	await ingress.start(async () => {
		calls += 1;
		return { _tag: "Refused", message: "not this project" };
	});
	expect(await send(broker.port, { ...app, requestParam: "{}" }, 2000)).toBe("reject");
	await pause(50);
	expect(calls).toBe(1);
	expect(broker.rejected).toMatchObject([{ requestParam: "{}" }]);
	await ingress.stop();
	await broker.close();
});
