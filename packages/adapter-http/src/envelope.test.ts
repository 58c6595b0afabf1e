import fc from "fast-check";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { type ReplyStyle, renderAnswer } from "./envelope.js";
import type { TopAnswer } from "./status.js";

const JSON_STYLE: ReplyStyle = { format: "json", simplify: false, direction: "gateway" };
const XML_STYLE: ReplyStyle = { format: "xml", simplify: false, direction: "gateway" };
const CONSUMED: TopAnswer = { _tag: "Consumed" };
const failure = (subMsg: string): TopAnswer => ({
	_tag: "Failed",
	error: { code: 50, msg: "Remote service error", subCode: "isv.invalid-parameter", subMsg },
});
/** Nothing below U+0020 and above U+007E of JSON's own making: the Java reader garbles such escapes. */
const UNICODE_ESCAPE = /\\u[0-9a-f]{4}/i;

const parser = new XMLParser({ parseTagValue: false, trimValues: false, processEntities: true });

describe("renderAnswer, of an error", () => {
	it("keeps any text well-formed, as JSON without escapes and as XML", () => {
		const text = fc.oneof(
			fc.string({ unit: "binary" }),
			fc.constantFrom(
				"\u0000\u001b",
				"\ud800",
				"\udfff\ud800",
				"\ufffe\uffff",
				"]]><!--&<",
				"</error_response>",
				"游戏é🎮",
			),
		);
		fc.assert(
			fc.property(
				fc.array(text).map((texts) => texts.join("")),
				(subMsg) => {
					const json = renderAnswer(failure(subMsg), JSON_STYLE, "r").body;
					expect(json).not.toMatch(UNICODE_ESCAPE);
					expect(JSON.parse(json).error_response).toMatchObject({ code: 50, request_id: "r" });
					const xml = renderAnswer(failure(subMsg), XML_STYLE, "r").body;
					expect(XMLValidator.validate(xml)).toBe(true);
					// biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 forbids
					expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
					expect(Object.keys(parser.parse(xml).error_response)).toEqual([
						"code",
						"msg",
						"sub_code",
						"sub_msg",
						"request_id",
					]);
					expect(Buffer.from(xml).toString("utf8")).toBe(xml);
				},
			),
		);
	});

	it("cuts texts that nobody reads", () => {
		const { body } = renderAnswer(failure("x".repeat(10_000)), JSON_STYLE, "r");
		expect(JSON.parse(body).error_response.sub_msg).toHaveLength(512);
	});

	it("reads like the platform's own example", () => {
		expect(renderAnswer(failure("非法参数"), XML_STYLE, "r1")).toEqual({
			contentType: "text/xml;charset=UTF-8",
			body:
				"<error_response><code>50</code><msg>Remote service error</msg><sub_code>isv.invalid-parameter</sub_code>" +
				"<sub_msg>非法参数</sub_msg><request_id>r1</request_id></error_response>",
		});
		expect(
			renderAnswer(failure("非法参数"), { ...JSON_STYLE, simplify: true, direction: "gateway" }, "r1"),
		).toEqual({
			contentType: "application/json;charset=UTF-8",
			body:
				'{"error_response":{"code":50,"msg":"Remote service error","sub_code":"isv.invalid-parameter",' +
				'"sub_msg":"非法参数","request_id":"r1"}}',
		});
	});

	it("leaves out what there is not to say", () => {
		const answer: TopAnswer = { _tag: "Failed", error: { code: 21, msg: "Missing method" } };
		expect(renderAnswer(answer, JSON_STYLE, "r").body).toBe(
			'{"error_response":{"code":21,"msg":"Missing method","request_id":"r"}}',
		);
	});
});

describe("renderAnswer, of a success", () => {
	const INNER =
		'{"result":{"code":"0","data":{"message":"Consumer Success","consume_state":1},"message":"SUCCESS"},"request_id":"r1"}';

	it("reads like the platform's own example, in XML", () => {
		expect(renderAnswer(CONSUMED, XML_STYLE, "r1").body).toBe(
			"<alibaba_cgame_avatar_video_record_report_response><result><code>0</code><data>" +
				"<message>Consumer Success</message><consume_state>1</consume_state></data><message>SUCCESS</message>" +
				"</result><request_id>r1</request_id></alibaba_cgame_avatar_video_record_report_response>",
		);
	});

	it("has one top-level key in JSON, and none around a simplified one", () => {
		const wrapped = `{"alibaba_cgame_avatar_video_record_report_response":${INNER}}`;
		expect(renderAnswer(CONSUMED, JSON_STYLE, "r1").body).toBe(wrapped);
		expect(renderAnswer(CONSUMED, { format: "json", simplify: true, direction: "gateway" }, "r1").body).toBe(
			INNER,
		);
	});

	it("is never simplified in XML", () => {
		const simplified = renderAnswer(CONSUMED, { format: "xml", simplify: true, direction: "gateway" }, "r1");
		expect(simplified).toEqual(renderAnswer(CONSUMED, XML_STYLE, "r1"));
	});
});
