import { execFile } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const closers: (() => void)[] = [];
afterEach(() => {
	for (const close of closers.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<number> {
	const server = createServer(listener);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	closers.push(() => {
		server.close();
		server.closeAllConnections();
	});
	return (server.address() as AddressInfo).port;
}

/** Downloads as the product does, and then asks as any other code of the process would. */
const CHILD = `
	import http from "node:http";
	import { createHttpVideoSource } from "@reelkeep/archiver";
	const [, link] = process.argv;
	const source = createHttpVideoSource({ allowHosts: ["127.0.0.1"], allowPrivateNetwork: true });
	const opened = await source.open(link, { signal: new AbortController().signal });
	if (opened._tag === "Opened") for await (const chunk of opened.body) process.stdout.write(Buffer.from(chunk));
	const asked = http.get(link + "?control", (answer) => answer.resume());
	await new Promise((resolve) => asked.on("close", resolve));
`;

describe("a proxy in the environment", () => {
	it("is not asked for videos, whatever Node does with it otherwise", async () => {
		const proxied: string[] = [];
		const origin = await serve((_request, response) => response.end("video"));
		const proxy = await serve((request, response) => {
			proxied.push(request.url ?? "");
			response.end("from the proxy");
		});
		const url = `http://127.0.0.1:${proxy}`;
		const names = ["http_proxy", "https_proxy", "all_proxy"];
		const variables = names.flatMap((name) => [name, name.toUpperCase()]).map((name) => [name, url]);
		const env = {
			...process.env,
			...Object.fromEntries(variables),
			NODE_USE_ENV_PROXY: "1",
			NO_PROXY: "",
			no_proxy: "",
		};
		const link = `http://127.0.0.1:${origin}/v.mp4`;
		const args = ["--input-type=module", "-e", CHILD, link];
		const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: PACKAGE, env });
		expect(stdout).toBe("video");
		expect(proxied.filter((asked) => !asked.endsWith("?control"))).toEqual([]);
		// From Node 24 on, the environment is heeded by everything else: the proxy was there to be asked.
		if (Number(process.versions.node.split(".")[0]) >= 24) expect(proxied).toEqual([`${link}?control`]);
	});
});
