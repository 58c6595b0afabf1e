import { describe, expect, it } from "vitest";
import { type AddressClass, classifyAddress, isAddressAllowed } from "./address-policy.js";

const TABLE: readonly (readonly [address: string, kind: AddressClass])[] = [
	["169.254.169.254", "metadata"],
	["100.100.100.200", "metadata"],
	["168.63.129.16", "metadata"],
	["fd00:ec2::254", "metadata"],
	["FD00:0EC2:0:0:0:0:0:254", "metadata"],
	["fd20:ce::254", "metadata"],
	["fd00:c1::a9fe:a9fe", "metadata"],
	["fd00:42::42", "metadata"],
	["::ffff:169.254.169.254", "metadata"],
	["::ffff:a9fe:a9fe", "metadata"],
	["[::ffff:100.100.100.200]", "metadata"],
	["64:ff9b::169.254.169.254", "metadata"],
	["64:ff9b::6464:64c8", "metadata"],
	["2002:a9fe:a9fe::1", "metadata"],
	["2002:6464:64c8::", "metadata"],
	["::169.254.169.254", "metadata"],
	["::ffff:0:169.254.169.254", "metadata"],
	["fd00:ec2::254%eth0", "metadata"],
	["127.0.0.1", "private"],
	["127.255.255.254", "private"],
	["10.0.0.1", "private"],
	["172.16.0.1", "private"],
	["172.31.255.255", "private"],
	["192.168.1.1", "private"],
	["::1", "private"],
	["fc00::1", "private"],
	["fd12:3456::1", "private"],
	["::ffff:127.0.0.1", "private"],
	["::ffff:7f00:1", "private"],
	["64:ff9b::10.0.0.1", "private"],
	["100.64.0.1", "shared"],
	["100.127.255.255", "shared"],
	["::ffff:100.64.0.1", "shared"],
	["0.0.0.0", "reserved"],
	["0.1.2.3", "reserved"],
	["169.254.1.1", "reserved"],
	["192.0.2.1", "reserved"],
	["198.18.0.1", "reserved"],
	["224.0.0.1", "reserved"],
	["240.0.0.1", "reserved"],
	["255.255.255.255", "reserved"],
	["::", "reserved"],
	["fe80::1", "reserved"],
	["fe80::1%eth0", "reserved"],
	["fec0::1", "reserved"],
	["ff02::1", "reserved"],
	["2001:db8::1", "reserved"],
	["2001::1", "reserved"],
	["::8.8.8.8", "reserved"],
	["::808:808", "reserved"],
	["::a9fe:a9fe", "metadata"],
	["1::2::3", "reserved"],
	["::1]/@[::1", "reserved"],
	["2002:808:808::1", "reserved"],
	["64:ff9b:1::8.8.8.8", "reserved"],
	["4000::1", "reserved"],
	["", "reserved"],
	["2130706433", "reserved"],
	["0x7f.1", "reserved"],
	["0177.0.0.1", "reserved"],
	["8.8.8", "reserved"],
	["aliyuncs.com", "reserved"],
	["8.8.8.8", "public"],
	["172.32.0.1", "public"],
	["100.128.0.1", "public"],
	["2400:3200::1", "public"],
	["::ffff:8.8.8.8", "public"],
	["64:ff9b::8.8.8.8", "public"],
];

describe("classifyAddress", () => {
	it.each(TABLE)("finds %s %s", (address, kind) => {
		expect(classifyAddress(address)).toBe(kind);
	});
});

describe("isAddressAllowed", () => {
	it.each(TABLE)("judges %s (%s) with and without the private network", (address, kind) => {
		const isOpened = kind === "private" || kind === "shared";
		expect(isAddressAllowed(address, { allowPrivateNetwork: false })).toBe(kind === "public");
		expect(isAddressAllowed(address, { allowPrivateNetwork: true })).toBe(kind === "public" || isOpened);
	});

	it.each(TABLE)("judges %s (%s) where only 100.64.0.0/10 is opened", (address, kind) => {
		const isOpened = kind === "shared" && /^[0-9.]+$/.test(address);
		const policy = { allowPrivateNetwork: false, allowShared: true };
		expect(isAddressAllowed(address, policy)).toBe(kind === "public" || isOpened);
	});
});
