import { expect, it } from "vitest";
import { readTraceparent } from "./traceparent.js";

const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

it("takes a trace context of version 00", () => {
	expect(readTraceparent(good)).toEqual({ traceparent: good });
});

it.each([
	undefined,
	"",
	good.toUpperCase(),
	`${good}-more`,
	good.replace("00-", "01-"),
	"00-00000000000000000000000000000000-b7ad6b7169203331-01",
	"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
	"http://h/v.mp4?Signature=x",
])("leaves out what is none: %s", (text) => {
	expect(readTraceparent(text)).toEqual({});
});
