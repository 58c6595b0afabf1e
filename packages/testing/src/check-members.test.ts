import { afterEach, beforeEach, expect, it } from "vitest";
import { checkMembers } from "./check-members.js";
import { CALLBACK_MEMBERS } from "./sample-callback.js";
import { startTestReelkeep, type TestReelkeep } from "./start-test-reelkeep.js";

let reelkeep: TestReelkeep;
beforeEach(async () => {
	reelkeep = await startTestReelkeep();
});
afterEach(() => reelkeep.stop());

it.each([
	["gameId", "game_id"],
	["trackinfo", "track_info"],
	["expires_time", "expire_time"],
	["account_domian", "account_domain"],
	["url", "download_url"],
	["Version", "version"],
])("a member that no callback has is named, with the nearest: %s for %s", (odd, member) => {
	const check = () => checkMembers({ track_info: "mine", [odd]: "a secret" });
	expect(check).toThrow(`no callback has a member ${odd}; the nearest is ${member}.`);
	expect(check).not.toThrow("a secret");
	expect(check).toThrow(CALLBACK_MEMBERS.join(", "));
});

it("every member that a callback has may be changed", () => {
	expect(() => checkMembers(Object.fromEntries(CALLBACK_MEMBERS.map((name) => [name, null])))).not.toThrow();
});

it("a report with such a member is none: nothing is sent", async () => {
	const changes: Record<string, unknown> = { gameId: "other" };
	await expect(reelkeep.report(changes)).rejects.toThrow("the nearest is game_id");
	expect(await reelkeep.history()).toEqual([]);
});

it("one that is meant goes beside the callback's, and does what the receiver makes of it", async () => {
	expect(await reelkeep.report({}, { extra: { gameId: "other" } })).toMatchObject({ _tag: "Reported" });
	expect(await reelkeep.history()).toMatchObject([{ data: { gameId: "cgdctwrqs" } }]);
	const both = await reelkeep.report({ track_info: "a" }, { extra: { track_info: "b", "": [] } });
	expect(both).toMatchObject({ _tag: "Reported" });
	expect((await reelkeep.history()).at(-1)).toMatchObject({ data: { trackInfo: "b" } });
});
