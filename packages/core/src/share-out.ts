// Who has how much of a work that is divided: all shares are somebody's, and nobody has two more than another. Pure.

/** How things stand as one member sees them. */
export interface Standing {
	readonly shares: number;
	/** Who takes part, in an order that all agree on. */
	readonly members: readonly string[];
	/** Who looks. */
	readonly self: string;
	/** Who holds which share. */
	readonly holders: ReadonlyMap<number, string>;
	/** The shares that this member has, or asks for. */
	readonly wanted: readonly number[];
	/** The shares that it is about to give back. */
	readonly leaving: { has(share: number): boolean };
}

export interface Shares {
	readonly giveBack: readonly number[];
	readonly askFor: readonly number[];
	/** Whether this member then has, or asks for, as much as it should. */
	readonly isEnough: boolean;
}

/**
 * What a member gives back and asks for, once it has looked. It gives back only what others lack and is not free for them
 * anyway: a member that has died is counted for a while, and takes nothing.
 */
export function shareOut(standing: Standing): Shares {
	const { shares, members, self, holders, wanted, leaving } = standing;
	const rank = members.indexOf(self);
	if (rank < 0) return { giveBack: [], askFor: [], isEnough: false };
	const quota = quotaOf(shares, members.length, rank);
	const isOthers = (share: number): boolean => (holders.get(share) ?? self) !== self;
	const lost = wanted.filter(isOthers);
	const kept = wanted.filter((share) => !isOthers(share));
	// Those who begin at once begin in different places.
	const first = Math.floor((rank * shares) / members.length);
	const free = Array.from({ length: shares }, (_, share) => (first + share) % shares).filter(
		(share) => !isOthers(share) && !kept.includes(share),
	);
	const surplus = Math.max(0, Math.min(kept.length - quota, lackOfOthers(standing) - free.length));
	const askFor = free.filter((share) => !leaving.has(share)).slice(0, Math.max(0, quota - kept.length));
	return {
		giveBack: [...lost, ...kept.slice(kept.length - surplus)],
		askFor,
		isEnough: kept.length + askFor.length >= quota,
	};
}

/** How much the others are short of, all together. */
function lackOfOthers({ shares, members, self, holders }: Standing): number {
	const counts = new Map<string, number>();
	for (const holder of holders.values()) counts.set(holder, (counts.get(holder) ?? 0) + 1);
	const lacks = members.map((member, rank) =>
		member === self ? 0 : Math.max(0, quotaOf(shares, members.length, rank) - (counts.get(member) ?? 0)),
	);
	return lacks.reduce((sum, lack) => sum + lack, 0);
}

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
