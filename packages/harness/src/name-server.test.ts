import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type NameServer, startNameServer } from "./name-server.js";

let server: NameServer;
beforeEach(async () => {
	server = await startNameServer();
});
afterEach(() => server.close());

describe("the name server of the tests", () => {
	it("answers with the addresses of both families", async () => {
		server.answer("a.example", { addresses: ["192.0.2.1", "192.0.2.2", "2001:db8::1"] });
		expect(await server.resolve("a.example")).toEqual(["192.0.2.1", "192.0.2.2", "2001:db8::1"]);
	});

	it("goes on from alias to alias", async () => {
		server.answer("a.example", { alias: "b.example" });
		server.answer("b.example", { alias: "c.example" });
		server.answer("c.example", { addresses: ["192.0.2.3"] });
		expect(await server.resolve("a.example")).toEqual(["192.0.2.3"]);
	});

	it("says something else the second time, and counts", async () => {
		server.answer("a.example", { addresses: ["192.0.2.1"] }, { addresses: ["192.0.2.2"] });
		expect(await server.resolve("A.example")).toEqual(["192.0.2.1"]);
		expect(await server.resolve("a.example")).toEqual(["192.0.2.2"]);
		expect(await server.resolve("a.example")).toEqual(["192.0.2.2"]);
		expect(server.queries("a.example")).toEqual({ A: 3, AAAA: 3 });
	});

	it("knows no other name", async () => {
		expect(await server.resolve("nobody.example")).toEqual([]);
		expect(server.queries("nobody.example")).toEqual({ A: 1, AAAA: 1 });
	});

	it("takes as long as it is told", async () => {
		server.answer("slow.example", { addresses: ["192.0.2.1"], delayMs: 60 });
		const startedAt = performance.now();
		expect(await server.resolve("slow.example")).toEqual(["192.0.2.1"]);
		expect(performance.now() - startedAt).toBeGreaterThan(50);
	});
});
