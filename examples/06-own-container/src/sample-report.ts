import type { Report } from "@reelkeep/core/ports";

/** A report as an ingress hands it over. */
export const sampleReport: Report = {
	appKey: "12345678",
	metadata: { ingress: "example" },
	requestParam: JSON.stringify({
		action: "SCREEN_RECORDING_CALL_BACK",
		project_id: "cg-avatar",
		game_id: "cgdctwrqs",
		track_info: "9dacb134-1735-4e3b-bb33-3bea06ae54ad",
		account_domain: 0,
		account_id: "player",
		download_url: "http://bucket.example.com/720p.mp4",
		expire_time: 0,
		version: 1,
	}),
};
