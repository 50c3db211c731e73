#!/bin/sh
# Verifies the package that this script lies in, offline.
#
#   sh verify.sh <domain.pub.pem> [<ledger.vkey>]
#
# The keys come from the domain, not from the package. Needs openssl 3, jq, and the ordinary tools.
# Exit status 0 only if everything holds.
set -eu
LC_ALL=C
export LC_ALL

fail() {
    printf 'BROKEN 不成立: %s\n' "$1" >&2
    exit 1
}
holds() { printf 'ok  %s\n' "$1"; }

[ $# -ge 1 ] && [ $# -le 2 ] || {
    printf 'usage: sh verify.sh <domain.pub.pem> [<ledger.vkey>]\n' >&2
    exit 2
}
for tool in openssl jq base64 sha256sum sort cmp; do
    command -v "$tool" >/dev/null || fail "this script needs $tool"
done
[ -r "$1" ] || fail "the key can't be read"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat "$1" >"$work/key.pem"
if [ $# -eq 2 ]; then cat "$2" >"$work/trusted.vkey"; fi
cd "$(dirname "$0")"

# Decodes base64 that has no second spelling.
decode() {
    printf '%s' "$1" | base64 -d >"$2" 2>/dev/null || return 1
    [ "$(base64 <"$2" | tr -d '\n')" = "$1" ]
}
sha256() { sha256sum <"$1" | cut -d ' ' -f 1; }

# 1. The files of a package and no others.
signed='README.txt data.parquet ledger.vkey lineage.json manifest.pub.pem plan.txt verify.sh'
for name in $signed checkpoint manifest.dsse.json proof.tlog-proof; do
    [ -f "$name" ] && [ ! -L "$name" ] || fail "$name is missing"
done
for name in * .[!.]* ..?*; do
    case "$name" in
        README.txt | data.parquet | ledger.vkey | lineage.json | manifest.pub.pem | plan.txt | \
            verify.sh | checkpoint | manifest.dsse.json | proof.tlog-proof) ;;
        '*' | '.[!.]*' | '..?*') [ ! -e "$name" ] || fail "a file is none of the package's" ;;
        *) fail "a file is none of the package's" ;;
    esac
done
holds 'the package holds its files and no others 文件齐全且没有多余文件'

# 2. The signature over the manifest (DSSE).
jq -e -s 'length == 1 and (.[0] | type == "object"
    and (keys == ["payload", "payloadType", "signatures"])
    and .payloadType == "application/vnd.in-toto+json"
    and (.payload | type == "string")
    and (.signatures | type == "array" and length == 1)
    and (.signatures[0] | keys == ["keyid", "sig"]))' manifest.dsse.json >/dev/null 2>&1 ||
    fail 'the envelope is not one we read'
openssl pkey -pubin -in "$work/key.pem" -outform DER -out "$work/key.der" 2>/dev/null ||
    fail 'the key is no public key in PEM'
prefix=$(head -c 26 "$work/key.der" | od -An -v -tx1 | tr -d ' \n')
[ "$prefix" = 3059301306072a8648ce3d020106082a8648ce3d030107034200 ] ||
    fail 'the key is no P-256 key'
[ "$(jq -r '.signatures[0].keyid' manifest.dsse.json)" = "$(sha256 "$work/key.der")" ] ||
    fail 'the manifest is signed by another key than the one given'
decode "$(jq -r .payload manifest.dsse.json)" "$work/statement" || fail 'the payload is no base64'
decode "$(jq -r '.signatures[0].sig' manifest.dsse.json)" "$work/sig" ||
    fail 'the signature is no base64'
{
    printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c <"$work/statement")"
    cat "$work/statement"
} >"$work/message"
openssl dgst -sha256 -verify "$work/key.pem" -signature "$work/sig" "$work/message" \
    >/dev/null 2>&1 || fail "the manifest's signature does not verify"
jq -e '._type == "https://in-toto.io/Statement/v1"
    and .predicateType == "https://bonded.dev/export-manifest/v1"' "$work/statement" >/dev/null ||
    fail 'the statement is of another kind'
holds "the manifest is signed by the domain's key 清单由域密钥签名"

# 3. The files are those that were signed.
[ "$(jq -r '[.subject[].name] | join(" ")' "$work/statement")" = "$signed" ] ||
    fail 'the manifest names other files'
for name in $signed; do
    digest=$(jq -r --arg name "$name" '.subject[] | select(.name == $name) | .digest.sha256' \
        "$work/statement")
    [ "$digest" = "$(sha256 "$name")" ] || fail "$name is not the file that was signed"
done
holds 'every file is the one that was signed 每个文件均与签名时一致'

# 4. The log's key, and its signature over the checkpoint (C2SP signed note, Ed25519).
if [ -f "$work/trusted.vkey" ]; then
    cmp -s "$work/trusted.vkey" ledger.vkey || fail 'the log is not the one to be trusted'
