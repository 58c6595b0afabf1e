// Flags of archiving, for every command that downloads videos. What is read from them: archive-config.ts.

import { Option } from "commander";
import { repeatable } from "./options.js";

/** The object stores whose links the PaaS sends. */
export const DEFAULT_ALLOW_HOST = "*.aliyuncs.com";

/** Where videos may come from, how fast, how many at a time, and what is looked at. */
export function archiveOptions(): readonly Option[] {
	return [
		repeatable(
			"--allow-host <pattern>",
			`where videos may come from: a host, *.DOMAIN or an address; replaces the default ${DEFAULT_ALLOW_HOST}; also REELKEEP_ALLOW_HOST, separated by commas`,
		),
		repeatable(
			"--allow-port <n>",
			"on which ports they may be; replaces the default 80 and 443; also REELKEEP_ALLOW_PORT, separated by commas",
		),
		switchOption(
			"--allow-private-network",
			"let allowed hosts have private addresses, on any port",
			"REELKEEP_ALLOW_PRIVATE_NETWORK",
		),
		switchOption(
			"--allow-oss-internal",
			"inside Alibaba Cloud: let allowed hosts that are *-internal.aliyuncs.com have addresses in 100.64.0.0/10",
			"REELKEEP_ALLOW_OSS_INTERNAL",
		),
		switchOption(
			"--prefer-https",
			"ask over https where a link says http, and over http only where no TLS connection comes about",
			"REELKEEP_PREFER_HTTPS",
		),
		new Option("--concurrency <n>", "downloads at a time (default: 8)").env("REELKEEP_CONCURRENCY"),
		new Option("--concurrency-per-host <n>", "of these, on one host (default: 4)").env(
			"REELKEEP_CONCURRENCY_PER_HOST",
		),
		new Option("--max-video-mib <n>", "largest video (default: 20480, 20 GiB)").env("REELKEEP_MAX_VIDEO_MIB"),
		new Option("--min-rate <n>", "slowest download, in bytes a second; 0 waits for any (default: 1024)").env(
			"REELKEEP_MIN_RATE",
		),
		switchOption(
			"--probe-mp4",
			"look whether each kept file is a playable MP4, and note it in its receipt; nothing is refused for it",
			"REELKEEP_PROBE_MP4",
		),
	];
}

/** An object that the origin denies is asked for four times, half a minute apart, before that is believed. */
const DEFAULT_WAIT = "2m";

/** Of `reelkeep archive`: for how long failures that may pass are worth another try. */
export function waitOption(): Option {
	return new Option(
		"--wait <duration>",
		"how long to wait, in all, for tries that are not due yet; anew whenever a recording comes to rest",
	).default(DEFAULT_WAIT);
}

/** Whether how far downloads are is shown. */
export function progressOption(): Option {
	return new Option("--no-progress", "show no progress of downloads");
}

/** A switch that its environment variable turns on and off; commander's own `env` would take any value for on. */
function switchOption(flag: string, description: string, variable: string): Option {
	return new Option(flag, `${description} (env: ${variable}, true or false)`);
}
