// `reelkeep repair`: makes a damaged event log whole again without losing what can be read.

import { systemClock } from "@reelkeep/core/container";
import { repairFsStorage } from "@reelkeep/storage-fs";
import { requireDirectory } from "./flags.js";
import { printLines } from "./output.js";
import { allowsNetworkFileSystem, type NetworkFileSystemFlags } from "./storage-config.js";
import { describeInspection, inspectionProgress, type VerifyFlags } from "./verify-command.js";

export interface RepairFlags extends VerifyFlags, NetworkFileSystemFlags {}

/** Resolves with the exit code. *Errors*: throws a `UsageError`; rejects with a `StoreFault`. */
export async function repair(flags: RepairFlags, environment: NodeJS.ProcessEnv): Promise<number> {
	const directory = requireDirectory(flags.data);
	const report = await repairFsStorage({
		directory,
		allowNetworkFileSystem: allowsNetworkFileSystem(flags, environment),
		clock: systemClock,
		onProgress: inspectionProgress("read"),
	});
	const { found, aside } = report;
	const isSound = found.damages.length === 0;
	const lines = flags.json
		? [JSON.stringify({ repaired: !isSound, ...report })]
		: [
				...describeInspection(found),
				...aside.map((file) => `kept aside: ${file}`),
				isSound
					? "there was nothing to repair"
					: "repaired: what could be read is at its position; start Reelkeep again",
			];
	await printLines(lines);
	return 0;
}
