// What a profile is cut into: the parts of each way, and whose time is whose.

/** The parts of each way, each with what its files' paths end with or its functions are called. */
export const PARTS = {
	callbacks: [
		["garbage collection", [], ["(garbage collector)"]],
		[
			"reading the form",
			["parameters.js", "parameter-collector.js", "check-parameters.js", "read-body.js"],
			[],
		],
		["signature and readings", ["verifier.js", "/signature.js", "reading.js", "timestamp.js"], []],
		["hash of the request, receipt", ["report-callback.js"], ["requestSha256"]],
		["JSON and codec", ["screen-record-callback.js"], ["decodeRequestParam"]],
		["identity, link, deadline", ["recording-id.js", "/link.js", "deadline.js", "report-recording.js"], []],
		["sealing", ["keyring.js"], []],
		["deciding, checking the event", ["execute.js", "/recording.js", "check-append.js"], []],
		[
			"append: encoding",
			["batch.js", "stream-hash.js"],
			["encodeBody", "encodeFrame", "sealLine", "writeRecord"],
		],
		["append: group commit, disk", ["group-commit.js", "log-tail.js", "durable-note.js", "log-index.js"], []],
		["live events: reading back", ["follow.js", "log-reader.js"], ["feed"]],
		["answer", ["envelope.js", "report.js", "status.js"], ["renderReply", "send"]],
		["time limits", ["time-limit.js", "receive.js"], ["withTimeout", "sleep"]],
		[
			"node:http and sockets",
			["node:_http_server", "node:_http_common", "node:_http_outgoing", "node:net"],
			[],
		],
	],
	replay: [
		["garbage collection", [], ["(garbage collector)"]],
		["checksum", [], ["isSound", "crc32"]],
		["freezing the event", [], ["freezeDeep"]],
		["JSON.parse, text of the line", [], ["decodeRecord"]],
		["codec: is it what its type says", ["events.js", "/io-ts/lib/index.js"], ["decodeEvent"]],
		["reading the file", ["segment-files.js", "node-file-system.js"], ["readRun", "forEachLine", "read"]],
		["from event to event", ["log-reader.js", "replay.mjs"], []],
	],
	pending: [
		["garbage collection", [], ["(garbage collector)"]],
		[
			"reading the log, pending, plan",
			[
				"log-reader.js",
				"follow.js",
				"tail.js",
				"pending.js",
				"agenda.js",
				"rescue-plan.js",
				"host-queues.js",
			],
			[],
		],
		[
			"the link: opening, checking it",
			["/keyring.js", "follow-link.js", "link-policy.js", "address-policy.js", "resolve-host.js"],
			[],
		],
		[
			"request and answer",
			["pinned-request.js", "http-video-source.js", "origin-answer.js", "video-answer.js"],
			[],
		],
		["verifying", ["verify-video.js", "checksums.js"], []],
		[
			"writing the video",
			[
				"video-store.js",
				"block-writer.js",
				"fill-transfer.js",
				"settle-transfer.js",
				"transfer.js",
				"keep-video.js",
			],
			[],
		],
		["append of what it came to", ["execute.js", "group-commit.js", "batch.js", "log-tail.js"], []],
		["files", ["node-file-system.js", "node:fs", "node:internal/fs/promises"], []],
		["http and sockets", ["node:_http_client", "node:_http_common", "node:_http_incoming", "node:net"], []],
	],
};

/**
 * Busy microseconds of each part from `fromMs` after the profile's start on; what loads modules is left out. A function
 * counts for the nearest caller that has a part, and for "the rest" when none has.
 */
export function shareOut({ nodes, samples, timeDeltas }, parts, fromMs) {
	const nodeOf = new Map(nodes.map((node) => [node.id, node]));
	const parentOf = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
	const partOf = new Map();
	for (const { id } of nodes) partOf.set(id, findPart(id, parts, nodeOf, parentOf));
	const shares = new Map();
	let at = 0;
	for (const [index, id] of samples.entries()) {
		at += timeDeltas[index];
		const part = partOf.get(id);
		if (at >= fromMs * 1000 && part !== undefined)
			shares.set(part, (shares.get(part) ?? 0) + timeDeltas[index]);
	}
	return shares;
}

function findPart(id, parts, nodeOf, parentOf) {
	let found;
	for (let at = id; at !== undefined; at = parentOf.get(at)) {
		const { functionName, url } = nodeOf.get(at).callFrame;
		if (functionName === "(idle)" || url.startsWith("node:internal/modules")) return undefined;
		found ??= parts.find(
			([, files, functions]) => files.some((file) => url.endsWith(file)) || functions.includes(functionName),
		)?.[0];
	}
	return found ?? "the rest";
}
