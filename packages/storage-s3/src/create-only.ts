// How an object is created and never replaced: by a condition that the server knows, else by looking first.

import { observe } from "@reelkeep/core";
import type { Logger } from "@reelkeep/core/ports";
import { isNotImplemented, isTaken } from "./s3-fault.js";

/**
 * `if-none-match`: S3's condition. `forbid-overwrite`: OSS's header, which other servers ignore without a word. `look-first`:
 * neither; of two processes that keep the same video within a moment the later one replaces the earlier one's.
 */
export type CreateOnly = "if-none-match" | "forbid-overwrite" | "look-first";

type ConditionHeader = readonly [name: string, value: string];

const HEADERS: Readonly<Record<CreateOnly, ConditionHeader | undefined>> = {
	"if-none-match": ["if-none-match", "*"],
	"forbid-overwrite": ["x-oss-forbid-overwrite", "true"],
	"look-first": undefined,
};

/** What the server behind `endpoint` is known to take. Pure. */
export function defaultCreateOnly(endpoint: string | undefined): CreateOnly {
	const host = endpoint === undefined ? "" : new URL(endpoint).hostname;
	return host.endsWith(".aliyuncs.com") ? "forbid-overwrite" : "if-none-match";
}

interface Creation {
	/** Sends the request that creates, with this header. */
	send(header: ConditionHeader | undefined): Promise<unknown>;
	/** Whether the object is there. */
	look(): Promise<boolean>;
	/** Looks first in any case: for requests whose condition some servers ignore without a word. */
	readonly looksFirst?: boolean;
}

export interface Conditions {
	/** `false`: an object of that name is there already. *Errors*: rejects with what `send` and `look` reject with. */
	create(creation: Creation): Promise<boolean>;
	/** The header for requests that begin what is created later. */
	header(): ConditionHeader | undefined;
}

export function createConditions(wanted: CreateOnly, logger?: Logger): Conditions {
	let mode = wanted;
	const create = async (creation: Creation): Promise<boolean> => {
		// Another one may find out meanwhile what the server takes.
		const tried = mode;
		// OSS takes no notice of its header where the bucket keeps versions, or once did.
		const looks = tried !== "if-none-match" || creation.looksFirst === true;
		if (looks && (await creation.look())) return false;
		try {
			await creation.send(HEADERS[tried]);
			return true;
		} catch (error) {
			if (isTaken(error)) return false;
			if (tried !== "if-none-match" || !isNotImplemented(error)) throw error;
			if (mode !== "look-first") observe(() => logger?.warn({}, UNCONDITIONAL));
			mode = "look-first";
			return create(creation);
		}
	};
	return { create, header: () => HEADERS[mode] };
}

const UNCONDITIONAL =
	"the object store does not know `If-None-Match`: whether a video is there is looked up before it is written; set `createOnly` to what the server takes";
