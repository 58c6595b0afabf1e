// The testing kit's requests against the real receiver: on a port, and by fetch. In memory, in fake time.

import {
	CAPTURE_NAMES,
	flipSignedByte,
	SAMPLE_APP,
	sdkRequest,
	sendRaw,
	startTestReelkeep,
	toFetchRequest,
} from "@reelkeep/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createFetchHandler } from "./fetch-handler.js";
import { httpIngress } from "./plugin.js";
import { createTopVerifier } from "./verifier.js";

const REFUSED = /"code":25|<code>25</;

const apps = { [SAMPLE_APP.appKey]: SAMPLE_APP.secret };
const given = async () => {
	const http = httpIngress({ port: 0, apps });
	const reelkeep = await startTestReelkeep({ plugins: [http] });
	const { receive, clock } = reelkeep;
	const verifier = createTopVerifier({ apps, clock });
	const answer = createFetchHandler({ receive, verifier, clock, ids: { next: () => crypto.randomUUID() } });
	return { address: http.address() ?? "", reelkeep, answer };
};
let scene: Awaited<ReturnType<typeof given>>;
beforeEach(async () => {
	scene = await given();
});
afterEach(() => scene.reelkeep.stop());

it.each(CAPTURE_NAMES)(
	"a request of %s is taken from a port and by fetch, and its flipped control is not",
	async (name) => {
		const { address, reelkeep, answer } = scene;
		const now = reelkeep.clock.now();
		const onPort = sdkRequest(name, { now, callback: { track_info: "on-a-port" } });
		const byFetch = sdkRequest(name, { now, callback: { track_info: "by-fetch" } });
		for (const each of [onPort, byFetch].map(flipSignedByte)) {
			expect((await sendRaw(address, each)).body).toMatch(REFUSED);
			const response = await answer(toFetchRequest(each));
			expect(await response?.text()).toMatch(REFUSED);
		}
		expect(await reelkeep.history()).toEqual([]);

		await sendRaw(address, onPort);
		await answer(toFetchRequest(byFetch));
		const events = await reelkeep.history();
		const isJson = name !== "python3-2020-dict" && name !== "php2018-json-null";
		const tracks = events.map(({ type, data }) => ("trackInfo" in data ? data.trackInfo : type));
		expect(tracks).toEqual(
			isJson ? ["on-a-port", "by-fetch"] : ["CallbackQuarantined", "CallbackQuarantined"],
		);
	},
);

it("a request is late once the fake time has gone on, and good when it is signed then", async () => {
	const { address, reelkeep } = scene;
	const signedNow = () => sdkRequest("php2018-json-strings", { now: reelkeep.clock.now() });
	const early = signedNow();
	await reelkeep.clock.advance(11 * 60_000);
	expect((await sendRaw(address, early)).body).toContain('"code":31');
	await sendRaw(address, signedNow());
	expect(await reelkeep.history()).toMatchObject([
		{ type: "RecordingReported", metadata: { ingress: "http" } },
	]);
});
