// The ports that a test's Reelkeep provides itself, and who else may not: told before anything is composed, in the
// kit's own words, because its composition has no part that could be left out.

import type { ReelkeepOptions } from "@reelkeep/core/container";
import {
	CHECKPOINT_STORE,
	CLOCK,
	EVENT_STORE,
	KEYRING,
	LEASE_STORE,
	type Plugin,
	SNAPSHOT_STORE,
	type Token,
	tokenName,
	VIDEO_STORE,
} from "@reelkeep/core/ports";

/** How each is handed over instead. */
const OPTIONS: ReadonlyMap<Token<unknown>, string> = new Map<Token<unknown>, string>([
	[CLOCK, "clock"],
	[EVENT_STORE, "eventStore"],
	[CHECKPOINT_STORE, "checkpointStore"],
	[SNAPSHOT_STORE, "snapshotStore"],
	[LEASE_STORE, "leaseStore"],
	[VIDEO_STORE, "videoStore"],
	[KEYRING, "keyring"],
]);

export const PROVIDED_PORTS: readonly Token<unknown>[] = [...OPTIONS.keys()];

/** *Errors*: throws an `Error` that names the ports that a plugin or the container brings too, and says where they belong. */
export function refuseProvidedPorts({
	plugins,
	container,
}: {
	readonly plugins: readonly Plugin[];
	readonly container?: ReelkeepOptions["container"];
}): void {
	const problems = [...plugins.flatMap((plugin) => describePlugin(plugin)), ...describeContainer(container)];
	if (problems.length > 0) throw new Error(problems.join("\n"));
}

/** What is no plugin at all is `createReelkeep`'s to tell. */
function describePlugin(plugin: Partial<Plugin> | undefined): readonly string[] {
	const provides: unknown = plugin?.provides;
	const taken = PROVIDED_PORTS.filter((token) => Array.isArray(provides) && provides.includes(token));
	if (taken.length === 0) return [];
	const places = placesOf(taken);
	return [
		`${plugin?.name} provides ${namesOf(taken)}, which a test's Reelkeep has of its own: leave the plugin out, make what you want of it yourself and hand that over, startTestReelkeep({ ${places} }); to test the plugin as it is, compose it with createReelkeep`,
	];
}

function describeContainer(container: ReelkeepOptions["container"]): readonly string[] {
	const taken = PROVIDED_PORTS.filter((token) => container?.isRegistered?.(token, true) === true);
	if (taken.length === 0) return [];
	return [
		`the container has ${namesOf(taken)} registered, which a test's Reelkeep has of its own: hand it over as startTestReelkeep({ ${placesOf(taken)} }) and take it out of the container, or compose with createReelkeep`,
	];
}

function namesOf(tokens: readonly Token<unknown>[]): string {
	return tokens.map(tokenName).join(", ");
}

/** `clock, stores: { eventStore, videoStore }`. */
function placesOf(tokens: readonly Token<unknown>[]): string {
	const options = tokens.map((token) => OPTIONS.get(token));
	const stores = options.filter((option) => option !== "clock");
	const places = [
		...(options.includes("clock") ? ["clock"] : []),
		...(stores.length > 0 ? [`stores: { ${stores.join(", ")} }`] : []),
	];
	return places.join(", ");
}
