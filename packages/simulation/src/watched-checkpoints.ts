// A checkpoint store under the eyes of the model.

import type { CheckpointStore, StoreFaultReason } from "@reelkeep/core/ports";
import type { CheckpointModel } from "./checkpoint-model.js";
import type { Chronicle } from "./chronicle.js";
import { judgeFault } from "./watched-store.js";

export interface CheckpointWatch {
	readonly who: string;
	readonly model: CheckpointModel;
	readonly chronicle: Chronicle;
	mayFail(reason: StoreFaultReason): boolean;
}

export function watchCheckpoints(store: CheckpointStore, watch: CheckpointWatch): CheckpointStore {
	const { who, model, chronicle } = watch;
	return {
		async load(name) {
			try {
				const position = await store.load(name);
				model.told(name, position);
				return position;
			} catch (error) {
				judgeFault(error, `${who} loads the checkpoint of ${name}`, watch);
				throw error;
			}
		},
		async save(name, position, expected) {
			const what = `${who} saves the checkpoint of ${name} at ${position}`;
			chronicle.say(`     ${what}`);
			model.begun(name, position);
			try {
				const result = await store.save(name, position, expected);
				chronicle.say(`     ${what}: ${result._tag}`);
				chronicle.count(`checkpoint.${result._tag}`);
				if (result._tag === "Saved") model.saved(name, position);
				else {
					model.refused(name, position);
					model.told(name, result.actual);
				}
				return result;
			} catch (error) {
				chronicle.say(`     ${what}: ${String(error)}`);
				chronicle.count("checkpoint.rejected");
				judgeFault(error, what, watch);
				throw error;
			}
		},
	};
}
