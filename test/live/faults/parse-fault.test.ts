import { describe, expect, test } from "vitest";
import { parseFault } from "../../../src/live/faults/parse-fault.js";

const SECOND = 1_000_000;

const errorOf = (text: string) => {
	const parsed = parseFault(text);
	return parsed.ok ? "" : parsed.error;
};

describe("a fault on the command line", () => {
	test.each([
		["kill-gateway@20s", { kind: "kill-gateway", atMicros: 20 * SECOND, gateway: 0, forMicros: null }],
		["kill-gateway@1m:gateway=2,for=5s", { gateway: 2, atMicros: 60 * SECOND, forMicros: 5 * SECOND }],
		["freeze-gateway@500ms", { atMicros: SECOND / 2, gateway: 0, forMicros: 10 * SECOND }],
		["delay-endtxn@3s:by=15s,gateway=1", { gateway: 1, delayMicros: 15 * SECOND }],
		["kill-broker@0", { atMicros: 0, gateway: null, forMicros: 5 * SECOND }],
		["stop-broker@9s:for=1s", { gateway: null, forMicros: SECOND }],
		["cut-link@9s", { link: "broker", gateway: 0 }],
		["cut-link@9s:link=fleet,gateway=3", { link: "fleet", gateway: 3 }],
		["fill-quota@9s:bytes=1_000", { gateway: null, bytesPerSecond: 1_000 }],
	])("%s", (text, fault) => {
		expect(parseFault(text)).toMatchObject({ ok: true, value: { ...fault, text } });
	});

	test.each([
		["kil-gateway@20s", 'there is no kind "kil-gateway". Did you mean "kill-gateway"?'],
		["20s", "expected kind@time, such as kill-gateway@20s"],
		["", 'there is no kind "".'],
		["kill-gateway", "kill-gateway: expected a time after @, such as kill-gateway@20s"],
		["kill-gateway@", "expected a time after @"],
		["kill-gateway@20", "the unit is missing"],
		["kill-gateway@20s:gatway=1", 'expected gateway=0, for=10s, found "gatway=1". Did you mean "gateway"?'],
		["kill-gateway@20s:", 'expected gateway=0, for=10s, found ""'],
		["kill-gateway@20s:gateway=-1", "gateway: expected a whole number from 0 to 63"],
		["kill-gateway@20s:for=0", "for: expected more than 0"],
		["kill-gateway@20s:for=1s,for=2s", "for is there twice"],
		["kill-gateway@20s:by=1s", 'expected gateway=0, for=10s, found "by=1s"'],
		["kill-broker@20s:gateway=1", 'expected for=10s, found "gateway=1"'],
		["cut-link@20s:link=moon", 'link: expected broker or fleet, found "moon"'],
		["fill-quota@20s:bytes=0", "bytes: expected a whole number from 1"],
	])("%j is refused, saying what was expected", (text, words) => {
		expect(errorOf(text)).toContain(words);
	});
});
