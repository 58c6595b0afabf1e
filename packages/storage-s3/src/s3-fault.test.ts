import { expect, test } from "vitest";
import { toFault } from "./s3-fault.js";

const answered = (name: string, httpStatusCode: number) =>
	Object.assign(new Error("a-secret in a message"), {
		name,
		$metadata: { httpStatusCode },
		$response: { a: "a-secret" },
	});

test.each([
	["NoSuchBucket", 404, "has no such bucket", false],
	["AccessDenied", 403, "does not allow it (AccessDenied)", false],
	["Forbidden", 403, "does not allow it", false],
	["InvalidAccessKeyId", 403, "refuses this access key", false],
	["SecurityTokenExpired", 403, "out of date", true],
	["RequestTimeTooSkewed", 403, "clock", false],
	["SecondLevelDomainForbidden", 403, "pathStyle", false],
	["SlowDown", 503, "fewer requests", true],
	["InternalError", 500, "answers 500 (InternalError)", true],
	["NotImplemented", 501, "answers 501", false],
	["ConditionalRequestConflict", 409, "answers 409", true],
	["MalformedXML", 400, "answers 400", false],
	["BadDigest", 400, "other bytes", true],
] as const)("%s (%i) reads as what to do, and whether to try again", (name, status, text, retryable) => {
	const fault = toFault(answered(name, status), "writing a video");
	expect(fault).toMatchObject({ _tag: "StoreFault", reason: "io", retryable });
	expect(fault.message).toContain("writing a video: the object store ");
	expect(fault.message).toContain(text);
});

test("no answer may be one later", () => {
	const refused = Object.assign(new Error("connect 10.0.0.1"), { code: "ECONNREFUSED" });
	expect(toFault(refused, "doing")).toMatchObject({
		retryable: true,
		message: "doing: the object store cannot be reached (ECONNREFUSED)",
	});
	expect(toFault("?", "doing")).toMatchObject({ message: "doing: the object store cannot be reached" });
});

test("a fault holds neither message nor request of what failed", () => {
	for (const name of ["AccessDenied", "a-secret of a name", "x".repeat(100)]) {
		const fault = toFault(answered(name, 403), "doing");
		expect(`${fault.stack} ${JSON.stringify(fault)} ${fault.cause}`).not.toContain("a-secret");
	}
	const fault = toFault(answered("AccessDenied", 403), "doing");
	expect(toFault(fault, "again")).toBe(fault);
});
