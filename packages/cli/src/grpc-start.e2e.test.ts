// What `reelkeep serve --grpc` says, and refuses, at start.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runCommand, startServe } from "@reelkeep/harness/reelkeep-process";
import { afterAll, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "reelkeep-grpc-start-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const app = ["--app", "1=secret-of-app"];

describe("without a proof of who calls", () => {
	test.each(["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0"])(
		"%s is refused, whatever --app says",
		async (address) => {
			const flags = ["serve", "--data", join(root, "never"), "--http", "off", "--grpc", address, ...app];
			const { code, stderr, stdout } = await runCommand(entry, flags);
			expect(code).toBe(2);
			expect(stdout).toBe("");
			expect(stderr).toMatch(/can be reached from elsewhere.*--grpc-token-file/);
		},
	);

	test("loopback is served, and the log says that nobody is asked", async () => {
		const flags = ["--data", join(root, "data"), "--http", "off", "--grpc", "127.0.0.1:0"];
		const serve = await startServe({ entry, flags });
		expect(serve.grpcAddress).toMatch(/^127\.0\.0\.1:\d+$/);
		expect(serve.log()).toMatch(/gRPC asks nobody who calls: every program on this machine may report/);
		const inUse = ["--data", join(root, "other"), "--http", "off", "--grpc", serve.grpcAddress];
		const { code, stderr } = await runCommand(entry, ["serve", ...inUse]);
		expect({ code, stderr }).toEqual({
			code: 1,
			stderr: expect.stringContaining("choose another --http or --grpc"),
		});
		expect(await serve.stop()).toBe(0);
	});
});
