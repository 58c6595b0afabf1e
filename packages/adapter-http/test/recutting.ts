// What tests need that cut a signed text anew.

/** In the order in which they are signed. */
export const SIGNED_NAMES: readonly string[] = [
	"app_key",
	"format",
	"method",
	"partner_id",
	"request_param",
	"session",
	"sign_method",
	"simplify",
	"target_app_key",
	"timestamp",
	"v",
];

/** Numbers that look random and are the same for the same seed. */
export function drawing(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state >>> 8;
	};
}
