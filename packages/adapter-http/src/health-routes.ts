// `/healthz`: does the process live? `/readyz`: can it receive callbacks (200 or 503), and what is wrong?

import type { IncomingMessage, ServerResponse } from "node:http";
import { checkReadiness } from "@reelkeep/core";
import type { Clock, Health } from "@reelkeep/core/ports";
import { pathOf } from "./node-handler.js";

export const HEALTH_PATHS: readonly string[] = ["/healthz", "/readyz"];

/** Answers the two paths; false for any other. */
export function createHealthRoutes(
	health: Health,
	clock: Clock,
): (request: IncomingMessage, response: ServerResponse) => boolean {
	return (request, response) => {
		const path = pathOf(request.url ?? "");
		if (!HEALTH_PATHS.includes(path) || !isReading(request.method)) return false;
		request.resume();
		if (path === "/healthz") sendJson(response, 200, { status: "ok" });
		else void sendReadiness(response, health, clock);
		return true;
	};
}

function isReading(method: string | undefined): boolean {
	return method === "GET" || method === "HEAD";
}

async function sendReadiness(response: ServerResponse, health: Health, clock: Clock): Promise<void> {
	const { status, problems } = await checkReadiness(health, clock, "http");
	if (response.destroyed) return;
	if (status === "ready") sendJson(response, 200, { status: "ready" });
	else if (status === "failing") sendJson(response, 503, { status: "not ready", problems });
	else sendJson(response, 200, { status: "degraded", problems });
}

function sendJson(response: ServerResponse, status: number, document: object): void {
	const body = Buffer.from(JSON.stringify(document));
	response.writeHead(status, {
		"Content-Type": "application/json;charset=UTF-8",
		"Cache-Control": "no-store",
		"Content-Length": body.length,
	});
	response.end(body);
}
