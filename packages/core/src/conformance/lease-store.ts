// The contract of `LeaseStore`, as cases. Every store runs them: the memory store, yours.

import type { LeaseStore } from "../ports/lease-store.js";
import { type Clause, type ConformanceCase, createCases } from "./case.js";
import * as granting from "./lease-store-granting.js";
import * as holding from "./lease-store-holding.js";
import * as listing from "./lease-store-listing.js";
import * as races from "./lease-store-races.js";

export interface LeaseStoreHarness {
	/** Opens the store, empty. Is called once. */
	open(): Promise<LeaseStore>;
	/** The time by the store's clock, UTC milliseconds. */
	now(): number;
	/** Lets `ms` pass by the store's clock, or a little more: moves a clock of the test's, waits for one of the system's. */
	passes(ms: number): Promise<void>;
	/** Ends the store and opens what it left, as a later process does. A store without it forgets with its process. */
	reopen?(): Promise<LeaseStore>;
	/** Removes everything. */
	dispose(): Promise<void>;
}

type SuiteClause = Clause<LeaseStore, LeaseStoreHarness, "reopen">;

/** All cases; each makes a harness of its own, empty. */
export function leaseStoreSuite(makeHarness: () => Promise<LeaseStoreHarness>): readonly ConformanceCase[] {
	return createCases(CLAUSES, makeHarness, {
		open: (harness) => harness.open(),
		supports: (need, _store, harness) => harness[need] !== undefined,
	});
}

const CLAUSES: readonly SuiteClause[] = [
	["grant", "grants a free name for the time that was asked for", granting.grants],
	["granted-once", "lets nobody else in while a lease is held, and says who holds it", granting.grantsOnce],
	["expiry", "grants a name again when its holder's time is over", granting.grantsAfterExpiry],
	["tokens-grow", "gives a higher token with every grant of a name", granting.growsTokens],
	["same-owner", "lets an owner take its name anew, and ends the lease that it had", granting.letsOwnerBack],
	["distinct-names", "tells names and owners apart that are alike", granting.tellsNamesApart],
	[
		"arguments",
		"refuses what is no name, no owner or no duration, and grants nothing",
		granting.refusesArguments,
	],
	["renew", "extends a lease that is held, from now on, and keeps its token", holding.renews],
	["renew-older-copy", "extends a lease by a copy from before it was renewed", holding.renewsByOlderCopy],
	[
		"renew-expired",
		"does not extend a lease whose time is over, also when nobody took it",
		holding.losesExpired,
	],
	[
		"renew-taken",
		"does not extend a lease that another has taken, nor touch the other's",
		holding.losesTaken,
	],
	["release", "frees a name at once, once or twice", holding.releases],
	["renew-released", "does not extend a lease that was given back", holding.losesReleased],
	[
		"release-lost",
		"leaves the lease of another alone when a lost one is given back",
		holding.releasesNoOthers,
	],
	["foreign", "takes neither another owner nor another token for the holder", holding.refusesForeign],
	["immutable", "keeps a lease out of reach of whoever holds it", holding.keepsLeasesImmutable],
	["list", "lists who holds what, and until when, of the names that begin as asked for", listing.lists],
	["list-held", "lists nothing that is over or was given back", listing.listsHeldOnly],
	["list-prefix", "takes the beginning of a name for nothing but itself", listing.listsByPrefix],
	["concurrent-acquire", "lets exactly one of 50 owners in that ask at once", races.grantsOnceConcurrently],
	[
		"concurrent-takeover",
		"lets exactly one owner in when the time of the last one is over",
		races.takesOverOnceConcurrently,
	],
	["reopened", "finds who holds a name, and its token, in a later process", races.findsAgain, "reopen"],
];
