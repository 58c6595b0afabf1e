// Requests with random damage. Of a good call that was damaged where it is signed nothing may be accepted; anywhere else
// it may, and what is stored is what it was before.

import type { HostileKind } from "./hostile-kind.js";
import type { Material } from "./hostile-material.js";
import { targetOf } from "./hostile-message.js";
import type { Draw } from "./hostile-random.js";

const INTERESTING = [
	"\r\n",
	"\r\n\r\n",
	"\0",
	"\xff",
	" ",
	":",
	"%",
	"&",
	"=",
	"0",
	"\n",
	"--b",
	";",
	'"',
	"\u0000\u0000",
];

/** One to four changes: a bit, a byte, a cut, a slice that is gone, comes twice or moves. */
function mutate(draw: Draw, bytes: Buffer): Buffer {
	let mutated = bytes;
	for (let times = draw.once(3) ? 4 : 1; times > 0; times--) mutated = mutateOnce(draw, mutated);
	return draw.once(2) ? mutated : withLength(mutated);
}

/** States the length that the body has now, so that the damage gets past the HTTP parser. */
function withLength(bytes: Buffer): Buffer {
	const { body } = targetOf(bytes);
	const head = bytes.toString("latin1", 0, bytes.length - body.length);
	const stated = head.replace(/^Content-Length: \d+/im, `Content-Length: ${body.length}`);
	return Buffer.concat([Buffer.from(stated, "latin1"), body]);
}

function mutateOnce(draw: Draw, bytes: Buffer): Buffer {
	if (bytes.length === 0) return bytes;
	const at = draw.int(bytes.length);
	const end = Math.min(bytes.length, at + 1 + draw.int(40));
	const [before, slice, behind] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)];
	switch (draw.int(10)) {
		case 0:
			return before;
		case 1:
			return Buffer.concat([before, behind]);
		case 2:
			return Buffer.concat([before, slice, slice, behind]);
		case 3:
			return Buffer.concat([before, Buffer.from(draw.pick(INTERESTING), "latin1"), bytes.subarray(at)]);
		case 4:
			return Buffer.concat([before, draw.bytes(slice.length), behind]);
		case 5:
			return Buffer.concat([behind, slice, before]);
		default: {
			const flipped = Buffer.from(bytes);
			flipped[at] = (flipped[at] ?? 0) ^ (1 << draw.int(8));
			return flipped;
		}
	}
}

/** Mutations of every one of `kinds`. */
export function mutationsOf(kinds: readonly HostileKind[]): readonly HostileKind[] {
	return [
		{
			name: "one bit of what is signed",
			weight: 12,
			make(draw, material) {
				const bytes = Buffer.from(material.call({ requestParam: `{"a":${draw.int(1e9)}}` }));
				const { body } = targetOf(bytes);
				const at = bytes.length - body.length + draw.int(body.length);
				// The sixth bit is a letter's case, which means nothing in %7B.
				bytes[at] = (bytes[at] ?? 0) ^ draw.pick([1, 2, 4, 8, 16, 64, 128]);
				return { pieces: [bytes], allows: /^\d+$/, connection: "kept" };
			},
		},
		{
			name: "mutated good",
			weight: 24,
			make: (draw, material) => ({
				pieces: [mutate(draw, material.good(draw))],
				allows: /^/,
				connection: draw.once(8) ? "reset" : "half-closed",
			}),
		},
		{
			name: "mutated hostile",
			weight: 30,
			make(draw, material) {
				const { pieces } = draw.pick(kinds).make(draw, withKnownHidden(draw, material));
				return { pieces: [mutate(draw, Buffer.concat(pieces))], allows: /^/, connection: "half-closed" };
			},
		},
	];
}

/** Mutated, nothing hidden may be new: what a strict reader does not see, it may see then. */
const withKnownHidden = (draw: Draw, material: Material): Material => ({
	...material,
	hidden: material.good(draw),
});
