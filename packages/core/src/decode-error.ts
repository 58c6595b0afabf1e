// Turns io-ts errors into issues that name the field and what was expected, and never the value (promise 8).

import type { Errors, ValidationError } from "io-ts";
import type { DecodeIssue } from "./ports/ingress.js";

/** More issues than a person reads are left out. */
const MAX_ISSUES = 16;

/** Why a value is not what a codec describes. *Shape*: 1 to 16 issues. */
export interface DecodeError {
	readonly _tag: "DecodeError";
	readonly issues: readonly DecodeIssue[];
}

export function decodeError(issues: readonly DecodeIssue[]): DecodeError {
	return { _tag: "DecodeError", issues: issues.slice(0, MAX_ISSUES) };
}

/** `DecodeError` of what an io-ts codec complained about. */
export function fromIoTs(errors: Errors): DecodeError {
	return decodeError(errors.map(toIssue));
}

/** One line for people: `project_id is missing; expire_time must be …`. */
export function describeIssues(issues: readonly DecodeIssue[]): string {
	return issues
		.map(({ field, problem }) => (field === "" ? `request_param ${problem}` : `${field} ${problem}`))
		.join("; ");
}

function toIssue(error: ValidationError): DecodeIssue {
	const field = error.context
		.map(({ key }) => key)
		.filter((key) => key !== "")
		.join(".");
	if (error.value === undefined || error.value === null) return { field, problem: "is missing" };
	const expected = error.context.at(-1)?.type.name ?? "another type";
	return { field, problem: error.message ?? `must be ${expected}` };
}
