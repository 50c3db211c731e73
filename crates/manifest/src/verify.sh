#!/bin/sh
# Verifies a package, offline: the one in the folder given with -C, else the one that this script lies in.
#
#   sh verify.sh [-C <package>] <domain.pub.pem> [<policy.tlog-policy>]
#
# The script, the key, and the policy that names the log and the witnesses come from the domain or the
# regulator, not from the package. Without a policy it is the one that was signed.
# Needs openssl 3, jq, and the ordinary tools. Exit status 0 only if everything holds.
set -euf
LC_ALL=C
export LC_ALL

fail() {
    printf 'BROKEN 不成立: %s\n' "$1" >&2
    exit 1
}
holds() { printf 'ok  %s\n' "$1"; }

package=$(dirname "$0")
if [ "${1-}" = -C ] && [ $# -ge 2 ]; then
    package=$2
    shift 2
fi
[ $# -ge 1 ] && [ $# -le 2 ] || {
    printf 'usage: sh verify.sh [-C <package>] <domain.pub.pem> [<policy.tlog-policy>]\n' >&2
    exit 2
}
for tool in openssl jq base64 sha256sum find sort cmp; do
    command -v "$tool" >/dev/null || fail "this script needs $tool"
done
[ -r "$1" ] || fail "the key can't be read"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat "$1" >"$work/key.pem"
if [ $# -eq 2 ]; then cat "$2" >"$work/policy"; fi
cd -- "$package" || fail "the package can't be read"

# Decodes base64 that has no second spelling.
decode() {
    printf '%s' "$1" | base64 -d >"$2" 2>/dev/null || return 1
    [ "$(base64 <"$2" | tr -d '\n')" = "$1" ]
}
sha256() { sha256sum <"$1" | cut -d ' ' -f 1; }
hex() { od -An -v -tx1 | tr -d ' \n'; }

# 1. The files of a package and no others.
signed='VERIFY.md data/part-0.parquet datapackage.json lineage.openlineage.json lineage.svg plan.txt policy.tlog-policy verify.sh'
others='ledger.entry.json ledger.tlog-proof manifest.dsse.json'
for name in $signed $others; do
    [ -f "$name" ] && [ ! -L "$name" ] || fail "$name is missing"
done
set -- -mindepth 1 ! '(' -path ./data -type d ')'
for name in $signed $others; do set -- "$@" ! -path "./$name"; done
[ -z "$(find . "$@" -print | head -c 1)" ] || fail "a file is none of the package's"
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
[ "$(jq -r '.signatures[0].keyid' manifest.dsse.json)" = "$(sha256 "$work/key.der")" ] ||
    fail 'the manifest is signed by another key than the one given'
decode "$(jq -r .payload manifest.dsse.json)" "$work/statement" || fail 'the payload is no base64'
decode "$(jq -r '.signatures[0].sig' manifest.dsse.json)" "$work/sig" ||
    fail 'the signature is no base64'
{
    printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c <"$work/statement")"
    cat "$work/statement"
} >"$work/message"
case "$(hex <"$work/key.der")" in
    3059301306072a8648ce3d020106082a8648ce3d030107034200*)
        openssl dgst -sha256 -verify "$work/key.pem" -signature "$work/sig" "$work/message" \
            >/dev/null 2>&1 || fail "the manifest's signature does not verify"
        ;;
    302a300506032b6570032100*)
        openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$work/message" \
            -sigfile "$work/sig" >/dev/null 2>&1 || fail "the manifest's signature does not verify"
        ;;
    *) fail 'the key is no P-256 or Ed25519 key' ;;
esac
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

# 4. The log's key: named by the signed policy, and trusted by the one that was given.
log="bonded/$(jq -r .predicate.operation.domain "$work/statement")"
vkey=$(awk -v log_="$log" '$1 == "log" && index($2, log_ "+") == 1 { print $2 }' policy.tlog-policy)
case "$vkey" in '' | *[[:space:]]*) fail "the package's policy does not name the domain's log once" ;; esac
[ -f "$work/policy" ] || cat policy.tlog-policy >"$work/policy"
if [ "$(tr -d ' \t\n' <"$work/policy")" = "$vkey" ]; then
    printf 'log %s\nquorum none\n' "$vkey" >"$work/policy"
