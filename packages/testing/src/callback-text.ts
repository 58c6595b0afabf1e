// The text of `request_param` as an SDK wrote it, with other values in it and its habits kept.

/**
 * `requestParam` with another value of the member `name`: in the quotes that it stands in, `/` escaped where the SDK
 * escapes it, a number as text where the SDK sends text. *Errors*: throws when there is no such member.
 */
export function changeMember(requestParam: string, name: string, value: string | number): string {
	const member = new RegExp(String.raw`((["'])${name}\2\s*:\s*)(?:(["'])(?:\\.|(?!\3).)*\3|[^\s,}\]]+)`);
	const isEscaped = requestParam.includes("\\/");
	const found = member.exec(requestParam);
	if (found === null) throw new Error(`the callback has no ${name}`);
	const [all, head = "", nameQuote = '"', quote] = found;
	const written =
		quote === undefined && typeof value === "number" ? `${value}` : quoted(`${value}`, quote ?? nameQuote);
	const text = isEscaped ? written.replaceAll("/", "\\/") : written;
	return requestParam.slice(0, found.index) + head + text + requestParam.slice(found.index + all.length);
}

/** `request_param` with another `download_url` (and `expire_time`, when given), everything else as it stands. */
export function replaceLink(requestParam: string, link: string, expireTimeMs?: number): string {
	const linked = changeMember(requestParam, "download_url", link);
	return expireTimeMs === undefined ? linked : changeMember(linked, "expire_time", expireTimeMs);
}

/** As JSON writes it; in single quotes, as Python's `repr` does. */
function quoted(value: string, quote: string): string {
	const json = JSON.stringify(value);
	return quote === '"' ? json : `'${json.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
