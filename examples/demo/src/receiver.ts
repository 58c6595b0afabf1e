// The receiver of the demo: `reelkeep serve` in a child process, and the commands that look into its directory.

import { chmod, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { runCommand, startServe } from "@reelkeep/harness/reelkeep-process";

const manifest = createRequire(import.meta.url).resolve("@reelkeep/cli/package.json");
const entry = join(dirname(manifest), "dist/reelkeep.js");

export interface Receiver {
	/** Where it listens, e.g. `http://127.0.0.1:34567`. */
	readonly address: string;
	/** Runs `reelkeep ARGUMENTS --data …` beside it; the lines it printed. */
	look(...command: readonly string[]): Promise<readonly string[]>;
	/** SIGTERM; the exit code. */
	stop(): Promise<number | null>;
}

/** Starts `reelkeep serve` on `directory` for one app, with videos allowed from loopback. */
export async function startReceiver(directory: string, appKey: string, secret: string): Promise<Receiver> {
	const appsFile = join(directory, "apps");
	await writeFile(appsFile, `${appKey}=${secret}\n`);
	await chmod(appsFile, 0o600);
	const data = ["--data", join(directory, "data")];
	const serve = await startServe({
		entry,
		flags: [
			...data,
			...["--http", "127.0.0.1:0", "--apps-file", appsFile],
			...["--allow-host", "127.0.0.1", "--allow-private-network", "--log-level", "error"],
		],
	});
	return {
		address: serve.address,
		stop: () => serve.stop(),
		async look(...command) {
			const { code, stdout, stderr } = await runCommand(entry, [...command, ...data]);
			if (code !== 0) throw new Error(`reelkeep ${command[0]} failed: ${stderr}`);
			return stdout.split("\n").filter((line) => line !== "");
		},
	};
}
