// Holds the gRPC contract to itself: it is linted, nothing that was released is broken, and the committed code is what the
// generator makes of it. `--update` writes that code; `--release` makes today's contract the one that is held to.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const home = join(root, "packages/adapter-grpc");
const programs = join(home, "node_modules/.bin");
const contract = "proto/reelkeep/v1/recording_service.proto";
const baseline = join(home, "proto.baseline.json");
const generated = join(home, "src/gen");
const folder = mkdtempSync(join(tmpdir(), "reelkeep-proto-"));

/** buf's exit code when it has found something, and has said what. */
const FOUND = 100;

/** What buf found, line by line. Throws when it could not look. */
function buf(place, ...command) {
	const { status, error, stdout, stderr } = spawnSync(join(programs, "buf"), command, {
		cwd: place,
		encoding: "utf8",
		// The generator is looked up on PATH. The cache is here, so that no home folder is needed.
		env: {
			...process.env,
			PATH: [programs, process.env.PATH].join(delimiter),
			BUF_CACHE_DIR: join(folder, "cache"),
		},
	});
	if (error?.code === "ENOENT") throw new Error("buf is not installed: run `npx -y pnpm@12.21.0 install`");
	if (error !== undefined) throw error;
	const said = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
	if (status === 0) return [];
	if (status === FOUND && said.length > 0) return said;
	throw new Error(`buf ${command.join(" ")} ended with ${status}: ${said.join("\n")}`);
}

const lint = (place) => buf(place, "lint");
const breaking = (place) => buf(place, "breaking", "--against", baseline);

function checkLint() {
	const found = lint(home);
	return found.length === 0 ? [] : [...found, "mend that in the .proto files"];
}

function checkBreaking() {
	const found = existsSync(baseline) ? breaking(home) : [];
	if (found.length === 0) return [];
	return [
		...found,
		"clients that are out there would break: leave what is there, and add to it or beside it",
	];
}

/** The files below `place`, each with its bytes. */
function filesOf(place) {
	if (!existsSync(place)) return new Map();
	const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
	const paths = files.map(({ parentPath, name }) => relative(place, join(parentPath, name))).sort();
	return new Map(paths.map((path) => [path, readFileSync(join(place, path))]));
}

function checkGenerated(isUpdate) {
	const fresh = join(folder, "generated/src/gen");
	const found = buf(home, "generate", "--output", join(folder, "generated"));
	if (found.length > 0) return found;
	const [wanted, committed] = [filesOf(fresh), filesOf(generated)];
	if (wanted.size === 0) return ["the generator made nothing: does buf.gen.yaml still write to src/gen?"];
	const problems = [
		...[...committed.keys()].filter((path) => !wanted.has(path)).map((path) => `src/gen/${path} is surplus`),
		...[...wanted].flatMap(([path, bytes]) => {
			if (!committed.has(path)) return [`src/gen/${path} is missing`];
			return committed.get(path).equals(bytes) ? [] : [`src/gen/${path} is not what the generator makes`];
		}),
	];
	if (problems.length === 0) return [];
	if (!isUpdate) return [...problems, "run `node scripts/check-proto.mjs --update`, and commit src/gen"];
	rmSync(generated, { recursive: true, force: true });
	cpSync(fresh, generated, { recursive: true });
	for (const problem of problems) console.log(`     ${problem}: mended`);
	return [];
}

/** A field of the contract with the comment above it. */
const FIELD = /((?:^ {2}\/\/.*\n)+)(^ {2}(?:\w+ )?[\w.]+ (\w+) = )\d+;/m;

/** Both checks must see a flaw that is planted into a copy: a field with another number, a field without its comment. */
function checkTheChecks() {
	const text = readFileSync(join(home, contract), "utf8");
	const name = FIELD.exec(text)?.[3];
	if (name === undefined)
		return [`no field with a comment was found in ${contract}: mend FIELD in this script`];
	const foundIn = (title, check, flawed) => {
		const copy = join(folder, title);
		for (const path of ["buf.yaml", "proto"]) cpSync(join(home, path), join(copy, path), { recursive: true });
		writeFileSync(join(copy, contract), flawed);
		return check(copy).some((line) => line.includes(`"${name}"`));
	};
	const isNumberSeen = foundIn("number", breaking, text.replace(FIELD, "$1$2536870911;"));
	const isCommentSeen = foundIn(
		"comment",
		lint,
		text.replace(FIELD, (_, _comment, head) => `${head}1;`),
	);
	return [
		...(isNumberSeen
			? []
			: [`${name} got another number and nobody minded: \`breaking\` of buf.yaml is too weak`]),
		...(isCommentSeen
			? []
			: [`${name} lost its comment and nobody minded: \`lint\` of buf.yaml is too weak`]),
	];
}

/** What is ours, and what it imports; laid out as the formatter wants it. */
function release() {
	const image = join(folder, "image.json");
	const found = buf(home, "build", "--path", "proto/reelkeep", "--exclude-source-info", "--output", image);
	if (found.length > 0) throw new Error(found.join("\n"));
	writeFileSync(baseline, `${JSON.stringify(JSON.parse(readFileSync(image, "utf8")), null, "\t")}\n`);
	const biome = join(root, "node_modules/.bin/biome");
	const { status, stderr } = spawnSync(biome, ["format", "--write", baseline], {
		cwd: root,
		encoding: "utf8",
	});
	if (status !== 0) throw new Error(`proto.baseline.json was not formatted: ${stderr}`);
	console.log("     proto.baseline.json is now today's contract: commit it with the release");
}

/** How many problems there are; each is told. */
function tell(title, problems) {
	console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${title}`);
	for (const problem of problems) console.log(`     ${problem}`);
	return problems.length;
}

function run(option) {
	if (option !== "--release" && !existsSync(baseline)) {
		return tell("proto.baseline.json", ["it is not there; restore it: it says what was released last"]);
	}
	const problems =
		tell("the contract is linted", checkLint()) +
		tell("the contract breaks nothing that was released", checkBreaking()) +
		tell("the committed code is what the generator makes", checkGenerated(option === "--update"));
	if (option === "--release") {
		if (problems > 0) return tell("proto.baseline.json", ["it stays as it is until that is mended"]);
		release();
	}
	return problems + tell("planted flaws are seen", checkTheChecks());
}

const [option, ...rest] = process.argv.slice(2);
if (rest.length > 0 || ![undefined, "--update", "--release"].includes(option)) {
	console.error("usage: node scripts/check-proto.mjs [--update | --release]");
	process.exit(2);
}
try {
	process.exitCode = run(option) === 0 ? 0 : 1;
} catch (error) {
	console.log(`FAIL ${error.message}`);
	process.exitCode = 1;
} finally {
	rmSync(folder, { recursive: true, force: true });
}
