// An object store on 127.0.0.1 that behaves like Aliyun OSS where a download can notice: V1 signatures, error XML,
// ETags and checksums, ranges and conditions. For tests and the demo; path-style, with one bucket that does not stand in
// its links.

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createCRC64 } from "hash-wasm";
import { type HeldObject, holdObject, type ObjectBytes, type ObjectHabits } from "./held-object.js";
import { planAnswer } from "./object-answer.js";
import { checkFaults, type ObjectFault, singleFaults, spoil } from "./object-fault.js";
import { checkLink, sendError } from "./oss-error.js";
import { type Credentials, presignLink } from "./presigned-link.js";
import { sendAnswer } from "./send-answer.js";

const BUCKET = "recordings";

export interface ObjectStoreOptions {
	/** What to serve, by name without a leading slash. */
	readonly objects?: Readonly<Record<string, Uint8Array | ObjectBytes>>;
	/** What is said about objects that were put without habits of their own. Default: an ETag that is the MD5. */
	readonly habits?: ObjectHabits;
	/** Faults of the first GETs of an object, in order; later GETs are answered well. */
	readonly faults?: Readonly<Record<string, readonly ObjectFault[]>>;
	/** By which links expire; UTC milliseconds. Default: the system's clock. */
	readonly now?: () => number;
	/** TCP port; default 0: a free one. */
	readonly port?: number;
}

export interface ObjectStore {
	/** `http://127.0.0.1:port`; allow `127.0.0.1` and the private network to download from it. */
	readonly origin: string;
	/** Adds or replaces an object. */
	put(name: string, object: Uint8Array | ObjectBytes, habits?: ObjectHabits): void;
	remove(name: string): void;
	/** Adds faults for the next GETs of an object that pass the signature check. */
	fault(name: string, ...faults: readonly ObjectFault[]): void;
	/** The same for GETs that ask for a range: while there are any, such a GET takes its fault from these. */
	faultRanges(name: string, ...faults: readonly ObjectFault[]): void;
	/** The fault of every GET for which there is no other; `undefined`: none. */
	faultForever(name: string, fault: ObjectFault | undefined): void;
	/** A presigned GET link. *Units*: UTC milliseconds; V1 links expire at whole seconds. */
	presign(name: string, expiresAtMs: number): string;
	/** How many requests came for one object, or for all, whatever they were answered. */
	requests(name?: string): number;
	/** What was asked, in order. An answer under way has the bytes sent so far. */
	asked(name?: string): readonly AskedRequest[];
	/** Breaks off what is under way. Idempotent. */
	close(): Promise<void>;
}

/** A request that came, and what it got. */
export interface AskedRequest {
	readonly name: string;
	readonly range?: string;
	readonly ifMatch?: string;
	readonly ifRange?: string;
	/** 0 while there is no answer. */
	readonly status: number;
	/** Of the object, as they were given to the connection; an error's body does not count. */
	readonly bodyBytes: number;
}

interface State {
	readonly objects: Map<string, HeldObject>;
	readonly faults: Map<string, ObjectFault[]>;
	readonly rangeFaults: Map<string, ObjectFault[]>;
	readonly lastingFaults: Map<string, ObjectFault | undefined>;
	readonly asked: { -readonly [Key in keyof AskedRequest]: AskedRequest[Key] }[];
	readonly credentials: Credentials;
	readonly now: () => number;
	put(name: string, object: Uint8Array | ObjectBytes, habits?: ObjectHabits): void;
}

