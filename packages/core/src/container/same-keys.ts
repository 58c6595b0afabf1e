// Processes that share their stores must have the same keys: what one has sealed, all must be able to open. A process
// with other keys finds that out at its start, and not when a link is about to end.

import { isKeyringFault, type Keyring, keyringFault } from "../ports/keyring.js";
import type { Lease, LeaseStore } from "../ports/lease-store.js";
import type { Plugin, Token } from "../ports/plugin.js";
import { toPosition } from "../ports/position.js";
import type { Clock } from "../ports/runtime.js";
import type { Snapshot, SnapshotStore } from "../ports/snapshot-store.js";
import { storeFault } from "../ports/store-fault.js";
import { CLOCK, IDS, KEYRING, LEASE_STORE, SNAPSHOT_STORE } from "../ports/tokens.js";

/** Of the lease, of the snapshot that holds the sealed text, and what it is sealed for. */
const NAME = "reelkeep.keys";
const VERSION = 1;
/** A process that dies meanwhile keeps the others waiting for so long. */
const LEASE_MS = 10_000;
const PAUSE_MS = 100;
const PATIENCE_MS = 60_000;

const OTHER_KEYS =
	"this process has other keys than those that have used its stores: give the same key file to all of them";

/** Only where processes share: where something provides leases, and a place to keep a sealed text. */
export function sameKeysPlugins(provided: readonly Token<unknown>[]): readonly Plugin[] {
	if (!provided.includes(LEASE_STORE) || !provided.includes(SNAPSHOT_STORE)) return [];
	return [
		{
			name: "same-keys",
			provides: [],
			needs: [KEYRING, LEASE_STORE, SNAPSHOT_STORE, CLOCK, IDS],
			async start(get) {
				const [keyring, snapshots, leases] = [get(KEYRING), get(SNAPSHOT_STORE), get(LEASE_STORE)];
				if ((await textToKeep(keyring, snapshots)) === undefined) return;
				// Two that start on empty stores would each leave a text of their own.
				const lease = await takeTurn(leases, get(CLOCK), get(IDS).next());
				try {
					const text = await textToKeep(keyring, snapshots);
					if (text !== undefined) await snapshots.save(NAME, snapshotOf(text));
				} finally {
					// It ends by itself.
					await leases.release(lease).catch(() => undefined);
				}
			},
		},
	];
}

async function takeTurn(leases: LeaseStore, clock: Clock, owner: string): Promise<Lease> {
	const patience = clock.now() + PATIENCE_MS;
	for (;;) {
		const result = await leases.acquire(NAME, owner, LEASE_MS);
		if (result._tag === "Acquired") return result.lease;
		if (clock.now() > patience) {
			throw storeFault("owned", `whose keys are right could not be asked: ${result.owner} holds ${NAME}`);
		}
		await clock.sleep(PAUSE_MS);
	}
}

/**
 * Opens the text that a process before has sealed. Returns the one to keep instead: where there is none, or one of a key
 * that is not the current one any more, so that a key can be given up once a process has started with the next one.
 * *Errors*: rejects with a `KeyringFault` `unavailable` when it cannot be opened, and with a `StoreFault`.
 */
async function textToKeep(keyring: Keyring, snapshots: SnapshotStore): Promise<string | undefined> {
	const kept = (await snapshots.load(NAME))?.state;
	if (typeof kept === "string") await requireOpens(keyring, kept);
	const sealed = await keyring.seal(NAME, NAME);
	return typeof kept === "string" && keyOf(kept) === keyOf(sealed) ? undefined : sealed;
}

async function requireOpens(keyring: Keyring, sealed: string): Promise<void> {
	try {
		await keyring.open(sealed, NAME);
	} catch (error) {
		if (!isKeyringFault(error) || error.reason === "unavailable") throw error;
		throw keyringFault("unavailable", OTHER_KEYS);
	}
}

/** `v1.KEY` of `v1.KEY.TEXT`. */
function keyOf(sealed: string): string {
	return sealed.slice(0, sealed.lastIndexOf("."));
}

function snapshotOf(state: string): Snapshot {
	return { version: VERSION, position: toPosition(0), eventId: NAME, state };
}
