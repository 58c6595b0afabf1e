// For tests of leases only.

import { type LeaseStore, storeFault } from "./ports/index.js";

/**
 * As a process sees `leases` that hangs: from `cut` on nothing reaches them, and no answer comes. Between `hang` and `goOn`
 * they cannot be reached.
 */
export function cuttable(leases: LeaseStore) {
	let isCut = false;
	let isHanging = false;
	const unlessCut = async <Result>(ask: () => Promise<Result>): Promise<Result> => {
		if (isHanging) throw storeFault("io", "the leases cannot be reached");
		return isCut ? new Promise(() => undefined) : ask();
	};
	const own: LeaseStore = {
		acquire: (...asked) => unlessCut(() => leases.acquire(...asked)),
		renew: (...asked) => unlessCut(() => leases.renew(...asked)),
		release: (...asked) => unlessCut(() => leases.release(...asked)),
		list: (...asked) => unlessCut(() => leases.list(...asked)),
	};
	return {
		leases: own,
		cut(): void {
			isCut = true;
		},
		hang(): void {
			isHanging = true;
		},
		goOn(): void {
			isHanging = false;
		},
	};
}
