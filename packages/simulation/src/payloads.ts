// Events to append: small ones mostly, and some that take more than a sector, a page, or a read.

import type { NewEvent } from "@reelkeep/core/ports";
import type { Random } from "./random.js";

const LETTERS = ["a", "é", "字", "😀", "\n", '"', "\\", "\u2028"];

export function newEvent(random: Random, serial: number): NewEvent {
	return {
		id: `e${serial}`,
		type: "Noted",
		schemaVersion: 1,
		data: { note: note(random), serial },
		metadata: { ingress: "simulation", correlationId: `c${serial % 7}` },
	};
}

function note(random: Random): string {
	const kind = random.below(20);
	if (kind === 0) return "x".repeat(random.between(2000, 5000));
	if (kind < 4) return "y".repeat(random.between(200, 900));
	return random.pick(LETTERS).repeat(random.below(24));
}