/** Starts an object store. Its credentials are made up at every start, so that a leaked link is found and worth nothing. */
export async function startObjectStore(options: ObjectStoreOptions = {}): Promise<ObjectStore> {
	const state = await createState(options);
	const server = createServer((request, response) => {
		response.on("error", () => undefined);
		answer(state, request, response).catch(() => response.destroy());
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(options.port ?? 0, "127.0.0.1", resolve);
	});
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const { credentials } = state;
	const asked = (name?: string) => state.asked.filter((each) => name === undefined || each.name === name);
	return {
		origin,
		put: state.put,
		remove: (name) => void state.objects.delete(name),
		fault: (name, ...faults) => add(state.faults, name, faults),
		faultRanges: (name, ...faults) => add(state.rangeFaults, name, faults),
		faultForever(name, fault) {
			checkFaults(fault === undefined ? [] : [fault]);
			state.lastingFaults.set(name, fault);
		},
		presign: (objectName, expiresAtMs) =>
			presignLink(origin, { bucket: BUCKET, objectName, expiresAtMs }, credentials),
		requests: (name) => asked(name).length,
		asked,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

async function createState(options: ObjectStoreOptions): Promise<State> {
	const { now = Date.now, habits = {}, objects = {}, faults = {} } = options;
	checkFaults(Object.values(faults).flat());
	const crc64 = await createCRC64();
	const state: State = {
		objects: new Map(),
		faults: new Map(Object.entries(faults).map(([name, list]) => [name, [...list]])),
		rangeFaults: new Map(),
		lastingFaults: new Map(),
		asked: [],
		credentials: {
			accessKeyId: `LTAI5t${randomBytes(9).toString("hex")}`,
			accessKeySecret: randomBytes(15).toString("hex"),
		},
		now,
		put: (name, object, own = habits) =>
			void state.objects.set(name, holdObject(object, own, { crc64, now: now() })),
	};
	for (const [name, object] of Object.entries(objects)) state.put(name, object);
	return state;
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const url = new URL(request.url ?? "/", "http://127.0.0.1");
	const name = decodeURIComponent(url.pathname.slice(1));
	const record = { name, ...conditionsOf(request), status: 0, bodyBytes: 0 };
	state.asked.push(record);
	response.once("finish", () => {
		record.status = response.statusCode;
	});
	response.setHeader("server", "AliyunOSS");
	response.setHeader("x-oss-request-id", randomBytes(12).toString("hex").toUpperCase());
	const refused = checkLink(
		request,
		{ url, bucket: BUCKET, objectName: name },
		{ credentials: state.credentials, now: state.now() },
	);
	if (refused !== undefined) return sendError(response, refused);
	const faults = singleFaults(nextFault(state, name, request));
	if (replaceAnswer(response, faults)) return;
	for (const fault of faults) {
		if (fault._tag === "Replace") replaceObject(state, name, fault.by);
	}
	const object = state.objects.get(name);
	if (object === undefined) {
		const message = "The specified key does not exist.";
		return sendError(response, { status: 404, code: "NoSuchKey", message, details: { Key: name } });
	}
	const planned = planAnswer(request.headers, object);
	if ("refused" in planned) {
		const { refused: status, headers } = planned;
		const code = status === 412 ? "PreconditionFailed" : "InvalidRange";
		return sendError(response, { status, code, message: "It cannot be answered as it was asked.", headers });
	}
	const spoilt = faults.reduce((soFar, fault) => spoil(soFar, fault, object), planned);
	record.status = spoilt.status;
	await sendAnswer(response, object.bytes, spoilt, (bytes) => {
		record.bodyBytes += bytes;
	});
}

/** The faults that stand in place of an answer; whether there was one. */
function replaceAnswer(response: ServerResponse, faults: readonly ObjectFault[]): boolean {
	for (const fault of faults) {
		if (fault._tag === "Status") {
			const { status, code = "ServiceUnavailable", message = "Please try again.", retryAfter } = fault;
			const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
			sendError(response, { status, code, message, headers });
			return true;
		}
		if (fault._tag === "Redirect") {
			response.writeHead(fault.status ?? 302, { location: fault.location }).end();
			return true;
		}
	}
	return false;
}

function nextFault(state: State, name: string, { headers }: IncomingMessage): ObjectFault | undefined {
	const ofRange = headers.range === undefined ? undefined : state.rangeFaults.get(name)?.shift();
	return ofRange ?? state.faults.get(name)?.shift() ?? state.lastingFaults.get(name);
}

/** It was modified just now, where that is said. */
function replaceObject(state: State, name: string, by: Uint8Array | ObjectBytes): void {
	const { modifiedMsAgo, ...habits } = state.objects.get(name)?.habits ?? {};
	state.put(name, by, modifiedMsAgo === undefined ? habits : { ...habits, modifiedMsAgo: 0 });
}

function conditionsOf({ headers }: IncomingMessage): Pick<AskedRequest, "range" | "ifMatch" | "ifRange"> {
	const { range, "if-match": ifMatch, "if-range": ifRange } = headers;
	return {
		...(range === undefined ? {} : { range }),
		...(ifMatch === undefined ? {} : { ifMatch }),
		...(typeof ifRange === "string" ? { ifRange } : {}),
	};
}

function add(faults: Map<string, ObjectFault[]>, name: string, more: readonly ObjectFault[]): void {
	checkFaults(more);
	faults.set(name, [...(faults.get(name) ?? []), ...more]);
}
