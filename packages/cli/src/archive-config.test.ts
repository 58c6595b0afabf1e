import {
	archiver,
	DEFAULT_ALLOWED_HOSTS,
	DEFAULT_CONCURRENCY,
	DEFAULT_CONCURRENCY_PER_HOST,
	DEFAULT_MAX_VIDEO_BYTES,
	DEFAULT_MIN_BYTES_PER_SECOND,
} from "@reelkeep/archiver";
import { describe, expect, it } from "vitest";
import { readArchivingConfig } from "./archive-config.js";
import { archiveOptions, DEFAULT_ALLOW_HOST } from "./archive-options.js";
import { UsageError } from "./flags.js";

describe("the flags of archiving", () => {
	it("say little when nothing is asked for, so that the archiver's defaults hold", () => {
		expect(readArchivingConfig({}, {})).toEqual({
			allowHosts: [DEFAULT_ALLOW_HOST],
			allowPrivateNetwork: false,
			allowOssInternal: false,
			preferHttps: false,
			probeMp4: false,
		});
	});

	it("become options of the archiver", () => {
		const flags = {
			allowHost: ["a.example", "*.b.example"],
			allowPort: ["8443", "443"],
			allowPrivateNetwork: true,
			allowOssInternal: true,
			preferHttps: true,
			concurrency: "8",
			concurrencyPerHost: "2",
			maxVideoMib: "3",
			minRate: "0",
			probeMp4: true,
		};
		const options = readArchivingConfig(flags, {});
		expect(options).toEqual({
			allowHosts: ["a.example", "*.b.example"],
			allowPorts: [8443, 443],
			allowPrivateNetwork: true,
			allowOssInternal: true,
			preferHttps: true,
			concurrency: 8,
			concurrencyPerHost: 2,
			maxBytes: 3 * 1024 * 1024,
			minBytesPerSecond: 0,
			probeMp4: true,
		});
		expect(() => archiver(options)).not.toThrow();
	});

	it("come from the environment, and a flag wins over it", () => {
		const environment = {
			REELKEEP_ALLOW_HOST: "a.example, b.example",
			REELKEEP_ALLOW_PORT: "80,8080",
			REELKEEP_ALLOW_OSS_INTERNAL: "true",
			REELKEEP_PREFER_HTTPS: "1",
			REELKEEP_PROBE_MP4: "true",
			REELKEEP_ALLOW_PRIVATE_NETWORK: "false",
		};
		expect(readArchivingConfig({}, environment)).toMatchObject({
			allowHosts: ["a.example", "b.example"],
			allowPorts: [80, 8080],
			allowOssInternal: true,
			preferHttps: true,
			probeMp4: true,
			allowPrivateNetwork: false,
		});
		const flags = { allowHost: ["c.example"], allowPort: ["443"], allowPrivateNetwork: true };
		expect(readArchivingConfig(flags, environment)).toMatchObject({
			allowHosts: ["c.example"],
			allowPorts: [443],
			allowPrivateNetwork: true,
		});
	});

	it.each<[Parameters<typeof readArchivingConfig>[0], NodeJS.ProcessEnv, RegExp]>([
		[{ allowPort: ["0"] }, {}, /--allow-port takes a whole number from 1 to 65535/],
		[{ allowPort: ["65536"] }, {}, /--allow-port takes/],
		[{ allowPort: ["80-90"] }, {}, /--allow-port takes/],
		[{ allowPort: ["443", ""] }, {}, /--allow-port takes/],
		[{}, { REELKEEP_ALLOW_PORT: "https" }, /--allow-port takes/],
		[{ concurrency: "0" }, {}, /--concurrency takes a whole number of at least 1/],
		[{ concurrency: "1.5" }, {}, /--concurrency takes/],
		[{ concurrency: "9007199254740993" }, {}, /--concurrency takes/],
		[{ concurrencyPerHost: "-1" }, {}, /--concurrency-per-host takes a whole number of at least 1/],
		[{ maxVideoMib: "much" }, {}, /--max-video-mib takes a whole number from 1 to 8589934591/],
		[{ maxVideoMib: "0" }, {}, /--max-video-mib takes/],
		[{ maxVideoMib: "8589934592" }, {}, /--max-video-mib takes/],
		[{ minRate: "1k" }, {}, /--min-rate takes a whole number of at least 0/],
		[{}, { REELKEEP_PREFER_HTTPS: "yes" }, /REELKEEP_PREFER_HTTPS takes true or false/],
		[{}, { REELKEEP_PROBE_MP4: "on" }, /REELKEEP_PROBE_MP4 takes true or false/],
	])("refuse %o and %o", (flags, environment, says) => {
		expect(() => readArchivingConfig(flags, environment)).toThrow(UsageError);
		expect(() => readArchivingConfig(flags, environment)).toThrow(says);
	});

	it("take a video of as many MiB as the archiver does", () => {
		const options = readArchivingConfig({ maxVideoMib: "8589934591" }, {});
		expect(() => archiver(options)).not.toThrow();
		expect(() => archiver({ ...options, maxBytes: (options.maxBytes ?? 0) + 1024 ** 2 })).toThrow(RangeError);
	});

	it("tell the archiver's defaults in their help", () => {
		const help = archiveOptions().map(({ flags, description }) => `${flags} ${description}`);
		expect([DEFAULT_ALLOW_HOST]).toEqual(DEFAULT_ALLOWED_HOSTS);
		const told = (flag: string): string => help.find((line) => line.startsWith(flag)) ?? "";
		expect(told("--concurrency <n>")).toContain(`(default: ${DEFAULT_CONCURRENCY})`);
		expect(told("--concurrency-per-host")).toContain(`(default: ${DEFAULT_CONCURRENCY_PER_HOST})`);
		expect(told("--max-video-mib")).toContain(`(default: ${DEFAULT_MAX_VIDEO_BYTES / 1024 ** 2}, `);
		expect(told("--min-rate")).toContain(`(default: ${DEFAULT_MIN_BYTES_PER_SECOND})`);
	});
});
