// Whose callbacks are accepted: app keys and their secrets, checked once at start.

import { isAppKey } from "./public-parameters.js";

/** One of an app's secrets. `id` names it in receipts, logs and counters; the secret itself never leaves the verifier. */
export interface AppSecret {
	/** 1 to 64 letters, digits, `.`, `_` or `-`; no part of the secret. */
	readonly id: string;
	readonly secret: string;
}

/** App key → its secret, or its secrets while one replaces another. */
export type Apps = Readonly<Record<string, string | readonly AppSecret[]>>;

/** What a secret without a name is called in receipts. */
export const DEFAULT_SECRET_ID = "default";

const SECRET_ID = /^[0-9A-Za-z._-]{1,64}$/;

/**
 * Throws a `TypeError` that names the app, never a secret, when no app is given, an app has no secret, a secret is
 * empty, blank or wrapped in white space, two have one name, or an app key can never be one.
 */
export function readApps(apps: Apps): ReadonlyMap<string, readonly AppSecret[]> {
	const known = new Map<string, readonly AppSecret[]>();
	for (const [appKey, value] of Object.entries(apps)) known.set(appKey, readApp(appKey, value));
	refuseShared(known);
	if (known.size === 0) {
		throw new TypeError(
			"no app is configured, so no callback could ever be accepted: give an app key and its secret",
		);
	}
	return known;
}

function readApp(appKey: string, value: string | readonly AppSecret[]): readonly AppSecret[] {
	if (appKey === "") throw new TypeError("an app key is empty: is the variable set that it is read from?");
	if (!isAppKey(appKey)) {
		throw new TypeError(
			`app key ${JSON.stringify(appKey.slice(0, 64))} cannot be one: 1 to 64 letters, digits, "_" or "-", ` +
				'without "format", "method" or "request_param" in it',
		);
	}
	const secrets: readonly AppSecret[] =
		typeof value === "string" ? [{ id: DEFAULT_SECRET_ID, secret: value }] : value;
	if (secrets.length === 0) throw new TypeError(`app ${appKey} has no secret`);
	for (const { secret } of secrets) refuseWeak(appKey, secret);
	refuseIds(appKey, secrets);
	return secrets.map((one) => ({ ...one }));
}

/** What one of them signs, the other could have: the signature says no more whose it is. */
function refuseShared(apps: ReadonlyMap<string, readonly AppSecret[]>): void {
	const owners = new Map<string, string>();
	for (const [appKey, secrets] of apps) {
		for (const { secret } of secrets) {
			const owner = owners.get(secret);
			if (owner !== undefined && owner !== appKey) {
				throw new TypeError(
					`apps ${owner} and ${appKey} have the same secret: each could sign for the other`,
				);
			}
			owners.set(secret, appKey);
		}
	}
}

function refuseWeak(appKey: string, secret: unknown): void {
	if (typeof secret !== "string" || secret.trim() === "") {
		throw new TypeError(`the secret of app ${appKey} is empty: anybody could sign for it`);
	}
	if (secret.trim() !== secret) {
		throw new TypeError(
			`the secret of app ${appKey} begins or ends with white space: was it copied with a line end?`,
		);
	}
}

function refuseIds(appKey: string, secrets: readonly AppSecret[]): void {
	const ids = secrets.map(({ id }) => id);
	if (!ids.every((id: unknown) => typeof id === "string" && SECRET_ID.test(id))) {
		throw new TypeError(
			`a secret of app ${appKey} needs a name of 1 to 64 letters, digits, ".", "_" or "-", so that it can be told from others`,
		);
	}
	if (new Set(ids).size !== ids.length) throw new TypeError(`two secrets of app ${appKey} have the same id`);
}
