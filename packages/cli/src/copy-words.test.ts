import { expect, test } from "vitest";
import type { CopyConfig } from "./copy-config.js";
import type { CopyReport } from "./copy-store.js";
import { copyToJson, copyToText, summaryText } from "./copy-words.js";

const config: CopyConfig = {
	from: { name: "/data", events: { _tag: "Directory", directory: "/data" }, videos: undefined },
	to: {
		name: "postgres://db/main",
		events: { _tag: "Postgres", connectionString: "postgres://me:hush@db/main" },
		videos: undefined,
	},
	keys: { from: "/data/keys.json", to: "/etc/keys.json" },
	allowNetworkFileSystem: false,
};
const report: CopyReport = {
	events: 1,
	sha256: "ab",
	copiedEvents: 0,
	checkpoints: { count: 2, moved: 1, ahead: [] },
	videos: undefined,
	isSourceInUse: false,
};
const text = (more: Partial<CopyReport>, keys: "copied" | "there" | "none" = "copied") =>
	[...copyToText(config, { ...report, ...more }, keys)].join("\n");

test("what is lacking is listed, and what is not listed is counted", () => {
	const problem = {
		stream: "s",
		location: "videos/a\u001b[2J",
		problem: "damaged",
		message: "it has 3 bytes",
	} as const;
	const videos = { archived: 9, copied: 1, copiedBytes: 2_048, lacking: 3, problems: [problem] };
	expect(text({ videos })).toContain(
		"9 videos (1 copied now, 2.0 KiB)\n3 videos not in the copy as the log says:\ndamaged: videos/a\ufffd[2J: it has 3 bytes\nand 2 more",
	);
});

test("names of others move no cursor", () => {
	expect(text({ checkpoints: { count: 1, moved: 0, ahead: ["a\u001b[2J", "b"] } })).toContain(
		"further in the copy already, and left there: a\ufffd[2J, b",
	);
});

test.each([
	[true, "a server runs on the source; what it takes from now on is not in the copy: stop it"],
	[undefined, "if a server runs on the source, what it takes from now on is not in the copy: stop it"],
])("that more may come is said where it is so: %j", (isSourceInUse, says) => {
	expect(text({ isSourceInUse })).toContain(says);
	expect(text({})).not.toContain("what it takes from now on");
});

test("where the keys are is said, or that there are none", () => {
	expect(text({})).toContain("the keys are in /etc/keys.json");
	expect(text({}, "none")).toContain("no keys are copied");
});

test("for programs it is one object, without a secret", () => {
	const json = copyToJson(config, { ...report, isSourceInUse: undefined }, "there");
	expect(JSON.parse(json)).toEqual({
		from: "/data",
		to: "postgres://db/main",
		events: 1,
		copiedEvents: 0,
		sha256: "ab",
		checkpoints: 2,
		movedCheckpoints: 1,
		checkpointsAhead: [],
		videos: null,
		keys: "there",
		sourceInUse: null,
	});
	expect(json).not.toContain("hush");
});

test("the line above the bars says what is done, also between two parts", () => {
	const part = { stream: "x", totalBytes: 10, remainingMs: 1 };
	const downloads = [
		{ ...part, host: "video", bytes: 2_048, bytesPerSecond: 1_024 },
		{ ...part, host: "video", bytes: 1_024, bytesPerSecond: 0 },
	];
	expect(summaryText({ downloads, kept: 1, failed: 0 })).toBe(
		"copying (video): 3.0 KiB, 1.0 KiB/s; 1 video copied",
	);
	expect(summaryText({ downloads: [], kept: 7, failed: 0 })).toBe("copying; 7 videos copied");
});
