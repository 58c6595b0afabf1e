// The README's table "Which body arrives as it was signed", cell by cell, through each framework's real server.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { takeApart } from "@reelkeep/harness/signed-body";
import { afterEach, describe, expect, it } from "vitest";
import { ODD_TEXT } from "../test/binding.js";
import { BINDINGS } from "../test/bindings.js";
import { APPS, handlerOptions, recordingReceive, signed, standingClock } from "../test/harness.js";
import type { RunningBinding, StartBinding } from "../test/running-binding.js";
import { signedBatch, signedSpi } from "../test/signed-bodies.js";
import type { RouteOptions } from "./routes.js";
import { createSpiVerifier } from "./spi-verifier.js";

const SENT: Readonly<Record<string, { readonly bytes: () => Buffer; readonly isSpi?: true }>> = {
	form: { bytes: () => signed({ requestParam: ODD_TEXT }) },
	multipart: { bytes: () => signed({ requestParam: ODD_TEXT, place: "multipart" }) },
	"GET with a body": { bytes: () => signed({ requestParam: ODD_TEXT, place: "get-with-body" }) },
	batch: { bytes: () => signedBatch([ODD_TEXT]) },
	"SPI, JSON": { bytes: () => signedSpi(`{ "request_param" : ${ODD_TEXT} }`), isSpi: true },
};

/** Row → column → what stands there. */
function readTable(): ReadonlyMap<string, ReadonlyMap<string, string>> {
	const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
	const [, section = ""] = readme.split("## Which body arrives as it was signed\n");
	const [header = [], _rule, ...rows] = (section.split("\n\n").find((part) => part.startsWith("|")) ?? "")
		.split("\n")
		.map((line) =>
			line
				.split("|")
				.slice(1, -1)
				.map((cell) => cell.trim()),
		);
	const [, ...columns] = header;
	return new Map(
		rows.map(([name = "", ...cells]) => [
			name,
			new Map(columns.map((column, at) => [column, cells[at] ?? ""])),
		]),
	);
}

const table = readTable();
const running: RunningBinding[] = [];
afterEach(async () => {
	await Promise.all(running.splice(0).map((binding) => binding.close()));
});

async function given(start: StartBinding, isSpi = false) {
	const { receive, reports } = recordingReceive();
	const spi: Partial<RouteOptions> = {
		direction: "spi",
		verifier: createSpiVerifier({ apps: APPS, clock: standingClock() }),
	};
	const binding = await start({ ...handlerOptions(receive), ...(isSpi ? spi : {}) });
	running.push(binding);
	return { binding, reports };
}

/** The hash of what was sent: target, a line feed, body. */
function sha256Of(bytes: Buffer): string {
	const { target, body } = takeApart(bytes);
	return createHash("sha256").update(`${target}\n`, "latin1").update(body).digest("hex");
}

it("the README's table has a row for each binding that is tested, and a column for each kind of body", () => {
	expect([...table.keys()]).toEqual(Object.keys(BINDINGS));
	for (const row of table.values()) expect([...row.keys()]).toEqual(Object.keys(SENT));
});

const cells = Object.entries(BINDINGS).flatMap(([name, ways]) =>
	Object.entries(ways).flatMap(([way, start]) =>
		Object.entries(SENT).map(([kind, sent]) => {
			const cell = table.get(name)?.get(kind) ?? "";
			return { name, way, kind, cell, start, ...sent };
		}),
	),
);

describe.each(cells)("$name, $way, $kind: $cell", ({ cell, start, bytes, isSpi }) => {
	it("takes, refuses or asks again for odd text as the table says", async () => {
		const { binding, reports } = await given(start, isSpi);
		const sent = bytes();
		const reply = await binding.send(sent);
		const taken = reports.map(({ requestParam }) => requestParam);
		const hashes = reports.map(({ metadata }) => metadata.verification?.requestSha256);
		if (cell.startsWith("yes")) {
			expect(reply).toMatch(/"consume_state":1/);
			expect(taken).toEqual([ODD_TEXT]);
			expect(hashes).toEqual([cell === "yes" ? sha256Of(sent) : undefined]);
		} else {
			expect(taken).toEqual([]);
			expect(reply).toContain(cell === "2" ? "isp.remote-service-error" : "<code>21</code>");
		}
		expect(cell).toMatch(/^(?:yes|yes, 1|2|no, `supports\.getBody`)$/);
	});

	it("takes nothing of it with one byte changed", async () => {
		const { binding, reports } = await given(start, isSpi);
		const sent = bytes();
		const at = sent.lastIndexOf("game_id");
		expect(at).toBeGreaterThan(sent.indexOf("\r\n\r\n"));
		sent[at] = 0x68;
		const reply = await binding.send(sent);
		expect(reports).toEqual([]);
		if (cell.startsWith("yes")) expect(reply).toMatch(/"code":25|sign-check-failure/);
	});
});
