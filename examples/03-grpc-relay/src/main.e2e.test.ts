import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runExample, sendSampleReport } from "@reelkeep/harness/example-process";
import { freePort } from "@reelkeep/harness/free-port";
import { startServe } from "@reelkeep/harness/reelkeep-process";
import { afterAll, expect, test } from "vitest";

const script = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const entry = fileURLToPath(new URL("../../../packages/cli/dist/reelkeep.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "reelkeep-relay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TOKEN = "relay-token-0123456789abcdef";

test("the example prints what its README says, and the Reelkeep inside has the recording", async () => {
	const tokens = join(folder, "tokens");
	writeFileSync(tokens, `relay=${TOKEN}\n`, { mode: 0o600 });
	const grpc = ["--http", "off", "--grpc", "127.0.0.1:0", "--grpc-token-file", tokens];
	const inside = await startServe({ entry, flags: ["--data", join(folder, "data"), ...grpc] });
	try {
		const port = await freePort();
		const { code, output } = await runExample({
			script,
			folder,
			port,
			says: "Reported",
			environment: {
				PORT: String(port),
				REELKEEP_TARGET: inside.grpcAddress,
				REELKEEP_TOKEN: TOKEN,
			},
			async meanwhile(address) {
				expect(await sendSampleReport(address)).toContain('"consume_state":1');
				await inside.stop();
				expect(await sendSampleReport(address)).toContain("isp.remote-service-error");
			},
		});
		expect(code).toBe(0);
		const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
		const expected = readme.split("```").at(-2)?.trim().replace("8080", String(port));
		expect(output.trim().replace(/recording-[0-9a-f]{64}/g, "recording-STREAM")).toBe(expected);
	} finally {
		await inside.stop("SIGKILL");
	}
});
