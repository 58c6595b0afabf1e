// Reelkeep beside its peers. In each round all sides take turns, so that a busy machine slows them alike; what counts are
// the ratios within a round, and their median.

import { readFileSync, rmSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { createPlainTable } from "./plain-table.mjs";
import { POSTGRES_SETTINGS, postgresVersion } from "./postgres.mjs";
import { SQLITE_SETTINGS } from "./sqlite-log.mjs";
import { makeFolder, WORKLOADS } from "./workloads.mjs";
import { writeJson } from "./write-file.mjs";

const KEYS = WORKLOADS.map(({ key }) => key);
const HELP = `pnpm bench [OPTIONS]

  --only KEY         one workload; may be given again: ${KEYS.join(", ")}
  --rounds N         how often all sides take turns (default 5)
  --seconds N        how long each is loaded; the first half is not counted, because it compiles (default 4)
  --events N         how long the log is that is replayed (default 200000)
  --directory PATH   where a folder for all files is made, and removed: on the disk that is meant (default: the
                     system's for temporary files)
  --json FILE        where every figure of every round is written

Ends with 1 when a ratio's median is below its floor. A difference under 1.3 times is not a finding.
`;

const { values } = parseArgs({
	options: {
		only: { type: "string", multiple: true, default: KEYS },
		rounds: { type: "string", default: "5" },
		seconds: { type: "string", default: "4" },
		events: { type: "string", default: "200000" },
		directory: { type: "string", default: tmpdir() },
		json: { type: "string" },
		help: { type: "boolean", default: false },
	},
});
if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main() {
	const unknown = values.only.filter((key) => !KEYS.includes(key));
	if (unknown.length > 0)
		return fail(`there is no workload ${unknown.join(", ")}; there are ${KEYS.join(", ")}`);
	const [rounds, seconds, events] = ["rounds", "seconds", "events"].map((name) => Number(values[name]));
	if (![rounds, seconds, events].every((value) => Number.isInteger(value) && value > 0))
		return fail("--rounds, --seconds and --events take whole numbers from 1 up");
	console.log(`Node ${process.version}, ${cpus().length} processors, Linux ${release()}; ${describePeers()}`);
	const folder = makeFolder(values.directory);
	const results = [];
	try {
		for (const workload of WORKLOADS.filter(({ key }) => values.only.includes(key))) {
			results.push(await measure(workload, rounds, { seconds, events, folder }));
		}
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
	if (values.json !== undefined) writeResults(values.json, { rounds, seconds, events, results });
	const below = results.flatMap(({ ratios }) => ratios.filter(({ isBelow }) => isBelow));
	console.log(below.length === 0 ? "every ratio is above its floor" : `${below.length} below their floors`);
	return below.length === 0 ? 0 : 1;
}

async function measure({ name, kinds, run, ratios }, count, options) {
	const rounds = [];
	for (let round = 0; round < count; round += 1) {
		process.stderr.write(`${name}: round ${round + 1} of ${count}\n`);
		const figures = {};
		// Another order in each round: whoever comes behind a heavy writer finds its disk busy.
		for (const kind of [...kinds.slice(round % kinds.length), ...kinds.slice(0, round % kinds.length)]) {
			figures[kind] = await run(kind, options);
		}
		rounds.push(figures);
	}
	const judged = ratios.map((one) => judge(one, rounds));
	printFigures(name, kinds, rounds);
	printRatios(judged);
	return { name, rounds, ratios: judged };
}

function judge({ of, subject, peer, floor, aim, isCost }, rounds) {
	const each = rounds.map((figures) => figures[subject][of] / (peer === undefined ? 1 : figures[peer][of]));
	const median = medianOf(each);
	const isBelow = floor !== undefined && (isCost ? median > floor : median < floor);
	const isAimed = aim !== undefined && (isCost ? median <= aim : median >= aim);
	return {
		of,
		subject,
		peer,
		median,
		least: Math.min(...each),
		most: Math.max(...each),
		floor,
		aim,
		isCost,
		isBelow,
		isAimed,
	};
}

function printFigures(name, kinds, rounds) {
	const table = createPlainTable([name, ">min", ">median", ">max"]);
	for (const kind of kinds) {
		for (const figure of Object.keys(rounds[0][kind])) {
			const each = rounds.map((figures) => figures[kind][figure]);
			const digits = figure === "perSecond" ? 0 : 2;
			const label =
				figure === "perSecond" ? `${kind}, a second` : `${kind}, ${figure.replace("Ms", " in ms")}`;
			table.push(
				[label, Math.min(...each), medianOf(each), Math.max(...each)].map((cell) =>
					typeof cell === "number" ? cell.toFixed(digits) : cell,
				),
			);
		}
	}
	console.log(`\n${table.toString()}`);
}

function printRatios(judged) {
	const table = createPlainTable(["ratio", "min", "median", "max", "floor", "aim", ""]);
	for (const { of, subject, peer, median, least, most, floor, aim, isCost, isBelow, isAimed } of judged) {
		const sign = isCost ? "<=" : ">=";
		const verdict = isBelow ? "below its floor" : isAimed ? "as aimed" : "";
		const what = of === "perSecond" ? "" : `${of.replace("Ms", "")} of `;
		table.push([
			peer === undefined ? `${of} of ${subject}` : `${what}${subject} / ${peer}`,
			...[least, median, most].map((one) => one.toFixed(2)),
			floor === undefined ? "" : `${sign} ${floor}`,
			aim === undefined ? "" : `${sign} ${aim}`,
			verdict,
		]);
	}
	console.log(`\n${table.toString()}`);
}

function medianOf(numbers) {
	const sorted = numbers.toSorted((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function describePeers() {
	const versionOf = (name) =>
		JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8"))
			.version;
	const settings = describeSettings(SQLITE_SETTINGS);
	const postgres = postgresVersion();
	const server =
		postgres === undefined
			? "no PostgreSQL (postgres and initdb are not on the PATH): its rows are left out"
			: `PostgreSQL ${postgres} (${describeSettings(POSTGRES_SETTINGS)}), pg ${versionOf("pg")}`;
	return `fastify ${versionOf("fastify")}, better-sqlite3 ${versionOf("better-sqlite3")} (${settings}), ${server}`;
}

function describeSettings(settings) {
	return Object.entries(settings)
		.map(([name, value]) => `${name}=${value}`)
		.join(", ");
}

function writeResults(file, measured) {
	const machine = {
		node: process.version,
		processors: cpus().map(({ model }) => model),
		kernel: release(),
		peers: describePeers(),
	};
	writeJson(file, { machine, ...measured });
}

function fail(message) {
	console.error(message);
	return 2;
}
