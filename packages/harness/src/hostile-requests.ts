// The kinds of requests that a receiver must survive, each with what may come back. All are made of a seeded draw, so that
// a request that was answered wrongly can be made again.

import { FRAMING, UPGRADING } from "./hostile-framing.js";
import type { HostileKind } from "./hostile-kind.js";
import { MULTIPART } from "./hostile-multipart.js";
import { mutationsOf } from "./hostile-mutations.js";
import { PARAMETERS } from "./hostile-parameters.js";
import type { Draw } from "./hostile-random.js";
import { SMUGGLING, SMUGGLING_UPGRADES } from "./hostile-smuggling.js";

const GOOD: readonly HostileKind[] = [
	{
		name: "good call",
		weight: 60,
		make: (draw, material) => ({ pieces: [material.good(draw)], allows: /^success$/, connection: "kept" }),
	},
	{
		name: "good batch",
		weight: 12,
		make(draw, material) {
			const { bytes, calls } = material.batch(draw);
			return {
				pieces: [bytes],
				allows: new RegExp(`^success(\\+success){${calls - 1}}$`),
				connection: "kept",
			};
		},
	},
	{
		name: "good call in pieces",
		weight: 4,
		make(draw, material) {
			const bytes = material.good(draw);
			const cuts = Array.from({ length: 1 + draw.int(6) }, () => draw.int(bytes.length)).sort(
				(a, b) => a - b,
			);
			const pieces = [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index]));
			return { pieces, allows: /^success$/, connection: "half-closed" };
		},
	},
	{
		name: "undecodable",
		weight: 6,
		make: (draw, material) => ({ pieces: [material.undecodable(draw)], allows: /^50$/, connection: "kept" }),
	},
];

const KINDS: readonly HostileKind[] = [
	...GOOD,
	...PARAMETERS,
	...MULTIPART,
	...FRAMING,
	...SMUGGLING,
	...UPGRADING,
	...SMUGGLING_UPGRADES,
	...mutationsOf([...GOOD, ...PARAMETERS, ...MULTIPART, ...FRAMING, ...SMUGGLING]),
];

const TOTAL_WEIGHT = KINDS.reduce((sum, { weight }) => sum + weight, 0);

/** A kind, as often as its weight says. */
export function pickKind(draw: Draw): HostileKind {
	let left = draw.int(TOTAL_WEIGHT);
	for (const kind of KINDS) {
		left -= kind.weight;
		if (left < 0) return kind;
	}
	throw new RangeError("the weights do not add up");
}
