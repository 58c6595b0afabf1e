const SAMPLE = {
	game_id: "cgdctwrqs",
	track_info: "9dacb134-1735-4e3b-bb33-3bea06ae54ad",
	account_domain: 0,
	download_url:
		"http://ali-cloudgame.oss-cn-zhangjiakou.aliyuncs.com/720p.mp4?OSSAccessKeyId=LTAI4FrVZfkTUiNQ2hu8Z4uk&Expires=4102444800&Signature=0EULWMQnEjKQs8cHFlLttlZaFiI%3D",
	version: 1,
	account_id: "NUAzXzcyMTA5OTE4MTgzViRg",
	expire_time: 4102444800000,
	action: "SCREEN_RECORDING_CALL_BACK",
	project_id: "cg-avatar",
};

/** What a callback consists of, as the PaaS writes it. */
export type CallbackMember = keyof typeof SAMPLE;

export const CALLBACK_MEMBERS = Object.keys(SAMPLE) as readonly CallbackMember[];

/** A callback's JSON members as the PaaS sends them, with what a test changes; also with members that no callback has. */
export function sampleCallback(
	changes: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
	return { ...SAMPLE, ...changes };
}
