// A process with a part of one processor: a small machine on this one. By Linux' control groups, of either version; needs root.

import {
	accessSync,
	constants,
	existsSync,
	mkdirSync,
	readFileSync,
	rmdirSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Microseconds: short, so that a process is not still for long. */
const PERIOD = 20_000;
const ROOT = "/sys/fs/cgroup";
const isSecond = existsSync(join(ROOT, "cgroup.controllers"));
const PARENT = isSecond ? ROOT : join(ROOT, "cpu");
let count = 0;

/** Gives a process `share` of one processor. Returns what takes the group away, once the process has ended. Throws where that cannot be done. */
export function limitProcessor(pid, share) {
	count += 1;
	const folder = join(PARENT, `reelkeep-bench-${process.pid}-${count}`);
	if (isSecond) writeFileSync(join(ROOT, "cgroup.subtree_control"), "+cpu");
	mkdirSync(folder);
	const quota = Math.round(PERIOD * share);
	try {
		if (isSecond) writeFileSync(join(folder, "cpu.max"), `${quota} ${PERIOD}`);
		else {
			writeFileSync(join(folder, "cpu.cfs_period_us"), String(PERIOD));
			writeFileSync(join(folder, "cpu.cfs_quota_us"), String(quota));
		}
		writeFileSync(join(folder, "cgroup.procs"), String(pid));
	} catch (error) {
		rmdirSync(folder);
		throw error;
	}
	return () => rmdirSync(folder);
}

/** Whether this machine lets us; changes nothing. */
export function canLimitProcessor() {
	try {
		accessSync(PARENT, constants.W_OK);
		return isSecond
			? readFileSync(join(ROOT, "cgroup.controllers"), "utf8").split(/\s/).includes("cpu")
			: existsSync(join(PARENT, "cpu.cfs_quota_us"));
	} catch {
		return false;
	}
}
