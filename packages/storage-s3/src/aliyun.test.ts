import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Config } from "@alicloud/credentials";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { aliyunCredentials } from "./aliyun.js";

/** What hands out keys of a role, as `ALIBABA_CLOUD_CREDENTIALS_URI` names it: each time others, for `livesMs`. */
async function startKeyServer(livesMs: number) {
	let given = 0;
	let isBroken = false;
	const server = createServer((_, answer) => {
		if (isBroken) return void answer.writeHead(500).end("secret-of-the-server");
		given += 1;
		const Expiration = new Date(Date.now() + livesMs).toISOString().replace(/\.\d+Z/, "Z");
		const keys = {
			AccessKeyId: `STS.${given}`,
			AccessKeySecret: `secret-${given}`,
			SecurityToken: `token-${given}`,
		};
		answer.end(JSON.stringify({ Code: "Success", Expiration, ...keys }));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	return {
		config: new Config({ type: "credentials_uri", credentialsURI: `http://127.0.0.1:${port}/keys` }),
		given: () => given,
		break: (broken: boolean) => {
			isBroken = broken;
		},
		stop: () => new Promise((resolve) => server.close(resolve)),
	};
}

describe("credentials of Alibaba Cloud", () => {
	const before = { ...process.env };
	beforeEach(() => {
		for (const name of Object.keys(process.env))
			if (name.startsWith("ALIBABA_CLOUD_")) delete process.env[name];
	});
	afterEach(() => {
		process.env = { ...before };
	});

	test("come from the variables of the environment, and are asked for again within a minute", async () => {
		process.env.ALIBABA_CLOUD_ACCESS_KEY_ID = "LTAI-key";
		process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET = "a-secret";
		const { expiration, ...keys } = await aliyunCredentials()();
		expect(keys).toEqual({ accessKeyId: "LTAI-key", secretAccessKey: "a-secret" });
		const leftMs = (expiration?.getTime() ?? 0) - Date.now();
		expect(leftMs).toBeGreaterThan(5 * 60_000);
		expect(leftMs).toBeLessThanOrEqual(6 * 60_000);
	});

	test("of a role carry its token, are kept while they are good and renewed before they end", async () => {
		const keys = await startKeyServer(60 * 60_000);
		const provider = aliyunCredentials({ config: keys.config });
		const first = { accessKeyId: "STS.1", secretAccessKey: "secret-1", sessionToken: "token-1" };
		expect(await provider()).toMatchObject(first);
		expect(await provider()).toMatchObject(first);
		expect(keys.given()).toBe(1);
		await keys.stop();

		// Less than the library keeps: it asks each time.
		const short = await startKeyServer(10 * 60_000);
		const renewed = aliyunCredentials({ config: short.config });
		const { accessKeyId } = await renewed();
		await vi.waitFor(async () => expect((await renewed()).accessKeyId).not.toBe(accessKeyId), {
			timeout: 15_000,
		});
		await short.stop();
	});

	test("are used on while they cannot be renewed", async () => {
		// Less than the library keeps: it asks each time.
		const keys = await startKeyServer(10 * 60_000);
		const provider = aliyunCredentials({ config: keys.config });
		const { accessKeyId } = await provider();
		keys.break(true);
		expect((await provider()).accessKeyId).toBe(accessKeyId);
		await keys.stop();
	});

	test("are asked for anew after a failure, which tells nothing of what was answered", async () => {
		const keys = await startKeyServer(60 * 60_000);
		keys.break(true);
		const provider = aliyunCredentials({ config: keys.config });
		const failure: unknown = await provider().catch((error: unknown) => error);
		expect(failure).toMatchObject({ name: "CredentialsProviderError" });
		expect(`${failure} ${JSON.stringify(failure)}`).not.toContain("secret-of-the-server");
		keys.break(false);
		expect(await provider()).toMatchObject({ accessKeyId: "STS.1" });
		await keys.stop();
	});
});
