// Stores with recordings whose videos nobody has downloaded yet.

import { startServe } from "@reelkeep/harness/reelkeep-process";
import type { StatedLink } from "@reelkeep/harness/reporters";
import { sendRaw } from "@reelkeep/harness/send-raw";
import { TEST_APP_KEY, TEST_SECRET } from "@reelkeep/harness/transcript";
import { sampleCallback, signedRequest } from "@reelkeep/testing";

/** Reports a recording for each link. */
export async function reportLinks(address: string, links: readonly StatedLink[]): Promise<void> {
	for (const { url, expiresAtMs } of links) {
		const callback = sampleCallback({ download_url: url, expire_time: expiresAtMs });
		const requestParam = JSON.stringify(callback);
		const request = { secret: TEST_SECRET, appKey: TEST_APP_KEY, now: Date.now(), requestParam };
		await sendRaw(address, signedRequest(request));
	}
}

/** Has a server receive these links into `directory`, which it may not follow, and end. */
export async function leavePending(
	entry: string,
	directory: string,
	links: readonly StatedLink[],
): Promise<void> {
	const listen = ["--http", "127.0.0.1:0", "--app", `${TEST_APP_KEY}=${TEST_SECRET}`];
	const flags = ["--data", directory, ...listen, "--allow-host", "no.invalid"];
	const serve = await startServe({ entry, flags });
	await reportLinks(serve.address, links);
	const code = await serve.stop();
	if (code !== 0) throw new Error(`the server ended with ${code}`);
}
