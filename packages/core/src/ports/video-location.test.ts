import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { SIMILAR_KEYS } from "../conformance/video-store-keys.js";
import { isVideoLocation, locationOfVideo, videoLocation, videoName } from "./video-location.js";

test("a location is the SHA-256 of the key as JSON text, below its first two digits", () => {
	const name = createHash("sha256").update('"recording-1"').digest("hex");
	expect(videoName("recording-1")).toBe(name);
	expect(videoLocation("recording-1")).toBe(`videos/${name.slice(0, 2)}/${name}.mp4`);
	expect(locationOfVideo(name)).toBe(videoLocation("recording-1"));
});

test("keys that are alike have locations of their own", () => {
	expect(new Set([...SIMILAR_KEYS, "\ud800", "\udfff"].map(videoLocation)).size).toBe(
		SIMILAR_KEYS.length + 2,
	);
});

test("only what it makes is a location", () => {
	const location = videoLocation("a");
	expect(isVideoLocation(location)).toBe(true);
	for (const text of [
		"",
		"videos",
		`/${location}`,
		`../${location}`,
		`${location}/`,
		`${location}\n`,
		location.toUpperCase(),
		location.replace(/^videos\/../, "videos/.."),
		location.replace(/^videos\/../, "videos/zz"),
		location.replace("/", "//"),
	])
		expect(isVideoLocation(text), JSON.stringify(text)).toBe(false);
});
