import { expect, test } from "vitest";
import { createConditions } from "./create-only.js";

const answered = (httpStatusCode: number, name = "Error") =>
	Object.assign(new Error(), { name, $metadata: { httpStatusCode } });

test.each([
	["if-none-match", ["if-none-match", "*"], 0],
	// Which OSS takes no notice of in a bucket with versions.
	["forbid-overwrite", ["x-oss-forbid-overwrite", "true"], 1],
] as const)("%s is asked of the server", async (mode, header, looks) => {
	const sent: unknown[] = [];
	const send = async (given: unknown) => void sent.push(given);
	let looked = 0;
	const look = async () => {
		looked += 1;
		return false;
	};
	const conditions = createConditions(mode);
	expect(await conditions.create({ send, look })).toBe(true);
	expect([sent, looked]).toEqual([[header], looks]);
	expect(conditions.header()).toEqual(header);
});

test.each([
	["if-none-match", answered(412)],
	["forbid-overwrite", answered(409, "FileAlreadyExists")],
] as const)("%s: what is there already is no fault, anything else is", async (mode, taken) => {
	const conditions = createConditions(mode);
	const look = async () => false;
	expect(await conditions.create({ look, send: () => Promise.reject(taken) })).toBe(false);
	for (const error of [answered(409), answered(503), new Error("cut")])
		await expect(conditions.create({ look, send: () => Promise.reject(error) })).rejects.toBe(error);
});

test("look-first sends nothing where something is, nor does forbid-overwrite", async () => {
	const send = async () => expect.unreachable();
	for (const mode of ["forbid-overwrite", "look-first"] as const)
		expect(await createConditions(mode).create({ send, look: async () => true })).toBe(false);
	const conditions = createConditions("look-first");
	const sent: unknown[] = [];
	const note = async (header: unknown) => void sent.push(header);
	expect(await conditions.create({ send: note, look: async () => false })).toBe(true);
	expect(sent).toEqual([undefined]);
});

test("a condition that the server does not know is given up for all, and told once", async () => {
	let told = 0;
	const warn = (): void => {
		told += 1;
	};
	const quiet = (): void => undefined;
	const logger = { trace: quiet, debug: quiet, info: quiet, warn, error: quiet };
	const conditions = createConditions("if-none-match", logger);
	let looks = 0;
	const look = async () => {
		looks += 1;
		return false;
	};
	// At once: each of them has been sent with the condition.
	const send = async (header: unknown) => {
		await Promise.resolve();
		if (header !== undefined) throw answered(501, "NotImplemented");
	};
	const created = await Promise.all([1, 2, 3].map(() => conditions.create({ send, look })));
	expect(created).toEqual([true, true, true]);
	expect([told, looks]).toEqual([1, 3]);
	expect(conditions.header()).toBeUndefined();
	const strict = createConditions("forbid-overwrite", logger);
	await expect(strict.create({ send, look })).rejects.toMatchObject({ name: "NotImplemented" });
});
