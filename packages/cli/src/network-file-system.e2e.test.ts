// A data directory on a network file system, as `statfs` tells it: each command that writes there is refused until it is
// allowed to, by its flag or by the environment.

import { fileURLToPath } from "node:url";
import { runCommand } from "@reelkeep/harness/reelkeep-process";
import { type TemporaryReceiver, temporaryReceiver } from "@reelkeep/harness/temporary-receiver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const entry = fileURLToPath(new URL("../dist/reelkeep.js", import.meta.url));
/** Of the process: every directory lies on NFS. */
const ON_NFS = `
	import fs from "node:fs";
	import { syncBuiltinESMExports } from "node:module";
	fs.statfs = (path, done) => done(null, { type: 0x6969, bsize: 4096, bavail: 1e6 });
	syncBuiltinESMExports();
`;
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(ON_NFS)}`;
const VARIABLE = "REELKEEP_ALLOW_NETWORK_FILE_SYSTEM";
const FLAG = "--allow-network-file-system";

let receiver: TemporaryReceiver;
beforeAll(async () => {
	receiver = temporaryReceiver(entry);
	const server = await receiver.serve();
	expect(await server.stop()).toBe(0);
});
afterAll(() => receiver.dispose());

// Only Linux tells the kind of a file system.
describe.skipIf(process.platform !== "linux").each([
	["archive", []],
	["repair", []],
	["doctor", ["--fix"]],
])("reelkeep %s on a network file system", (name, flags) => {
	const run = (given: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
		runCommand(entry, [name, ...flags, ...receiver.data, ...given], {
			environment: { NODE_OPTIONS, ...environment },
		});

	test("is refused", async () => {
		const refused = { code: 1, stderr: expect.stringMatching(/network file system \(NFS\).*allow-network/) };
		expect(await run([])).toMatchObject(refused);
		expect(await run([], { [VARIABLE]: "false" })).toMatchObject(refused);
	});

	test("is allowed by the flag, which wins over the environment, and by the environment", async () => {
		expect(await run([FLAG], { [VARIABLE]: "false" })).toMatchObject({ code: 0, stderr: "" });
		expect(await run([], { [VARIABLE]: "true" })).toMatchObject({ code: 0, stderr: "" });
	});

	test("takes true or false from the environment", async () => {
		const stderr = expect.stringContaining(`${VARIABLE} takes true or false`);
		expect(await run([], { [VARIABLE]: "perhaps" })).toMatchObject({ code: 2, stderr });
	});
});
