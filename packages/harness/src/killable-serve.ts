// `reelkeep serve` for tests that kill it, also before it is ready, and the moments at which that hurts most.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "./transcript.js";

export interface KillableServeOptions {
	/** What this Node runs: a file and its flags, or `-e` and a script. */
	readonly command: readonly string[];
	/** Where it runs; default: where the test does. */
	readonly folder?: string;
	/** More variables than this process has. */
	readonly environment?: Readonly<Record<string, string>>;
}

export interface KillableServe {
	/** Where it listens; `undefined` when it ended before it was ready. */
	readonly ready: Promise<string | undefined>;
	/** The exit code; `null` when a signal ended it. */
	readonly ended: Promise<number | null>;
	isReady(): boolean;
	signal(signal: NodeJS.Signals): void;
	/** What it has written to standard error so far. */
	log(): string;
}

/** `serve` for a receiver that downloads from loopback only, and says nothing but what must not happen. */
export function serveCommand(entry: string, directory: string): readonly string[] {
	const flags = ["--http", "127.0.0.1:0", "--allow-host", "127.0.0.1", "--allow-private-network"];
	return [entry, "serve", "--data", directory, "--log-level", "error", ...flags];
}

/** Starts a receiver for the tests' app, which says `reelkeep: ready http=…` when it is; waits for nothing. */
export function startKillable({ command, folder, environment }: KillableServeOptions): KillableServe {
	const child = spawn(process.execPath, command, {
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...process.env, ...environment, REELKEEP_APPS: `${TEST_APP_KEY}=${TEST_SECRET}` },
		...(folder === undefined ? {} : { cwd: folder }),
	});
	let log = "";
	child.stderr.on("data", (chunk: Buffer) => {
		log += chunk.toString("utf8");
		transcribe("cli", chunk.toString("utf8"));
	});
	const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
	let isReady = false;
	const ready = Promise.race([readyAddress(child), ended.then(() => undefined)]).then((address) => {
		isReady = address !== undefined;
		return address;
	});
	return {
		ready,
		ended,
		isReady: () => isReady,
		signal: (signal) => void child.kill(signal),
		log: () => log,
	};
}

async function readyAddress(child: ChildProcess): Promise<string | undefined> {
	for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
		const address = /reelkeep: ready http=(\S+)/.exec(line)?.[1];
		if (address !== undefined) return address;
	}
	return undefined;
}

export interface Moment {
	/** Resolves with whether it came in time. */
	readonly came: Promise<boolean>;
	cancel(): void;
}

/** The next process takes the data directory for its own: its socket appears, and the log is recovered. */
export function ownershipTaken(directory: string, timeMs: number): Moment {
	return momentOf(directory, timeMs, (name) => /^owner\.\d+\.sock$/.test(name));
}

/** A download is committed: its partial file goes, the video has its name, and the log is about to be told. */
export function videoCommitted(directory: string, timeMs: number): Moment {
	const partials = join(directory, "videos", "partial");
	return momentOf(partials, timeMs, (name) => name.endsWith(".part") && !existsSync(join(partials, name)));
}

function momentOf(directory: string, timeMs: number, isIt: (name: string) => boolean): Moment {
	let cancel: () => void = () => undefined;
	const came = new Promise<boolean>((resolve) => {
		const end = (didCome: boolean): void => {
			clearTimeout(timer);
			watcher.close();
			resolve(didCome);
		};
		const timer = setTimeout(end, timeMs, false);
		const watcher = watch(directory, (_type, name) => {
			if (name !== null && isIt(name)) end(true);
		});
		cancel = () => end(false);
	});
	return { came, cancel };
}
