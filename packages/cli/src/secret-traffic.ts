// Which secret of which app, and which token of which caller, still gets traffic, in the log: before an old one is taken
// away, somebody must know. Takes the place of a telemetry, which has the same numbers.

import { LOGGER, type Logger, type Plugin, TELEMETRY } from "@reelkeep/core/ports";

const VERIFIED: readonly string[] = ["reelkeep.http.verified", "reelkeep.grpc.verified"];
const HOUR_MS = 3_600_000;

/** *Shape*: a line when a secret is first used, and one an hour and at the end for each that was. */
export function secretTraffic(): Plugin {
	const counts = new Map<string, { readonly appKey: string; readonly secretId: string; callbacks: number }>();
	let logger: Logger | undefined;
	let timer: NodeJS.Timeout | undefined;
	const tell = (): void => {
		for (const count of counts.values()) logger?.info({ ...count }, "callbacks by secret, since the start");
	};
	return {
		name: "secret-traffic",
		provides: [TELEMETRY],
		needs: [LOGGER],
		register: (registry) =>
			registry.provide(TELEMETRY, () => ({
				count(name, { appKey = "", secretId = "" } = {}) {
					if (!VERIFIED.includes(name)) return;
					const key = `${appKey}:${secretId}`;
					const known = counts.get(key);
					if (known !== undefined) known.callbacks += 1;
					else {
						counts.set(key, { appKey, secretId, callbacks: 1 });
						logger?.info({ appKey, secretId }, "a secret is in use");
					}
				},
				record: () => undefined,
			})),
		async start(get) {
			logger = get(LOGGER);
			timer = setInterval(tell, HOUR_MS);
			timer.unref();
		},
		async stop() {
			clearInterval(timer);
			tell();
		},
	};
}
