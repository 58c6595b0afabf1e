// A misspelt member would be a callback with one member more and the sample's value in the place that was meant: a test of
// something else, which passes.

import { CALLBACK_MEMBERS } from "./sample-callback.js";

/** *Errors*: throws a `TypeError` for a member that no callback has; it names the nearest, and no value. */
export function checkMembers(changes: Readonly<Record<string, unknown>>): void {
	const members: readonly string[] = CALLBACK_MEMBERS;
	const odd = Object.keys(changes).find((name) => !members.includes(name));
	if (odd === undefined) return;
	throw new TypeError(
		`no callback has a member ${odd}; the nearest is ${nearestMember(odd)}. There are ${members.join(", ")}. To send it all the same: report(changes, { extra: { ${odd}: … } })`,
	);
}

function nearestMember(name: string): string | undefined {
	return [...CALLBACK_MEMBERS]
		.map((member) => ({ member, distance: distanceOf(plain(name), plain(member)) }))
		.sort((a, b) => a.distance - b.distance)[0]?.member;
}

/** Capitals and underscores count for nothing: `gameId` is `game_id`. */
function plain(name: string): string {
	return name.replaceAll("_", "").toLowerCase();
}

/** A part of a member, `url`, is nearer than whatever is as short. */
function distanceOf(name: string, member: string): number {
	return member.includes(name) ? 0 : editDistance(name, member);
}

/** How many characters have to be put in, taken out or changed (Levenshtein), row by row. */
function editDistance(from: string, to: string): number {
	let above = Array.from({ length: to.length + 1 }, (_, column) => column);
	for (const [row, character] of [...from].entries()) {
		const next = [row + 1];
		for (const [column, other] of [...to].entries()) {
			const changed = (above[column] ?? 0) + (character === other ? 0 : 1);
			next.push(Math.min(changed, (above[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
		}
		above = next;
	}
	return above.at(-1) ?? 0;
}
