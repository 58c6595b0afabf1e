import { keyringFault, sourceFault, storeFault } from "@reelkeep/core/ports";
import { describe, expect, it } from "vitest";
import { describeError } from "./describe-error.js";

const LINK = "https://b.aliyuncs.com/v.mp4?Expires=1&Signature=s3cret";

describe("describeError", () => {
	it("repeats of a foreign error its name and code, and none of its words and fields", () => {
		const foreign = Object.assign(new Error(`GET ${LINK} failed`), {
			code: "ECONNRESET",
			reason: LINK,
			config: { url: LINK },
			cause: Object.assign(new Error(LINK), { code: "ETIMEDOUT" }),
		});
		const described = describeError(foreign);
		expect(described).toEqual({
			name: "Error",
			code: "ECONNRESET",
			cause: { name: "Error", code: "ETIMEDOUT" },
		});
		expect(JSON.stringify(described)).not.toContain("s3cret");
	});

	it("keeps a fault's words and the code of its cause when it is written as JSON", () => {
		const cause = Object.assign(new Error("write failed"), { code: "ENOSPC" });
		const described = describeError(storeFault("io", "the disk is full", { cause }));
		expect(JSON.parse(JSON.stringify(described))).toEqual({
			name: "StoreFault",
			_tag: "StoreFault",
			reason: "io",
			message: "the disk is full",
			cause: { name: "Error", code: "ENOSPC" },
		});
	});

	it.each([
		["a source's fault", sourceFault("stalled", "silence"), { reason: "stalled", message: "silence" }],
		["a keyring's", keyringFault("unknown-key", "no key k1"), { message: "no key k1" }],
		["a text that was thrown", LINK, { name: "string" }],
		["nothing", undefined, { name: "undefined" }],
	])("describes %s", (_what, error, described) => {
		expect(describeError(error)).toMatchObject(described);
		expect(JSON.stringify(describeError(error))).not.toContain("s3cret");
	});
});
