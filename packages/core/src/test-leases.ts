// For tests of leases only.

import type { LeaseStore } from "./ports/lease-store.js";

/** As a process sees `leases` that hangs: from `cut` on nothing reaches them, and no answer comes. */
export function cuttable(leases: LeaseStore): { readonly leases: LeaseStore; cut(): void } {
	let isCut = false;
	const unlessCut = <Result>(asked: () => Promise<Result>): Promise<Result> =>
		isCut ? new Promise(() => undefined) : asked();
	return {
		leases: {
			acquire: (...asked) => unlessCut(() => leases.acquire(...asked)),
			renew: (...asked) => unlessCut(() => leases.renew(...asked)),
			release: (...asked) => unlessCut(() => leases.release(...asked)),
		},
		cut() {
			isCut = true;
		},
	};
}
