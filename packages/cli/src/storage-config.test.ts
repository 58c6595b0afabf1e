import { describe, expect, test } from "vitest";
import { readEventsConfig } from "./storage-config.js";

const keyFile = "keys.json";

describe("--events", () => {
	test.each([undefined, ""])("%j keeps events in the data directory", (events) => {
		expect(readEventsConfig(events === undefined ? {} : { events }, {})).toBeUndefined();
	});

	test.each(["postgres://reelkeep@db/reelkeep", "postgresql://db:5433/x?sslmode=verify-full"])(
		"takes %s",
		(events) => {
			expect(readEventsConfig({ events, keyFile }, {})).toBe(events);
		},
	);

	test.each(["mysql://db/x", "db/x", "http://db"])("refuses %s, and says what it takes", (events) => {
		expect(() => readEventsConfig({ events, keyFile }, {})).toThrow("--events takes postgres://");
	});

	test("takes a password from the environment only, and quotes it nowhere", () => {
		const events = "postgres://reelkeep:a-secret@db/reelkeep";
		expect(readEventsConfig({ events, keyFile }, { REELKEEP_EVENTS: events })).toBe(events);
		expect(() => readEventsConfig({ events, keyFile }, {})).toThrow("put the URL into REELKEEP_EVENTS");
		expect(() => readEventsConfig({ events, keyFile }, {})).not.toThrow("a-secret");
	});

	test("needs a key file for all", () => {
		expect(() => readEventsConfig({ events: "postgres://db/x" }, {})).toThrow("--events needs --key-file");
	});
});
