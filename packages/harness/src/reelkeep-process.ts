// The real `reelkeep` in child processes: `serve`, and the commands that look into its directory.

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { transcribe } from "./transcript.js";

export interface ServeOptions {
	/** The built entry, `packages/cli/dist/reelkeep.js`. */
	readonly entry: string;
	readonly flags: readonly string[];
	readonly environment?: Readonly<Record<string, string>>;
}

export interface ServeProcess {
	/** Where it listens, e.g. `http://127.0.0.1:34567`; `off` without HTTP. */
	readonly address: string;
	/** Where it listens for gRPC, e.g. `127.0.0.1:34567`; `off` without. */
	readonly grpcAddress: string;
	readonly pid: number;
	/** What it has written to standard error so far. */
	log(): string;
	/** Sends `signal` and waits for the end; the exit code, `null` when a signal ended it. */
	stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface CommandResult {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

/** Starts `reelkeep serve` and waits for its ready line. Rejects with what it said when it ends before that. */
export async function startServe(options: ServeOptions): Promise<ServeProcess> {
	const child = start(options.entry, ["serve", ...options.flags], options.environment);
	const stderr = collect(child.stderr);
	const exited = exitOf(child);
	const ready = await Promise.race([readyAddresses(child), exited.then(() => undefined)]);
	if (ready === undefined) throw new Error(`reelkeep serve ended before it was ready: ${stderr()}`);
	return {
		...ready,
		pid: child.pid ?? 0,
		log: stderr,
		stop(signal = "SIGTERM") {
			child.kill(signal);
			return exited;
		},
	};
}

/** Runs one command to its end. `secret`: it was asked to show links, so what it prints is no leak. */
export async function runCommand(
	entry: string,
	command: readonly string[],
	options: { readonly environment?: Readonly<Record<string, string>>; readonly secret?: boolean } = {},
): Promise<CommandResult> {
	const child = start(entry, command, options.environment);
	const [stdout, stderr] = [collect(child.stdout, options.secret), collect(child.stderr)];
	const code = await exitOf(child);
	return { code, stdout: stdout(), stderr: stderr() };
}

function start(
	entry: string,
	command: readonly string[],
	environment: Readonly<Record<string, string>> = {},
) {
	return spawn(process.execPath, [entry, ...command], {
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...process.env, ...environment },
	});
}

function exitOf(child: ChildProcess): Promise<number | null> {
	return new Promise((resolve) => child.once("close", resolve));
}

function collect(stream: NodeJS.ReadableStream, isSecret = false): () => string {
	const chunks: Buffer[] = [];
	stream.on("data", (chunk: Buffer) => {
		chunks.push(chunk);
		if (!isSecret) transcribe("cli", chunk.toString("utf8"));
	});
	return () => Buffer.concat(chunks).toString("utf8");
}

async function readyAddresses(
	child: ChildProcess,
): Promise<Pick<ServeProcess, "address" | "grpcAddress"> | undefined> {
	for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
		transcribe("cli", line);
		const address = /reelkeep: ready http=(\S+)/.exec(line)?.[1];
		const grpcAddress = / grpc=(\S+)/.exec(line)?.[1] ?? "off";
		if (address !== undefined) return { address, grpcAddress };
	}
	return undefined;
}
