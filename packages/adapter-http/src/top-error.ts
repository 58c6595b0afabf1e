// The gateway's error table (docs/top-protocol.md §4): the only place where its numbers stand.

/** An error as the gateway words it. `subMsg` is for people; it never holds a value that was sent. */
export interface TopError {
	readonly code: number;
	readonly msg: string;
	readonly subCode?: string;
	readonly subMsg?: string;
}

export type TopErrorName = keyof typeof TOP_ERRORS;

const REMOTE = "Remote service error";
const ARGUMENTS = "Invalid arguments";

/** *Source*: docs/top-protocol.md §4. `isv.*`: the sender must change something. `isp.*`: the sender should try again. */
const TOP_ERRORS = {
	rateLimited: { code: 7, msg: "App Call Limited", subCode: "accesscontrol.limited-by-api-access-count" },
	verbNotAllowed: { code: 9, msg: "Http action not allowed" },
	notPermitted: {
		code: 11,
		msg: "Insufficient isv permissions",
		subCode: "isv.permission-api-package-not-allowed",
	},
	unavailable: { code: 15, msg: REMOTE, subCode: "isp.remote-service-error" },
	timeout: { code: 15, msg: REMOTE, subCode: "isp.remote-service-timeout" },
	missingMethod: { code: 21, msg: "Missing method" },
	invalidMethod: { code: 22, msg: "Invalid method" },
	invalidFormat: { code: 23, msg: "Invalid format" },
	missingSignature: { code: 24, msg: "Missing signature" },
	invalidSignature: { code: 25, msg: "Invalid signature" },
	missingAppKey: { code: 28, msg: "Missing app key" },
	invalidAppKey: { code: 29, msg: "Invalid app key" },
	missingTimestamp: { code: 30, msg: "Missing timestamp" },
	invalidTimestamp: { code: 31, msg: "Invalid timestamp" },
	missingVersion: { code: 32, msg: "Missing version" },
	invalidVersion: { code: 33, msg: "Invalid version" },
	missingRequestParam: {
		code: 40,
		msg: "Missing required arguments",
		subCode: "isv.missing-parameter:request_param",
	},
	invalidRequest: { code: 41, msg: ARGUMENTS, subCode: "isv.invalid-parameter" },
	invalidRequestText: { code: 41, msg: ARGUMENTS, subCode: "isv.invalid-parameter:request_param" },
	invalidRequestParam: { code: 50, msg: REMOTE, subCode: "isv.invalid-parameter" },
} as const satisfies Record<string, TopError>;

/** The table's error `name`, with a word for the person who reads the sender's log. */
export function topError(name: TopErrorName, subMsg?: string): TopError {
	return subMsg === undefined ? TOP_ERRORS[name] : { ...TOP_ERRORS[name], subMsg };
}
