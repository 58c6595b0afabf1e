// A disk that forgets what was not synced. Each operation happens at one moment; time, order and faults are the business
// of the file system in front of it (simulated-file-system.ts).

import { contentAfterPowerCut, type Dice } from "./power-cut.js";
import {
	applyName,
	type Entry,
	type EntryChange,
	type NameChange,
	SimulatedDirectory,
} from "./simulated-directory.js";
import { SimulatedFile } from "./simulated-file.js";
import { systemError } from "./system-error.js";

interface Place {
	readonly directory: SimulatedDirectory;
	readonly name: string;
	readonly entry: Entry | undefined;
}

export class SimulatedDisk {
	readonly #root: SimulatedDirectory;
	#changes: readonly EntryChange[] = [];
	#moment = 0;

	constructor(root: SimulatedDirectory = new SimulatedDirectory()) {
		this.#root = root;
	}

	/** The present moment, behind everything that happened. */
	now(): number {
		this.#moment += 1;
		return this.#moment;
	}

	/** The file at `path`. Throws `ENOENT` or `EISDIR`. */
	fileAt(path: string): SimulatedFile {
		const { entry } = this.#find(path);
		if (entry === undefined) throw systemError("ENOENT", path);
		if (entry instanceof SimulatedDirectory) throw systemError("EISDIR", path);
		return entry;
	}

	has(path: string): boolean {
		return this.#find(path).entry !== undefined;
	}

	/** Makes an empty file, and throws `EEXIST` when the name is taken. */
	createFile(path: string): SimulatedFile {
		const { directory, name, entry } = this.#find(path);
		if (entry !== undefined) throw systemError("EEXIST", path);
		const file = new SimulatedFile();
		this.#change({ directory, name, entry: file });
		return file;
	}

	/** Returns `false` when there is one already. */
	makeDirectory(path: string): boolean {
		const { directory, name, entry } = this.#find(path);
		if (entry instanceof SimulatedDirectory) return false;
		if (entry !== undefined) throw systemError("ENOTDIR", path);
		this.#change({ directory, name, entry: new SimulatedDirectory() });
		return true;
	}

	list(path: string): readonly string[] {
		return [...this.#directoryAt(path).seen.keys()];
	}

	rename(from: string, to: string): void {
		const source = this.#find(from);
		const target = this.#find(to);
		if (source.entry === undefined) throw systemError("ENOENT", from);
		if (target.entry instanceof SimulatedDirectory) throw systemError("EISDIR", to);
		this.#change({ ...source, entry: undefined }, { ...target, entry: source.entry });
	}

	link(existing: string, added: string): void {
		const file = this.fileAt(existing);
		const target = this.#find(added);
		if (target.entry !== undefined) throw systemError("EEXIST", added);
		this.#change({ ...target, entry: file });
	}

	unlink(path: string): void {
		this.fileAt(path);
		this.#change({ ...this.#find(path), entry: undefined });
	}

	/** Makes the names durable that changed before `began`. */
	syncDirectory(path: string, began: number): void {
		const directory = this.#directoryAt(path);
		const isSynced = ({ moment, names }: EntryChange): boolean =>
			moment < began && names.some((change) => change.directory === directory);
		for (const { names } of this.#changes.filter(isSynced)) {
			for (const change of names) applyName(change.directory.durable, change);
		}
		this.#changes = this.#changes.filter((change) => !isSynced(change));
	}

	/**
	 * The disk as it may be found when the power is back: what was synced, and of the rest what the dice leave. This disk
	 * stays as it is, so that one moment can be cut in many ways.
	 */
	afterPowerCut(dice: Dice): SimulatedDisk {
		const names = this.#namesAfterPowerCut(dice);
		// A file may have two names.
		const files = new Map<SimulatedFile, SimulatedFile>();
		const copy = (entry: Entry): Entry => {
			if (entry instanceof SimulatedDirectory) return copyDirectory(entry);
			const known = files.get(entry) ?? new SimulatedFile(contentAfterPowerCut(entry, dice));
			files.set(entry, known);
			return known;
		};
		const copyDirectory = (directory: SimulatedDirectory): SimulatedDirectory => {
			const copied = new SimulatedDirectory();
			for (const [name, entry] of names.get(directory) ?? directory.durable) {
				const found = copy(entry);
				copied.seen.set(name, found);
				copied.durable.set(name, found);
			}
			return copied;
		};
		return new SimulatedDisk(copyDirectory(this.#root));
	}

	/** The durable names of each directory that has changes, with those that the dice keep. */
	#namesAfterPowerCut({ random, count }: Dice): ReadonlyMap<SimulatedDirectory, ReadonlyMap<string, Entry>> {
		const names = new Map<SimulatedDirectory, Map<string, Entry>>();
		const keeping = random.pick([0, 0.5, 0.5, 1]);
		for (const change of this.#changes) {
			const isKept = random.chance(keeping);
			count(`cut.names.${isKept ? "kept" : "lost"}`);
			if (!isKept) continue;
			for (const one of change.names) {
				const changed = names.get(one.directory) ?? new Map(one.directory.durable);
				names.set(one.directory, changed);
				applyName(changed, one);
			}
		}
		return names;
	}

	#change(...names: readonly NameChange[]): void {
		for (const change of names) applyName(change.directory.seen, change);
		this.#changes = [...this.#changes, { moment: this.now(), names }];
	}

	#directoryAt(path: string): SimulatedDirectory {
		let directory = this.#root;
		for (const name of partsOf(path)) {
			const entry = directory.seen.get(name);
			if (entry === undefined) throw systemError("ENOENT", path);
			if (!(entry instanceof SimulatedDirectory)) throw systemError("ENOTDIR", path);
			directory = entry;
		}
		return directory;
	}

	#find(path: string): Place {
		const parts = partsOf(path);
		const name = parts.at(-1) ?? "";
		const directory = this.#directoryAt(parts.slice(0, -1).join("/"));
		return { directory, name, entry: name === "" ? directory : directory.seen.get(name) };
	}
}

function partsOf(path: string): readonly string[] {
	return path.split("/").filter((part) => part !== "");
}
