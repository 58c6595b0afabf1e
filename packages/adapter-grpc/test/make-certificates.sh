#!/usr/bin/env bash
# Makes the certificates of fixtures/tls anew, all of them: `bash packages/adapter-grpc/test/make-certificates.sh`. Needs
# openssl 3. They are for tests only. The authorities' keys are thrown away: nobody can sign with them later.
set -euo pipefail
cd "$(dirname "$0")/../fixtures/tls"
rm -f -- *.pem
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

BEGIN=20250101000000Z
END=21250101000000Z

# sign NAME SUBJECT EXTENSIONS END OPTION…: a new key in $work/NAME-key.pem, and NAME.pem
sign() {
	local name="$1" subject="$2" extensions="$3" end="$4"
	openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$name-key.pem"
	openssl req -new -key "$work/$name-key.pem" -out "$work/request.pem" -subj "$subject"
	cat >"$work/config" <<-CONFIG
		[ca]
		default_ca = own
		[own]
		new_certs_dir = $work
		database = $work/index
		rand_serial = yes
		default_md = sha256
		policy = any
		[any]
		organizationName = optional
		commonName = optional
		[extensions]
		$extensions
	CONFIG
	: >"$work/index"
	openssl ca -batch -notext -preserveDN -config "$work/config" -extensions extensions -in "$work/request.pem" \
		-out "$name.pem" -startdate "$BEGIN" -enddate "$end" "${@:5}" 2>"$work/log" || {
		cat "$work/log" >&2
		exit 1
	}
}

# authority NAME
authority() {
	sign "$1" "/CN=Reelkeep tests, $1" $'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign' \
		"$END" -selfsign -keyfile "$work/$1-key.pem"
}

# certificate NAME AUTHORITY USAGE SUBJECT ALTERNATIVE_NAMES [END]
certificate() {
	local extensions=$'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\n'
	extensions+="extendedKeyUsage = $3"
	[ -z "$5" ] || extensions+=$'\nsubjectAltName = @names\n[names]\n'"$5"
	sign "$1" "$4" "$extensions" "${6:-$END}" -cert "$2.pem" -keyfile "$work/$2-key.pem"
	cp "$work/$1-key.pem" .
}

authority ca
authority other-ca
certificate server ca serverAuth /CN=localhost $'DNS.1 = localhost\nIP.1 = 127.0.0.1'
certificate client-cn ca clientAuth /CN=relay ''
certificate client-dns ca clientAuth '/O=Reelkeep tests' $'DNS.1 = other.example.com\nDNS.2 = relay.example.com'
# Without a subject, as SPIFFE has it.
certificate client-uri ca clientAuth / 'URI.1 = spiffe://example.com/relay'
certificate client-expired ca clientAuth /CN=relay 'DNS.1 = relay.example.com' 20250102000000Z
certificate client-of-other-ca other-ca clientAuth /CN=relay 'DNS.1 = relay.example.com'
# Two common names; and one alternative name that reads like two (CVE-2021-44532).
certificate client-two-names ca clientAuth /CN=nobody/CN=relay ''
certificate client-forged ca clientAuth '/O=Reelkeep tests' 'URI.1 = "http://a, DNS:relay.example.com"'
