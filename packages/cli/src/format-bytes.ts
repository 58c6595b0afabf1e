// Amounts of bytes, for people.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** `12.3 MiB`: with a unit of which there are fewer than 1024. */
export function formatBytes(bytes: number): string {
	const power = powerOf(bytes);
	return `${formatIn(power, bytes)} ${UNITS[power]}`;
}

/** `6.0/12.3 MiB`, both in the unit of the whole. */
export function formatShare(bytes: number, totalBytes: number | undefined): string {
	if (totalBytes === undefined) return formatBytes(bytes);
	return `${formatIn(powerOf(totalBytes), bytes)}/${formatBytes(totalBytes)}`;
}

function powerOf(bytes: number): number {
	return bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
}

function formatIn(power: number, bytes: number): string {
	return power === 0 ? String(Math.round(bytes)) : (bytes / 1024 ** power).toFixed(1);
}
