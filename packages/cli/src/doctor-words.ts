// What `reelkeep doctor` says of a finding, and of what became of it.

import type { Leftover, Mending, UntoldVideo, VideoFinding } from "@reelkeep/storage-fs";
import { printable } from "./output.js";

const UNTOLD: Readonly<Record<UntoldVideo["state"], string>> = {
	pending: "not told yet: `serve` or `archive` adopts it",
	expired: "is whole, and the log says that its recording expired without it",
	abandoned: "is whole, and the log says that its recording was abandoned without it",
	unknown: "belongs to no recording that the log has kept here",
};
const LEFTOVER: Readonly<Record<Leftover["why"], string>> = {
	rested: "its recording rests",
	kept: "its video is there whole",
	unknown: "the log has no such recording",
	useless: "nothing says how much of it is sound",
	unreadable: "it cannot be read",
};

export function describeFinding(finding: VideoFinding, isOwned: boolean): string {
	switch (finding._tag) {
		case "Missing":
			return `missing: ${at(finding)}: the log says that it is kept`;
		case "Damaged":
			return `damaged: ${at(finding)}: ${printable(finding.problem)}`;
		case "Untold":
			return `not in the log: ${at(finding)} (${inMib(finding.bytes)}) ${UNTOLD[finding.state]}`;
		case "Leftover": {
			const why = isOwned ? "being written, or left" : `${LEFTOVER[finding.why]}${settledBy(finding)}`;
			return `left over: ${finding.files.join(", ")} (${inMib(finding.bytes)}): ${why}`;
		}
	}
}

function settledBy({ why }: Leftover): string {
	return why === "kept" || why === "useless" ? "; the next start removes it" : "";
}

function at({ location, stream }: { readonly location: string; readonly stream?: string }): string {
	return stream === undefined ? location : `${location} of ${printable(stream)}`;
}

/** *Units*: `now` in UTC milliseconds. */
export function describeMending(finding: VideoFinding, mending: Mending, now: number): string {
	if (mending._tag === "Failed") return `not mended: ${printable(mending.message)}`;
	if (mending._tag === "Left") return whyLeftAlone(finding);
	switch (finding._tag) {
		case "Missing":
		case "Damaged": {
			const { aside: to } = mending;
			if (finding._tag === "Damaged" && !finding.isKept) return `mended: moved to ${to}`;
			const aside = to === undefined ? "" : `moved to ${to}, and `;
			return `mended: ${aside}told as VideoRemoved: ${hopeOf(finding.deadline, now)}`;
		}
		case "Untold":
			return mending.aside === undefined
				? "mended: told as RecordingArchived"
				: `mended: it is not the video that was removed; moved to ${mending.aside}`;
		case "Leftover":
			return "mended: removed";
	}
}

function hopeOf(deadline: number, now: number): string {
	const time = new Date(deadline).toISOString();
	return deadline > now
		? `\`serve\` or \`archive\` downloads it again; its link lives until ${time}`
		: `its link has died by ${time}; it is tried once more, and a new link brings it back`;
}

function whyLeftAlone(finding: VideoFinding): string {
	if (finding._tag !== "Untold") return "left: look at the disk";
	return finding.state === "pending"
		? "left: nothing is wrong with it"
		: "left: it may be the only copy; reported again, it is adopted; else move it away by hand";
}

export function inMib(bytes: number): string {
	return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
