// `reelkeep quarantine redrive`: decodes quarantined callbacks again, and reports those that can be decoded by now.

import { randomUUID } from "node:crypto";
import {
	createProjectAdmission,
	foldQuarantine,
	QUARANTINE_TYPES,
	type QuarantinedCallback,
	type RedriveDeps,
	type RedriveOutcome,
	redrive,
} from "@reelkeep/core";
import { createReelkeep } from "@reelkeep/core/container";
import {
	type Admission,
	EVENT_STORE,
	isKeyringFault,
	isStoreFault,
	KEYRING,
	storeFault,
} from "@reelkeep/core/ports";
import { fsStorage, openFsEventReader } from "@reelkeep/storage-fs";
import { type ProjectFlags, readProjectsConfig } from "./apps-config.js";
import { UsageError } from "./flags.js";
import { openEvents, openPostgresEvents } from "./open-events.js";
import { openKeyring } from "./open-keyring.js";
import { printable, printLines, warningsOnly } from "./output.js";
import { describeOutcome, findQuarantined, shortId } from "./quarantine-words.js";
import { readStorageConfig, type StorageFlags } from "./storage-config.js";

export interface QuarantineRedriveFlags extends StorageFlags, ProjectFlags {
	readonly events?: string;
	readonly all: boolean;
	readonly dryRun: boolean;
	readonly json: boolean;
}

/** `Failed`: its body cannot be opened; `message` says why. */
type Redriving = RedriveOutcome | { readonly _tag: "Failed"; readonly message: string };

interface Redriven {
	readonly stream: string;
	readonly redriving: Redriving;
}

/**
 * Resolves with the exit code. *Errors*: throws a `UsageError`; rejects with a `StoreFault`, `owned` while Reelkeep runs on the data directory, or a
 * `KeyringFault`. Cut short, it can be run again.
 */
export async function redriveQuarantined(
	ids: readonly string[],
	flags: QuarantineRedriveFlags,
	environment: NodeJS.ProcessEnv,
): Promise<number> {
	const { all, dryRun, json } = flags;
	if (all === ids.length > 0) throw new UsageError("name the callbacks to redrive, or give --all");
	const admission = readAdmission(flags, environment);
	const { deps, close } = await open(flags, environment);
	try {
		const callbacks = [...(await foldQuarantine(deps.store.readAll({ types: QUARANTINE_TYPES }))).values()];
		const asked = all
			? callbacks.filter(({ redriven }) => redriven === undefined)
			: [...new Set(ids.map((id) => findQuarantined(callbacks, id)))];
		const tally = { done: 0, left: 0 };
		await printLines(toLines(redriveEach({ ...deps, admission }, asked, dryRun), { tally, dryRun, json }));
		// Nobody may have read to the end.
		return tally.done === asked.length ? 0 : 1;
	} finally {
		await close();
	}
}

interface Opened {
	readonly deps: Pick<RedriveDeps, "store" | "keyring" | "ids">;
	close(): Promise<void>;
}

const ids = { next: randomUUID };

/** In PostgreSQL others may go on meanwhile; a data directory has one owner. */
async function open(flags: QuarantineRedriveFlags, environment: NodeJS.ProcessEnv): Promise<Opened> {
	const { events, dryRun } = flags;
	if (!events && !dryRun) return own(flags, environment);
	const store =
		events && !dryRun
			? await openPostgresEvents(events, "write", environment)
			: await openEvents(flags, environment);
	try {
		const keyring = await openKeyring(flags);
		return { deps: { store, keyring, ids }, close: () => store.close() };
	} catch (error) {
		await store.close();
		throw error;
	}
}

/** A directory that was mistyped is not made. */
async function own(flags: StorageFlags, environment: NodeJS.ProcessEnv): Promise<Opened> {
	const storage = readStorageConfig(flags, environment);
	const reader = await openFsEventReader({ directory: storage.directory });
	await reader.close();
	const reelkeep = createReelkeep({ plugins: [fsStorage(storage)], logger: warningsOnly });
	await reelkeep.start().catch(explainOwner);
	return {
		deps: { store: reelkeep.get(EVENT_STORE), keyring: reelkeep.get(KEYRING), ids },
		close: () => reelkeep.stop(),
	};
}

function explainOwner(error: unknown): never {
	if (!isStoreFault(error) || error.reason !== "owned") throw error;
	throw storeFault("owned", `${error.message}. Stop it first; --dry-run looks beside it`);
}

/** An app that is not named may report nothing, once one is. *Errors*: throws a `UsageError`. */
function readAdmission(flags: ProjectFlags, environment: NodeJS.ProcessEnv): Admission {
	const lines = flags.appProjects ?? (environment.REELKEEP_APP_PROJECTS ?? "").split(";");
	const named = lines.map((line) => line.slice(0, Math.max(line.indexOf("="), 0)).trim());
	const { projects } = readProjectsConfig(
		flags,
		environment,
		named.filter((key) => key !== ""),
	);
	return projects === undefined
		? { admit: async () => ({ _tag: "Admitted" }) }
		: createProjectAdmission(projects);
}

/** One after the other, as they came: a recording's first report comes before what follows it. */
async function* redriveEach(
	deps: RedriveDeps,
	callbacks: readonly QuarantinedCallback[],
	dryRun: boolean,
): AsyncGenerator<Redriven> {
	for (const { stream } of callbacks) {
		try {
			yield { stream, redriving: await redrive(deps, stream, { dryRun }) };
		} catch (error) {
			if (!isKeyringFault(error)) throw error;
			yield { stream, redriving: { _tag: "Failed", message: error.message } };
		}
	}
}

interface Printing {
	readonly tally: { done: number; left: number };
	readonly dryRun: boolean;
	readonly json: boolean;
}

async function* toLines(
	redriven: AsyncIterable<Redriven>,
	{ tally, dryRun, json }: Printing,
): AsyncGenerator<string> {
	for await (const { stream, redriving } of redriven) {
		if (redriving._tag === "Redriven" || redriving._tag === "AlreadyRedriven") tally.done += 1;
		else tally.left += 1;
		yield json
			? JSON.stringify({ stream, dryRun, ...redriving })
			: `${shortId(stream)}  ${describe(redriving)}`;
	}
	if (!json) yield summary(tally, dryRun);
}

function describe(redriving: Redriving): string {
	return printable(
		redriving._tag === "Failed" ? `stays in quarantine: ${redriving.message}` : describeOutcome(redriving),
	);
}

function summary({ done, left }: Printing["tally"], dryRun: boolean): string {
	if (done + left === 0) return "nothing is in quarantine";
	if (dryRun) return `nothing was changed: ${done} would be redriven, ${left} would stay in quarantine`;
	const next = done > 0 ? "; serve or archive keeps the videos of what was redriven" : "";
	return `${done} redriven, ${left} stay in quarantine${next}`;
}
