import http from "node:http";
import https from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { open, serve } from "./test-way-inside.js";

const LOCAL = { allowHosts: ["127.0.0.1"], allowPrivateNetwork: true };

const agents = { http: http.globalAgent, https: https.globalAgent };
afterEach(() => {
	http.globalAgent = agents.http;
	https.globalAgent = agents.https;
});

/** What `NODE_USE_ENV_PROXY` and packages such as `global-agent` make of the global agents. */
class ProxyAgent extends http.Agent {
	static asked = 0;
	override createConnection(): Socket {
		ProxyAgent.asked += 1;
		throw new Error("everything goes through the proxy");
	}
}
class TlsProxyAgent extends https.Agent {
	override createConnection(): Socket {
		ProxyAgent.asked += 1;
		throw new Error("everything goes through the proxy");
	}
}

describe("a proxy that all requests of the process go through", () => {
	it("is not asked: it would resolve names by itself", async () => {
		http.globalAgent = new ProxyAgent();
		https.globalAgent = new TlsProxyAgent();
		const origin = await serve(() => ({ status: 200, body: "video" }));
		expect(await open(`http://127.0.0.1:${origin.port}/v`, LOCAL)).toMatchObject({ _tag: "Opened" });
		const refused = await open(`https://127.0.0.1:${origin.port}/v`, LOCAL);
		expect(refused).toMatchObject({ _tag: "Unavailable", reason: "unreachable" });
		expect(origin.connections()).toBe(2);
		expect(ProxyAgent.asked).toBe(0);
	});

	it("leaves no connection behind that another request could use", async () => {
		let closed = 0;
		const server = createServer((socket) => {
			socket.on("close", () => {
				closed += 1;
			});
			socket.once("data", () =>
				socket.end("HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\nv"),
			);
		});
		await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
		const result = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v`, LOCAL);
		if (result._tag === "Opened") for await (const _ of result.body);
		await expect.poll(() => closed).toBe(1);
		server.close();
	});
});
