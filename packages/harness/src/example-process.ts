// A runnable example in a child process, as its reader starts it, with one callback sent to it.

import { spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { sampleCallback, signedRequest } from "@reelkeep/testing";
import { sendRaw } from "./send-raw.js";
import { TEST_APP_KEY, TEST_SECRET, transcribe } from "./transcript.js";

export interface ExampleOptions {
	/** Plain JavaScript, run by this Node. */
	readonly script: string;
	/** Where it runs. */
	readonly folder: string;
	readonly port: number;
	/** Besides `APP_KEY` and `APP_SECRET`, those of the tests' app. */
	readonly environment?: Readonly<Record<string, string>>;
	/** Called once a callback was acknowledged, before the end; `said` waits until the output has that text. */
	readonly meanwhile?: (address: string, said: (text: string) => Promise<void>) => Promise<void>;
	/** What it prints of a callback. Default `reported`. */
	readonly says?: string;
}

const REPORT_TIME_MS = 15_000;
const OUTPUT_TIME_MS = 5_000;
const PAUSE_MS = 50;

/** Runs an example until it has said that a callback was reported; resolves with its exit code and what it printed. */
export async function runExample(
	options: ExampleOptions,
): Promise<{ readonly code: number | null; readonly output: string }> {
	const { script, folder, port, environment = {}, meanwhile, says = "reported" } = options;
	const child = spawn(process.execPath, [script], {
		cwd: folder,
		stdio: ["ignore", "pipe", "pipe"],
		env: { ...process.env, APP_KEY: TEST_APP_KEY, APP_SECRET: TEST_SECRET, ...environment },
	});
	let output = "";
	child.stdout.on("data", (chunk: Buffer) => {
		output += chunk.toString("utf8");
	});
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (chunk: Buffer) => transcribe("cli", chunk.toString("utf8")));
	}
	const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
	try {
		const address = `http://127.0.0.1:${port}`;
		await until(async () => (await sendSampleReport(address)).includes('"consume_state":1'), REPORT_TIME_MS);
		const said = (text: string) => until(async () => output.includes(text), OUTPUT_TIME_MS);
		await said(says);
		await meanwhile?.(address, said);
		child.kill("SIGTERM");
		return { code: await ended, output };
	} finally {
		child.kill("SIGKILL");
	}
}

/** A callback whose video is on loopback, which the default policy does not let the archiver reach. */
export async function sendSampleReport(address: string): Promise<string> {
	const callback = sampleCallback({ download_url: "http://127.0.0.1:9/v.mp4?Signature=x" });
	const requestParam = JSON.stringify(callback);
	const request = signedRequest({ secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam });
	return (await sendRaw(address, request)).body;
}

async function until(isSo: () => Promise<boolean>, timeMs: number): Promise<void> {
	const endsAt = Date.now() + timeMs;
	while (!(await isSo().catch(() => false))) {
		if (Date.now() > endsAt) throw new Error(`still not so after ${timeMs} ms`);
		await pause(PAUSE_MS);
	}
}
