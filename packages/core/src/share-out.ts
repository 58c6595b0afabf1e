// Who has how much of a work that is divided: all shares are somebody's, and nobody has two more than another. Pure.

/** How many of `shares` belong to the member of this `rank`, counted from 0, of `members`. */
export function quotaOf(shares: number, members: number, rank: number): number {
	return Math.floor(shares / members) + (rank < shares % members ? 1 : 0);
}

/**
 * Which share a text belongs to: the same in every process and release, and spread evenly (FNV-1a, 32 bits).
 * *Shape*: a number from 0 to below `shares`.
 */
export function shareOf(text: string, shares: number): number {
	let hash = 0x811c9dc5;
	for (let index = 0; index < text.length; index += 1) {
		hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
	}
	return (hash >>> 0) % shares;
}