fi
vkey=$(cat ledger.vkey)
log=${vkey%%+*}
rest=${vkey#*+}
keyhash=${rest%%+*}
decode "${rest#*+}" "$work/logkey" || fail "the log's key is malformed"
[ "$(wc -c <"$work/logkey")" -eq 33 ] || fail "the log's key is malformed"
[ "$(head -c 1 "$work/logkey" | od -An -v -tx1 | tr -d ' \n')" = 01 ] ||
    fail "the log's key is malformed"
[ "$({ printf '%s\n' "$log"; cat "$work/logkey"; } | sha256sum | cut -c 1-8)" = "$keyhash" ] ||
    fail "the log's key is malformed"
[ "$log" = "bonded/$(jq -r .predicate.operation.domain "$work/statement")" ] ||
    fail "the log is another domain's"
sed -n 1,3p checkpoint >"$work/head"
[ "$(sed -n 4p checkpoint)" = '' ] || fail 'the checkpoint is malformed'
[ "$(sed -n 1p checkpoint)" = "$log" ] || fail "the checkpoint is another log's"
line=$(sed -n '5,$p' checkpoint | grep -F -e "— $log " | head -n 1) ||
    fail 'the log did not sign the checkpoint'
decode "${line#"— $log "}" "$work/notesig" || fail "the log's signature is malformed"
[ "$(head -c 4 "$work/notesig" | od -An -v -tx1 | tr -d ' \n')" = "$keyhash" ] ||
    fail 'the log did not sign the checkpoint'
tail -c +5 "$work/notesig" >"$work/edsig"
{
    printf '\060\052\060\005\006\003\053\145\160\003\041\000'
    tail -c +2 "$work/logkey"
} >"$work/ed.der"
openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/ed.der" -rawin -in "$work/head" \
    -sigfile "$work/edsig" >/dev/null 2>&1 || fail "the checkpoint's signature does not verify"
holds 'the log signed its checkpoint 账本检查点签名有效'

# 5. The log holds the entry: RFC 9162, 2.1.3.2.
[ "$(sed -n 1p proof.tlog-proof)" = 'c2sp.org/tlog-proof@v1' ] || fail 'the proof is malformed'
index=$(sed -n 's/^index //p' proof.tlog-proof | head -n 1)
size=$(sed -n 2p checkpoint)
[ "$index" = "$(jq -r .predicate.ledger.index "$work/statement")" ] ||
    fail 'the proof is of another entry'
for number in "$index" "$size"; do
    case "$number" in '' | *[!0-9]* | ????????????????*) fail 'the proof is malformed' ;; esac
done
[ "$index" -lt "$size" ] || fail 'the entry lies past the checkpoint'
sed -n '/^$/,$p' proof.tlog-proof | tail -n +2 | cmp -s - checkpoint ||
    fail 'the checkpoint is not the one of the proof'
jq -j .predicate.ledger.leaf "$work/statement" >"$work/leaf"
{
    printf '\000'
    cat "$work/leaf"
} | openssl dgst -sha256 -binary >"$work/hash"
at=$index
last=$((size - 1))
sed -n '3,/^$/p' proof.tlog-proof | sed '/^$/d' >"$work/path"
while read -r beside; do
    [ "$last" -ne 0 ] || fail 'the proof is too long'
    decode "$beside" "$work/beside" || fail 'the proof is malformed'
    if [ $((at % 2)) -eq 1 ] || [ "$at" -eq "$last" ]; then
        { printf '\001'; cat "$work/beside" "$work/hash"; } >"$work/node"
        while [ $((at % 2)) -eq 0 ] && [ "$at" -ne 0 ]; do
            at=$((at / 2))
            last=$((last / 2))
        done
    else
        { printf '\001'; cat "$work/hash" "$work/beside"; } >"$work/node"
    fi
    openssl dgst -sha256 -binary "$work/node" >"$work/hash"
    at=$((at / 2))
    last=$((last / 2))
done <"$work/path"
[ "$last" -eq 0 ] || fail 'the proof is too short'
[ "$(base64 <"$work/hash")" = "$(sed -n 3p checkpoint)" ] || fail 'the log does not hold the entry'
holds 'the log holds the release 账本中有该次放行的记录'

# 6. The entry is the release that the manifest tells of.
jq -e --slurpfile leaf "$work/leaf" '
    def instant: sub("Z$"; "") | if contains(".") then sub("\\.?0+$"; "") else . end;
    .predicate as $told | $leaf[0].event as $event
    | $event.event == "operation-released"
    and ($leaf[0].at | instant) == ($told.operation.released | instant)
    and $event.query == $told.operation.query
    and $event.rows == $told.content.rows
    and $event.bytes == $told.content.bytes
    and $event.result == $told.content.result
    and $event.notice == $told.content.notice
    and $event.register == $told.ledger.register' "$work/statement" >/dev/null ||
    fail 'the entry on record is not the release that the manifest tells of'
holds 'the release on record is the one in the manifest 账本记录与清单一致'
printf 'verified 验证通过\n'
