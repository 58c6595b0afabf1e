import { type RawReply, sendRaw as send } from "@reelkeep/testing";
import { transcribe } from "./transcript.js";

/** Sends bytes as `sendRaw` of the testing kit does; the reply goes to the transcript too. */
export async function sendRaw(address: string, bytes: Uint8Array): Promise<RawReply> {
	const reply = await send(address, bytes);
	transcribe("http", reply.raw.toString("utf8"));
	if (reply.headers.has("content-encoding")) transcribe("http", reply.body);
	return reply;
}
