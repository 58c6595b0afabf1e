// What `reelkeep copy` was asked for, from flags and environment, checked before anything is opened.

import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { KEY_FILE_NAME } from "@reelkeep/storage-fs";
import type { CopyFlags } from "./copy-options.js";
import { UsageError } from "./flags.js";
import { checkPostgresUrl, isUrl, nameOfServer } from "./postgres-url.js";
import { allowsNetworkFileSystem } from "./storage-config.js";
import { type BucketConfig, isSameBucket, parseVideosUrl } from "./videos-url.js";

export interface CopyConfig {
	readonly from: CopyEnd;
	readonly to: CopyEnd;
	/** `undefined`: no keys are copied. */
	readonly keys: { readonly from: string; readonly to: string } | undefined;
	readonly allowNetworkFileSystem: boolean;
}

export interface CopyEnd {
	/** For people; holds no secret. */
	readonly name: string;
	readonly events: EventsPlace;
	/** `undefined`: videos are not copied. */
	readonly videos: VideosPlace | undefined;
}

/** Where events and checkpoints are. */
type EventsPlace =
	| { readonly _tag: "Directory"; readonly directory: string }
	/** The connection string is a secret. */
	| { readonly _tag: "Postgres"; readonly connectionString: string };

/** Where videos are. */
export type VideosPlace =
	| { readonly _tag: "Directory"; readonly directory: string }
	| { readonly _tag: "Bucket"; readonly bucket: BucketConfig };

/** *Errors*: throws a `UsageError`, which holds no secret. */
export function copyConfig(flags: CopyFlags, environment: NodeJS.ProcessEnv): CopyConfig {
	const from = readEnd({ side: "from", store: flags.from, videos: flags.fromVideos }, flags, environment);
	const to = readEnd({ side: "to", store: flags.to, videos: flags.toVideos }, flags, environment);
	refuseSame(from, to);
	return {
		from,
		to,
		keys: readKeys(flags, from.events, to.events),
		allowNetworkFileSystem: allowsNetworkFileSystem(flags, environment),
	};
}

interface EndFlags {
	readonly side: "from" | "to";
	readonly store: string | undefined;
	readonly videos: string | undefined;
}

function readEnd(
	{ side, store, videos }: EndFlags,
	flags: CopyFlags,
	environment: NodeJS.ProcessEnv,
): CopyEnd {
	if (!store) {
		const which = side === "from" ? "which store is copied? Give --from" : "where to? Give --to";
		throw new UsageError(`${which} DIR or postgres://USER@HOST:PORT/DATABASE`);
	}
	const events = readEvents(side, store, environment);
	const name = events._tag === "Directory" ? events.directory : nameOfServer(store);
	if (!flags.videos) return { name, events, videos: undefined };
	if (videos) return { name, events, videos: readVideos(`--${side}-videos`, videos) };
	if (events._tag === "Directory") return { name, events, videos: events };
	throw new UsageError(
		`PostgreSQL keeps no videos: give --${side}-videos DIR or s3://…, or --no-videos when they stay where they are`,
	);
}

function readEvents(side: "from" | "to", store: string, environment: NodeJS.ProcessEnv): EventsPlace {
	if (!isUrl(store)) return { _tag: "Directory", directory: resolve(store) };
	const variable = side === "from" ? "REELKEEP_FROM" : "REELKEEP_TO";
	if (!/^postgres(?:ql)?:/i.test(store)) {
		throw new UsageError(`--${side} takes a data directory or postgres://USER@HOST:PORT/DATABASE`);
	}
	checkPostgresUrl({ flag: `--${side}`, variable, text: store }, environment);
	return { _tag: "Postgres", connectionString: store };
}

function readVideos(flag: string, text: string): VideosPlace {
	if (!isUrl(text)) return { _tag: "Directory", directory: resolve(text) };
	if (!text.startsWith("s3:")) throw new UsageError(`${flag} takes a data directory or s3://BUCKET/PREFIX`);
	return { _tag: "Bucket", bucket: parseVideosUrl(flag, text) };
}

function refuseSame(from: CopyEnd, to: CopyEnd): void {
	const way = wayBetween(from.events, to.events);
	if (way === "") throw new UsageError("--from and --to are the same store: name another one to copy it to");
	if (way !== undefined && !leadsOut(way)) {
		throw new UsageError("--to lies in the data directory of --from: name a directory elsewhere");
	}
	if (from.videos !== undefined && to.videos !== undefined && wayBetween(from.videos, to.videos) === "") {
		throw new UsageError("the videos are there already: give --no-videos, and they stay where they are");
	}
}

/** The path from one directory to another; `""`: they are the same place. `undefined`: there is no way. */
function wayBetween(from: EventsPlace | VideosPlace, to: EventsPlace | VideosPlace): string | undefined {
	if (from._tag === "Directory" && to._tag === "Directory") {
		return relative(realPath(from.directory), realPath(to.directory));
	}
	const isSame =
		(from._tag === "Postgres" && to._tag === "Postgres" && from.connectionString === to.connectionString) ||
		(from._tag === "Bucket" && to._tag === "Bucket" && isSameBucket(from.bucket, to.bucket));
	return isSame ? "" : undefined;
}

function leadsOut(way: string): boolean {
	return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
}

/** Of a path that is not there yet: of what is there of it. */
function realPath(path: string): string {
	if (existsSync(path) || dirname(path) === path) return realpathSync(path);
	return join(realPath(dirname(path)), basename(path));
}

/** Without a key file in the data directory, the store's server has one elsewhere, which stays there. */
function readKeys(flags: CopyFlags, from: EventsPlace, to: EventsPlace): CopyConfig["keys"] {
	const given = flags.fromKeyFile ? resolve(flags.fromKeyFile) : undefined;
	if (given === undefined && from._tag === "Postgres") {
		throw new UsageError(
			"--from postgres://… needs --from-key-file: what it has sealed, the copy must be able to open",
		);
	}
	const kept = keyFileIn(from);
	const source = given ?? (kept !== undefined && existsSync(kept) ? kept : undefined);
	const target = flags.toKeyFile ? resolve(flags.toKeyFile) : keyFileIn(to);
	if (target === undefined) {
		throw new UsageError(
			"--to postgres://… needs --to-key-file: all processes on it must be able to open the links",
		);
	}
	return source === undefined ? undefined : { from: source, to: target };
}

function keyFileIn(place: EventsPlace): string | undefined {
	return place._tag === "Directory" ? join(place.directory, KEY_FILE_NAME) : undefined;
}