fi
if grep -q '^[[:blank:]]*log[[:blank:]]' "$work/policy"; then
    awk -v key="$vkey" '$1 == "log" && $2 == key { found = 1 } END { exit !found }' \
        "$work/policy" || fail 'the log is not one that the policy trusts'
fi
# A key of this name: its 32 bytes as DER, if type and hash are right.
key_of() { # vkey, type, file
    name_=${1%%+*}
    rest_=${1#*+}
    decode "${rest_#*+}" "$3.raw" && [ "$(wc -c <"$3.raw")" -eq 33 ] &&
        [ "$(head -c 1 "$3.raw" | hex)" = "$2" ] &&
        [ "$({ printf '%s\n' "$name_"; cat "$3.raw"; } | sha256sum | cut -c 1-8)" = "${rest_%%+*}" ] ||
        return 1
    {
        printf '\060\052\060\005\006\003\053\145\160\003\041\000'
        tail -c +2 "$3.raw"
    } >"$3"
}
key_of "$vkey" 01 "$work/log.der" || fail "the log's key is malformed"

# The lines of this key under a note: what was signed of each, one file a line.
lines_of() { # note, vkey
    name_=${2%%+*}
    rest_=${2#*+}
    sed '1,/^$/d' "$1" | grep -F -e "— $name_ " | while read -r _ _ blob; do
        decode "$blob" "$work/blob" || continue
        [ "$(head -c 4 "$work/blob" | hex)" = "${rest_%%+*}" ] && printf '%s\n' "$blob"
    done
}
signed_by_log() { # note, text
    blob=$(lines_of "$1" "$vkey" | head -n 1)
    [ -n "$blob" ] && decode "$blob" "$work/blob" || return 1
    tail -c +5 "$work/blob" >"$work/notesig"
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/log.der" -rawin -in "$2" \
        -sigfile "$work/notesig" >/dev/null 2>&1
}

# 5. The log holds an entry: RFC 9162, 2.1.3.2, and its signature over the root (C2SP).
included() { # proof, leaf, what
    [ "$(sed -n 1p "$1")" = 'c2sp.org/tlog-proof@v1' ] || fail "$3: the proof is malformed"
    index=$(sed -n '2s/^index //p' "$1")
    sed '1,/^$/d' "$1" >"$work/note"
    sed -n 1,3p "$work/note" >"$work/head"
    if [ "$(tail -c 1 "$1" | hex)" != 0a ] ||
        sed '1,/^$/d' "$work/note" | grep -q -v '^— [^ ][^ ]* [A-Za-z0-9+/]*=*$'; then
        fail "$3: the checkpoint is malformed"
    fi
    [ "$(sed -n 4p "$work/note")" = '' ] || fail "$3: the checkpoint is malformed"
    [ "$(sed -n 1p "$work/note")" = "$log" ] || fail "$3: the checkpoint is another log's"
    signed_by_log "$work/note" "$work/head" || fail "$3: the log did not sign the checkpoint"
    size=$(sed -n 2p "$work/note")
    for number in "$index" "$size"; do
        case "$number" in '' | 0?* | *[!0-9]* | ????????????????*) fail "$3: the proof is malformed" ;; esac
    done
    [ "$index" -lt "$size" ] || fail "$3: the entry lies past the checkpoint"
    {
        printf '\000'
        cat "$2"
    } | openssl dgst -sha256 -binary >"$work/hash"
    at=$index
    last=$((size - 1))
    sed -n '3,/^$/p' "$1" | sed '/^$/d' >"$work/path"
    while read -r beside; do
        [ "$last" -ne 0 ] || fail "$3: the proof is too long"
        decode "$beside" "$work/beside" && [ "$(wc -c <"$work/beside")" -eq 32 ] ||
            fail "$3: the proof is malformed"
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
    [ "$last" -eq 0 ] || fail "$3: the proof is too short"
    [ "$(base64 <"$work/hash")" = "$(sed -n 3p "$work/note")" ] ||
        fail "$3: the log does not hold the entry"
}
jq -j .predicate.ledger.leaf "$work/statement" >"$work/release"
jq -j .predicate.ledger.proof "$work/statement" >"$work/release.proof"
included "$work/release.proof" "$work/release" 'the release'
released=$index
[ "$released" = "$(jq -r .predicate.ledger.index "$work/statement")" ] ||
    fail 'the proof is of another entry'
included ledger.tlog-proof ledger.entry.json 'the handing over'
[ "$index" -gt "$released" ] || fail 'the handing over stands before the release'
holds 'the log holds the release and the handing over 账本中有该次放行与交付的记录'

# 6. The witnesses that the policy asks for cosigned the checkpoint (C2SP tlog-cosignature, tlog-policy).
cosigned() { # vkey
    key_of "$1" 04 "$work/witness.der" || fail "the policy's witness key is malformed"
    lines_of "$work/note" "$1" >"$work/lines"
    while read -r blob; do
        decode "$blob" "$work/blob"
        [ "$(wc -c <"$work/blob")" -eq 76 ] || fail 'a cosignature is malformed'
        time=$(tail -c +5 "$work/blob" | head -c 8 | hex)
        case "$time" in 0000000*) ;; *) fail 'a cosignature is malformed' ;; esac
        {
            printf 'cosignature/v1\ntime %d\n' "0x$time"
            cat "$work/head"
        } >"$work/cosigned"
        tail -c +13 "$work/blob" >"$work/witness.sig"
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/witness.der" -rawin \
            -in "$work/cosigned" -sigfile "$work/witness.sig" >/dev/null 2>&1 ||
            fail 'a cosignature does not verify'
    done <"$work/lines"
    [ -s "$work/lines" ]
}
: >"$work/witnessed"
quorum=''
while read -r word name rest; do
    case "$word" in
        witness) if cosigned "${rest%%[[:blank:]]*}"; then printf '%s\n' "$name" >>"$work/witnessed"; fi ;;
        group)
            least=${rest%%[[:blank:]]*}
            count=0
            members=0
            for member in ${rest#*[[:blank:]]}; do
                members=$((members + 1))
                if grep -qxF -e "$member" "$work/witnessed"; then count=$((count + 1)); fi
            done
            case "$least" in any) least=1 ;; all) least=$members ;; esac
            [ "$least" -ge 1 ] 2>/dev/null || fail "the policy's group is malformed"
            if [ "$count" -ge "$least" ]; then printf '%s\n' "$name" >>"$work/witnessed"; fi
            ;;
        quorum)
            [ -z "$quorum" ] || fail 'the policy has two quorums'
            quorum=$name
            ;;
        log | '' | '#'*) ;;
        *) fail 'the policy is malformed' ;;
    esac
done <"$work/policy"
case "$quorum" in
    '') fail 'the policy has no quorum' ;;
    none) ;;
    *) grep -qxF -e "$quorum" "$work/witnessed" || fail 'too few witnesses cosigned the checkpoint' ;;
esac
holds 'the witnesses that are asked for cosigned it 所要求的见证方均已联署'

# 7. What is on record is this manifest, and the release that it tells of.
jq -e --arg manifest "$(sha256 "$work/statement")" --slurpfile statement "$work/statement" '
    .event.event == "exported" and .event.manifest == $manifest
    and .event.query == $statement[0].predicate.operation.query' ledger.entry.json >/dev/null ||
    fail 'the entry on record is not the handing over of this manifest'
holds 'the log has this very manifest on record 账本所记即为此份清单'
jq -e --slurpfile leaf "$work/release" '
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
