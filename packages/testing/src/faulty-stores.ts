// Ports that fail as a test plans it: wrapped around a real one, which does what no fault changes.

import {
	type CheckpointStore,
	type EventStore,
	type Keyring,
	keyringFault,
	type LeaseStore,
	type SnapshotStore,
	type VideoStore,
	type VideoUpload,
} from "@reelkeep/core/ports";
import { createFaults, type FaultedCalls, type Faults, type FaultsOptions } from "./faults.js";

export type FaultyEventStore = EventStore & {
	readonly faults: Faults<"append" | "read" | "readAll" | "close", "append" | "read" | "readAll">;
};

/** An event store around `store`. A torn append keeps the first half of its events. */
export function faultyEventStore(store: EventStore, options?: FaultsOptions): FaultyEventStore {
	const { faults, calls }: WithFaults<FaultyEventStore> = createFaults(options);
	return {
		supports: store.supports,
		append: (stream, events, expected) =>
			calls.run(
				"append",
				() => store.append(stream, events, expected),
				async () => {
					const half = events.slice(0, Math.floor(events.length / 2));
					if (half.length > 0) await store.append(stream, half, expected);
				},
			),
		read: (stream, read) => calls.iterate("read", store.read(stream, read)),
		readAll: (read) => calls.iterate("readAll", store.readAll(read)),
		onAppended: (hint) => store.onAppended(hint),
		close: () => calls.run("close", () => store.close()),
		faults,
	};
}

export type FaultyCheckpointStore = CheckpointStore & { readonly faults: Faults<"load" | "save"> };

/** A checkpoint store around `store`. */
export function faultyCheckpointStore(
	store: CheckpointStore,
	options?: FaultsOptions,
): FaultyCheckpointStore {
	const { faults, calls }: WithFaults<FaultyCheckpointStore> = createFaults(options);
	return {
		load: (name) => calls.run("load", () => store.load(name)),
		save: (name, position, expected) => calls.run("save", () => store.save(name, position, expected)),
		faults,
	};
}

export type FaultySnapshotStore = SnapshotStore & { readonly faults: Faults<"load" | "save"> };

/** A snapshot store around `store`. */
export function faultySnapshotStore(store: SnapshotStore, options?: FaultsOptions): FaultySnapshotStore {
	const { faults, calls }: WithFaults<FaultySnapshotStore> = createFaults(options);
	return {
		load: (name) => calls.run("load", () => store.load(name)),
		save: (name, snapshot) => calls.run("save", () => store.save(name, snapshot)),
		faults,
	};
}

export type FaultyLeaseStore = LeaseStore & { readonly faults: Faults<"acquire" | "renew" | "release"> };

/** A lease store around `store`. */
export function faultyLeaseStore(store: LeaseStore, options?: FaultsOptions): FaultyLeaseStore {
	const { faults, calls }: WithFaults<FaultyLeaseStore> = createFaults(options);
	return {
		acquire: (...args) => calls.run("acquire", () => store.acquire(...args)),
		renew: (...args) => calls.run("renew", () => store.renew(...args)),
		release: (...args) => calls.run("release", () => store.release(...args)),
		faults,
	};
}

export type FaultyKeyring = Keyring & { readonly faults: Faults<"seal" | "open"> };

/** A keyring around `keyring`; it fails with a `KeyringFault` of reason `unavailable`. */
export function faultyKeyring(keyring: Keyring, options?: FaultsOptions): FaultyKeyring {
	const { faults, calls }: WithFaults<FaultyKeyring> = createFaults(options, (call) =>
		keyringFault("unavailable", `a planned fault of ${call}`),
	);
	return {
		seal: (text, context) => calls.run("seal", () => keyring.seal(text, context)),
		open: (sealed, context) => calls.run("open", () => keyring.open(sealed, context)),
		faults,
	};
}

type UploadCall = "write" | "digest" | "commit" | "discard" | "suspend";
type VideoCall = "begin" | "findPartial" | "removePartial" | "freeBytes" | "stat" | "open" | "remove";

export type FaultyVideoStore = VideoStore & {
	readonly faults: Faults<VideoCall | UploadCall, "write" | "open">;
};

/** A video store around `store`. The calls of its uploads are planned with its own: `write` is that of any upload. */
export function faultyVideoStore(store: VideoStore, options?: FaultsOptions): FaultyVideoStore {
	const { faults, calls }: WithFaults<FaultyVideoStore> = createFaults(options);
	return {
		supports: store.supports,
		begin: (key, begin) => calls.run("begin", async () => faultyUpload(await store.begin(key, begin), calls)),
		findPartial: (key) => calls.run("findPartial", () => store.findPartial(key)),
		removePartial: (key) => calls.run("removePartial", () => store.removePartial(key)),
		freeBytes: () => calls.run("freeBytes", () => store.freeBytes()),
		stat: (key) => calls.run("stat", () => store.stat(key)),
		open: (location, open) => calls.iterate("open", store.open(location, open)),
		remove: (location) => calls.run("remove", () => store.remove(location)),
		faults,
	};
}

function faultyUpload(upload: VideoUpload, calls: FaultedCalls<UploadCall>): VideoUpload {
	return {
		get offset() {
			return upload.offset;
		},
		write: (chunk) =>
			calls.run(
				"write",
				() => upload.write(chunk),
				() => upload.write(chunk.subarray(0, Math.floor(chunk.length / 2))),
			),
		digest: () => calls.run("digest", () => upload.digest()),
		commit: () => calls.run("commit", () => upload.commit()),
		discard: () => calls.run("discard", () => upload.discard()),
		suspend: () => calls.run("suspend", () => upload.suspend()),
	};
}

/** What `createFaults` makes for a faulty port. */
type WithFaults<Port> = Port extends { readonly faults: Faults<infer Call, infer Torn> }
	? { readonly faults: Faults<Call, Torn>; readonly calls: FaultedCalls<Call> }
	: never;
