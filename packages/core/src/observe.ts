/** Who looks on does not decide: a logger or a telemetry that throws changes no outcome and ends nothing. */
export function observe(look: () => void): void {
	try {
		look();
	} catch {}
}
