import { describe, expect, it } from "vitest";
import { report, started } from "./container/test-reelkeep.js";
import { memoryStorage } from "./memory/plugin.js";
import { createProjectAdmission, projectAdmission } from "./project-admission.js";

describe("createProjectAdmission", () => {
	const admission = createProjectAdmission({ a: ["p", "q"], all: "*" });

	it.each([
		["a", "p", "Admitted"],
		["a", "q", "Admitted"],
		["a", "r", "NotAdmitted"],
		["a", "*", "NotAdmitted"],
		["all", "anything", "Admitted"],
		["unknown", "p", "NotAdmitted"],
		["__proto__", "p", "NotAdmitted"],
	] as const)("says of app %s and project %s: %s", async (appKey, projectId, _tag) => {
		expect(await admission.admit({ appKey, projectId })).toMatchObject({ _tag });
	});

	it("refuses rules under which nobody could report", () => {
		expect(() => createProjectAdmission({})).toThrow(/no app may report/);
		expect(() => createProjectAdmission({ a: [] })).toThrow(/app a has no project/);
	});

	it("takes the default's place in a composition: another's project is refused, and nothing is stored", async () => {
		const reelkeep = await started({ plugins: [memoryStorage(), projectAdmission({ app: ["mine"] })] });
		expect(await reelkeep.receive(report())).toMatchObject({ _tag: "Refused" });
		for await (const event of reelkeep.store.readAll()) expect(event).toBeUndefined();
		const mine = { ...report(), requestParam: String(report().requestParam).replace('"project"', '"mine"') };
		expect(await reelkeep.receive(mine)).toMatchObject({ _tag: "Reported" });
	});
});
