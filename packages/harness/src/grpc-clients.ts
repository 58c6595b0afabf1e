// Clients of the gRPC ingress that are not ours, in processes of their own: `buf curl`, and grpcio on Python. And what a
// `reelkeep serve` is told so that they may call it.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandResult } from "./reelkeep-process.js";
import { transcribe } from "./transcript.js";

/** The folder of the `.proto` files. */
export const CONTRACT = fileURLToPath(new URL("../../adapter-grpc/proto", import.meta.url));
const BUF = fileURLToPath(new URL("../../adapter-grpc/node_modules/.bin/buf", import.meta.url));
/** Debian's, which has python3-grpcio and python3-protobuf. */
const PYTHON = "/usr/bin/python3";

/** The caller who reports. */
export const RELAY_TOKEN = "relay-token-of-the-grpc-tests";
/** The caller who subscribes. */
export const READER_TOKEN = "reader-token-of-the-grpc-tests";
/** A token that nobody has. */
export const STRANGE_TOKEN = "strange-token-of-the-grpc-tests";

export interface RunningClient {
	/** Writes to its standard input. */
	write(input: string | Uint8Array): void;
	/** The next line that it prints. Rejects with what it said on standard error when it ends before that. */
	nextLine(): Promise<string>;
	/** Whole lines that it has printed and nobody has read. */
	unreadLines(): readonly string[];
	/** Ends its standard input, and waits for its end. */
	end(): Promise<CommandResult>;
	/** `kill -9`, and waits for the end. */
	kill(): Promise<CommandResult>;
}

export interface GrpcClients {
	/** Flags of a `reelkeep serve` whom `relay` reports to and `reader` subscribes to. */
	readonly serveFlags: readonly string[];
	/** Ends after 30 s, whatever it is doing. */
	startBuf(command: readonly string[]): RunningClient;
	/** Runs buf to its end, with `input` on its standard input. */
	runBuf(command: readonly string[], input?: string | Uint8Array): Promise<CommandResult>;
	/** Starts a Python program with an address and the descriptors of the contract. */
	startPython(program: string, address: string): Promise<RunningClient>;
	/** Kills what still runs and removes what was written. */
	dispose(): Promise<void>;
}

/** Why there is no client on Python here; `undefined` when there is one. */
export function whyNoPython(): string | undefined {
	const { status } = spawnSync(PYTHON, ["-c", "import grpc, google.protobuf"], { stdio: "ignore" });
	return status === 0 ? undefined : `${PYTHON} has no python3-grpcio and python3-protobuf`;
}

export function grpcClients(): GrpcClients {
	const folder = mkdtempSync(join(tmpdir(), "reelkeep-grpc-clients-"));
	const tokenFile = join(folder, "tokens");
	writeFileSync(tokenFile, `relay=${RELAY_TOKEN}\nreader=${READER_TOKEN}\n`, { mode: 0o600 });
	const running = new Set<RunningClient>();
	const start = (program: string, command: readonly string[]): RunningClient => {
		// buf keeps a cache; not in the home folder of whoever runs the tests.
		const client = startClient(program, command, { BUF_CACHE_DIR: join(folder, "cache") });
		running.add(client);
		return client;
	};
	const startBuf = (command: readonly string[]): RunningClient =>
		start(BUF, [...command, "--timeout", "30s"]);
	const runBuf: GrpcClients["runBuf"] = (command, input = "") => {
		const client = startBuf(command);
		client.write(input);
		return client.end();
	};
	const describe = async (): Promise<string> => {
		const target = join(folder, "contract.binpb");
		const build = ["build", CONTRACT, "--as-file-descriptor-set", "--exclude-source-info", "-o", target];
		const { code, stderr } = await runBuf(build);
		if (code !== 0) throw new Error(`buf made no descriptors of ${CONTRACT}: ${stderr}`);
		return target;
	};
	let described: Promise<string> | undefined;
	return {
		serveFlags: ["--grpc=127.0.0.1:0", `--grpc-token-file=${tokenFile}`, "--grpc-subscriber=reader"],
		startBuf,
		runBuf,
		async startPython(program, address) {
			described ??= describe();
			return start(PYTHON, [program, address, await described]);
		},
		async dispose() {
			await Promise.all([...running].map((client) => client.kill()));
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

function startClient(
	program: string,
	command: readonly string[],
	environment: Readonly<Record<string, string>>,
): RunningClient {
	const child = spawn(program, command, {
		stdio: "pipe",
		env: { ...process.env, ...environment },
	});
	const lines: string[] = [];
	let [stdout, stderr, rest] = ["", "", ""];
	let hasEnded = false;
	let wake = (): void => {};
	child.stdout.setEncoding("utf8").on("data", (text: string) => {
		transcribe("cli", text);
		stdout += text;
		const parts = (rest + text).split("\n");
		rest = parts.pop() ?? "";
		lines.push(...parts);
		wake();
	});
	child.stderr.setEncoding("utf8").on("data", (text: string) => {
		transcribe("cli", text);
		stderr += text;
	});
	// Who was killed reads no more.
	child.stdin.on("error", () => {});
	const ended = new Promise<CommandResult>((resolve, reject) => {
		child.once("error", reject);
		child.once("close", (code) => {
			hasEnded = true;
			wake();
			resolve({ code, stdout, stderr });
		});
	});
	return {
		write: (input) => void child.stdin.write(input),
		async nextLine() {
			for (;;) {
				const line = lines.shift();
				if (line !== undefined) return line;
				if (hasEnded) throw new Error(`the client has ended: ${stderr || stdout}`);
				await new Promise<void>((resolve) => {
					wake = resolve;
				});
			}
		},
		unreadLines: () => lines.splice(0),
		end() {
			child.stdin.end();
			return ended;
		},
		kill() {
			child.kill("SIGKILL");
			return ended;
		},
	};
}
