// A `reelkeep serve` of its own directory for one test, with the apps of the captures and of the tests.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommandResult, runCommand, type ServeProcess, startServe } from "./reelkeep-process.js";
import { CAPTURE_APP_KEY, CAPTURE_SECRET, TEST_APP_KEY, TEST_SECRET } from "./transcript.js";

/** What is read of a line of `reelkeep events`. */
export interface PrintedEvent {
	readonly id: string;
	readonly type: string;
	readonly stream: string;
	readonly version: number;
	readonly position: string;
	readonly recordedAt: number;
	readonly data: Readonly<Record<string, unknown>>;
	readonly metadata: Readonly<Record<string, unknown>>;
}

export interface TemporaryReceiver {
	readonly directory: string;
	/** `--data DIRECTORY`. */
	readonly data: readonly string[];
	/** Starts `reelkeep serve` on the directory, at log level trace. */
	serve(...flags: readonly string[]): Promise<ServeProcess>;
	/** Runs a command on the directory. */
	run(...command: readonly string[]): Promise<CommandResult>;
	/** What `reelkeep events` prints. */
	events(...flags: readonly string[]): Promise<readonly PrintedEvent[]>;
	/** What `reelkeep recordings --json` prints. */
	recordings(...flags: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
	/** Kills what still runs and removes the directory. */
	dispose(): Promise<void>;
}

export function temporaryReceiver(entry: string): TemporaryReceiver {
	const root = mkdtempSync(join(tmpdir(), "reelkeep-e2e-"));
	const directory = join(root, "data");
	const appsFile = join(root, "apps");
	writeFileSync(appsFile, `${CAPTURE_APP_KEY}=${CAPTURE_SECRET}\n${TEST_APP_KEY}=${TEST_SECRET}\n`);
	chmodSync(appsFile, 0o600);
	const data = ["--data", directory];
	const running: ServeProcess[] = [];
	const lines = async (command: readonly string[], secret: boolean): Promise<readonly string[]> => {
		const { code, stdout, stderr } = await runCommand(entry, [...command, ...data], { secret });
		if (code !== 0) throw new Error(`reelkeep ${command[0]} ended with ${code}: ${stderr}`);
		return stdout.split("\n").filter((line) => line !== "");
	};
	return {
		directory,
		data,
		async serve(...flags) {
			const listen = ["--http", "127.0.0.1:0", "--apps-file", appsFile, "--log-level", "trace"];
			// Videos come from loopback only: a test asks no name server of the world.
			const loopback = ["--allow-host", "127.0.0.1", "--allow-private-network"];
			const serve = await startServe({ entry, flags: [...data, ...listen, ...loopback, ...flags] });
			running.push(serve);
			return serve;
		},
		run: (...command) => runCommand(entry, [...command, ...data]),
		events: async (...flags) =>
			(await lines(["events", ...flags], flags.includes("--reveal-links"))).map((line) => JSON.parse(line)),
		recordings: async (...flags) =>
			(await lines(["recordings", "--json", ...flags], false)).map((line) => JSON.parse(line)),
		async dispose() {
			await Promise.all(running.map((serve) => serve.stop("SIGKILL")));
			rmSync(root, { recursive: true, force: true });
		},
	};
}
