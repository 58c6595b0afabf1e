import { eventImportSuite } from "@reelkeep/core/conformance";
import { describeConformance } from "@reelkeep/core/conformance/vitest";
import { describe } from "vitest";
import { missing, newSchema, type Opened, openStore, useServer } from "./test-postgres.js";

const { server } = useServer();

const cases = eventImportSuite(async () => {
	const schema = newSchema();
	let opened: Opened | undefined;
	const open = async () => {
		await opened?.end();
		opened = await openStore(server(), schema);
		return opened.store;
	};
	return {
		open,
		reopen: open,
		async crash() {
			await opened?.kill();
			return open();
		},
		async dispose() {
			await opened?.end();
		},
	};
});

describe.skipIf(missing !== undefined)("PostgreSQL", () => {
	describeConformance("the event store", cases, { skips: [] });
});
