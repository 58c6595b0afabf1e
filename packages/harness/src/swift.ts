// A real S3 for tests: the server that REELKEEP_TEST_S3 names, else OpenStack Swift with its S3 API, on a free port of
// 127.0.0.1, from Debian's package.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Debian's: it sees the modules of Debian's packages. They bring no service, and nothing is started. */
const PYTHON = "/usr/bin/python3";
const S3_API = "/usr/lib/python3/dist-packages/swift/common/middleware/s3api";
const PROGRAM = fileURLToPath(new URL("../python/swift_server.py", import.meta.url));
const READY_WITHIN_MS = 60_000;
/** Buckets below it are host names, as OSS wants them: whoever connects finds 127.0.0.1 by a lookup of its own. */
export const OSS_DOMAIN = "oss-cn-hangzhou.aliyuncs.com";
const S3_MIN_PART_BYTES = 5 * 1024 * 1024;

export interface TestS3 {
	readonly endpoint: string;
	readonly region: string;
	readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
	/** It is there. */
	readonly bucket: string;
	readonly pathStyle: boolean;
	/** Of a multipart upload, but for the last one. */
	readonly minPartBytes: number;
	/** Whether it was started here: then nobody else writes there, and nothing has to be removed. */
	readonly isOwn: boolean;
	stop(): Promise<void>;
}

/** Why there is no server to test with; `undefined`: there is one. */
export function s3Missing(): string | undefined {
	if (process.env.REELKEEP_TEST_S3 !== undefined) return undefined;
	if (existsSync(PYTHON) && existsSync(S3_API)) return undefined;
	return "OpenStack Swift is not installed (Debian: python3-swift), and REELKEEP_TEST_S3 names no server";
}

/** Starts a server; throws where there is none. Its files lie in the temporary folder, which must know extended attributes. */
export async function startS3(): Promise<TestS3> {
	const named = process.env.REELKEEP_TEST_S3;
	if (named !== undefined) return givenServer(named);
	const missing = s3Missing();
	if (missing !== undefined) throw new Error(missing);
	const [account, user, secret, bucket] = ["test", "tester", "swift-secret", "videos"] as const;
	const folder = mkdtempSync(join(tmpdir(), "reelkeep-swift-"));
	const server = spawn(PYTHON, [PROGRAM, folder, account, user, secret, bucket, OSS_DOMAIN], {
		stdio: ["pipe", "pipe", "pipe"],
	});
	let said = "";
	server.stderr.on("data", (chunk) => {
		said = `${said}${chunk}`.slice(-2_000);
	});
	const ended = once(server, "exit");
	const stop = async (): Promise<void> => {
		if (server.exitCode === null && server.signalCode === null) server.kill("SIGKILL");
		await ended;
		rmSync(folder, { recursive: true, force: true });
	};
	const lines = createInterface(server.stdout);
	const signal = AbortSignal.timeout(READY_WITHIN_MS);
	const port = await Promise.race([
		once(lines, "line", { signal }).then(([line]) => String(line)),
		ended.then(() => undefined),
	]).catch(() => undefined);
	if (port === undefined) {
		await stop();
		throw new Error(`Swift does not get ready: ${said}`);
	}
	return {
		endpoint: `http://127.0.0.1:${port}`,
		region: "us-east-1",
		credentials: { accessKeyId: `${account}:${user}`, secretAccessKey: secret },
		bucket,
		pathStyle: true,
		minPartBytes: 1,
		isOwn: true,
		stop,
	};
}

/** `https://ACCESS_KEY:SECRET_KEY@HOST/BUCKET?region=…&pathStyle=true`, keys as `encodeURIComponent` makes them. */
function givenServer(text: string): TestS3 {
	const url = new URL(text);
	return {
		endpoint: url.origin,
		region: url.searchParams.get("region") ?? "us-east-1",
		credentials: {
			accessKeyId: decodeURIComponent(url.username),
			secretAccessKey: decodeURIComponent(url.password),
		},
		bucket: url.pathname.slice(1),
		pathStyle: url.searchParams.get("pathStyle") === "true",
		minPartBytes: S3_MIN_PART_BYTES,
		isOwn: false,
		stop: async () => undefined,
	};
}
