#!/bin/sh
# A break/fix probe of @VAULT@, written by tickmark @VERSION@. Read it before you run it.
#
# It asks for one secret three times: without a token (401 is expected), with a token of an identity that has no role
# there (403, ForbiddenByRbac), and with a token of one that has (200). What was answered goes into a record for tickmark:
# times, statuses, error codes, ids, whose the tokens were. Neither a token nor the secret's value, nor a hash of one, is
# printed or written anywhere: answers go from curl into jq, which lets nothing else through.
#
# The secret must be a canary, made for this, with a value that opens nothing.
#
#   PROBE_PERSON='Ada Lovelace' sh THIS-FILE [RECORD]
#
# Who calls: one of these for each of the two identities. A call without one is left out, so that a probe may also be
# made in two runs, with one identity before and after its role was assigned.
#   PROBE_WITHOUT_ROLE_TOKEN, PROBE_WITH_ROLE_TOKEN   an access token for @AUDIENCE@
#   PROBE_WITHOUT_ROLE_AZ, PROBE_WITH_ROLE_AZ         the folder of a login: AZURE_CONFIG_DIR=FOLDER az login …
#
# Needs curl 7.55 and jq 1.6 or newer, and az for the second way.
set -eu
set +x # what follows holds tokens
umask 077

VAULT='@VAULT@'
SECRET='@VAULT@/secrets/@SECRET@'
AUDIENCE='@AUDIENCE@'

fail() {
    printf '%s\n' "$1" >&2
    exit 2
}

for tool in curl jq od awk; do
    command -v "$tool" > /dev/null || fail "this needs $tool"
done
[ -n "${PROBE_PERSON:-}" ] || fail "say who runs this: PROBE_PERSON='Your Name' sh $0"

RUN=$(date -u +%Y%m%d.%H%M%S)
CLIENT="tickmark-probe/$RUN.$$" # user agent, by which the vault's log tells these calls from others
RECORD=${1:-probes/@NAME@-$RUN.toml}
[ ! -e "$RECORD" ] || fail "$RECORD is there already"
mkdir -p "$(dirname "$RECORD")"
HEADERS=$(mktemp) # of answers; no token is in them
trap 'rm -f "$HEADERS" "$RECORD.part"' EXIT
trap 'exit 1' HUP INT TERM

# ---- what is let through, as programs of jq -----------------------------------------------------------------------

# members of an object as lines of TOML: texts that say something, and numbers
LINES='to_entries[] | select((.value | type) == "number" or (.value | type) == "string" and .value != "") | "\(.key) = \(.value | tojson)"'
# of an answer: the id of the secret, the length of its value, the codes of an error
ANSWER='if type == "object" then {id, length: (.value | if type == "string" then length else null end), code: .error.code?, inner_code: .error.innererror.code?} else {} end'
# of a token: what it says of itself
FACTS='split(".")[1] // "" | gsub("-"; "+") | gsub("_"; "/") | . + "==="[:(4 - length % 4) % 4] | @base64d | fromjson | {aud, oid, appid: (.appid // .azp), idtyp, xms_mirid, iat, exp}'

# ---- the calls ----------------------------------------------------------------------------------------------------

# The token of one identity, from its two variables; nothing where neither is set.
token() {
    if [ -n "$1" ]; then
        printf '%s' "$1"
    elif [ -n "$2" ]; then
        AZURE_CONFIG_DIR=$2 az account get-access-token --resource "$AUDIENCE" --query accessToken --output tsv
    fi
}

guid() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\)$/\1-\2-4\3-a\4-\5/'
}

# The last header of this name; its name is given in small letters.
header() {
    tr -d '\r' < "$HEADERS" | awk -v name="$1:" 'tolower($1) == name { sub(/^[^:]*: */, ""); found = $0 } END { print found }'
}

# call NAME TOKEN: makes one call, and adds its table to the record. The token goes to curl by a pipe, where no list of
# processes shows it.
call() {
    id=$(guid)
    at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    : > "$HEADERS"
    answer=$({
        printf 'url = "%s?api-version=7.4"\n' "$SECRET"
        [ -z "$2" ] || printf 'header = "Authorization: Bearer %s"\n' "$2"
    } | curl -q --config - --silent --show-error --max-time 30 --proto '=@SCHEME@' --suppress-connect-headers \
        --user-agent "$CLIENT" --header "x-ms-client-request-id: $id" --dump-header "$HEADERS" |
        jq -r "$ANSWER | $LINES" 2> /dev/null) || answer=
    status=$(awk '/^HTTP\// { status = $2 } END { print status + 0 }' "$HEADERS") # 0: no answer came
    challenge=$(header www-authenticate)
    {
        printf '\n[%s]\nat = "%s"\nstatus = %s\nclient_request_id = "%s"\n' "$1" "$at" "$status" "$id"
        jq -nr --arg request_id "$(header x-ms-request-id)" \
            --arg authorization "$(printf '%s\n' "$challenge" | sed -n 's/.*[ ,]authorization\(_uri\)\{0,1\}="\([^"]*\)".*/\2/p')" \
            --arg resource "$(printf '%s\n' "$challenge" | sed -n 's/.*[ ,]resource="\([^"]*\)".*/\1/p')" \
            "{request_id: \$request_id, authorization: \$authorization, resource: \$resource} | $LINES"
        [ -z "$answer" ] || printf '%s\n' "$answer"
        if [ -n "$2" ]; then
            printf '\n[%s.token]\n' "$1"
            printf '%s' "$2" | jq -Rr "$FACTS | $LINES" 2> /dev/null || true
        fi
    } >> "$RECORD.part"
    printf '%s: %s\n' "$1" "$status"
}

WITHOUT_ROLE=$(token "${PROBE_WITHOUT_ROLE_TOKEN:-}" "${PROBE_WITHOUT_ROLE_AZ:-}")
WITH_ROLE=$(token "${PROBE_WITH_ROLE_TOKEN:-}" "${PROBE_WITH_ROLE_AZ:-}")
unset PROBE_WITHOUT_ROLE_TOKEN PROBE_WITH_ROLE_TOKEN # not for the programs that are called from here on
case "$WITHOUT_ROLE$WITH_ROLE" in
    *[!A-Za-z0-9._~+/=-]*) fail "what was given as a token is none" ;;
esac

{
    printf '# A break/fix probe, written by the script of tickmark @VERSION@. It holds neither a token nor a value of a secret.\n'
    jq -nr --arg vault "$VAULT" --arg secret "$SECRET" --arg person "$PROBE_PERSON" --arg client "$CLIENT" \
        "{vault: \$vault, secret: \$secret, person: \$person, client: \$client} | $LINES"
} > "$RECORD.part"

call without_token ''
[ -z "$WITHOUT_ROLE" ] || call without_role "$WITHOUT_ROLE"
[ -z "$WITH_ROLE" ] || call with_role "$WITH_ROLE"
mv "$RECORD.part" "$RECORD"
printf '%s written: read it, and keep it in probes/ beside tickmark.toml\n' "$RECORD"
