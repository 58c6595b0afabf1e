// What many seeds together must have met with: a simulation in which some kind of thing never happens proves little.

const EXPECTED: readonly string[] = [
	...["opening", "checking", "working", "closing", "closed", "everywhere"].map((phase) => `cut.${phase}`),
	...["lost", "kept", "torn-end", "mixed"].map((manner) => `cut.file.${manner}`),
	...["kept", "lost", "clean-lost", "reordered", "torn-at-a-byte", "torn-at-sectors"].map(
		(fate) => `cut.change.${fate}`,
	),
	"cut.length.shortened",
	"cut.length.extended",
	"cut.names.kept",
	"cut.names.lost",
	...["opening", "working"].map((phase) => `kill.${phase}`),
	...["read", "status", "list", "open", "acquire", "connect", "ask"].map(
		(operation) => `fault.${operation}.before`,
	),
	...["open", "close", "makeDirectory", "rename", "syncDirectory"].map(
		(operation) => `fault.${operation}.after`,
	),
	...["before", "midway", "after"].map((when) => `fault.write.${when}`),
	...["before", "clean", "after"].map((when) => `fault.datasync.${when}`),
	"disk.short-read",
	"disk.split-write",
	...["acknowledged", "duplicate", "rejected", "of-several", "after-failure"].map(
		(outcome) => `append.${outcome}`,
	),
	"unanswered.there",
	"unanswered.gone",
	...["Saved", "WrongCheckpoint", "rejected"].map((outcome) => `checkpoint.${outcome}`),
	...["io", "failed", "overloaded", "corrupt"].map((reason) => `told.${reason}`),
	"open.failed",
	"contender.refused",
	"reader.opened",
	"work.caught-up",
	"work.behind",
	...["owner", "reader"].flatMap((who) => [`rot.${who}.told`, `rot.${who}.harmless`]),
];

/** With fewer seeds it is no wonder when something did not happen. */
export const SEEDS_FOR_EVERYTHING = 500;

/** What never happened. */
export function missing(counts: ReadonlyMap<string, number>): readonly string[] {
	return EXPECTED.filter((name) => (counts.get(name) ?? 0) === 0);
}
