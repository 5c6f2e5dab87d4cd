//! `README.txt` of a pack: how to verify it with stock tools, and what it is not. ASCII, so that every viewer shows it.

use super::seal::Sealing;
use crate::assess::Assessment;
use crate::pack::Facts;

/// The text for one pack.
pub(super) fn text(sealing: &Sealing<'_>, facts: &Facts, assessment: &Assessment) -> String {
    let replayed = if assessment.head.replayed {
        "\nTHE ANSWERS IN THIS PACK COME FROM A RECORDING, NOT FROM A LIVE TENANT.\n"
    } else {
        ""
    };
    let time = if sealing.inputs.tsa.is_empty() {
        "No time-stamping authority was used: time is asserted by the signer."
    } else {
        "attestation/pack.tsr is an RFC 3161 time-stamp over attestation/pack.sig (step D)."
    };
    let plan = match assessment.head.plan_tokens().is_empty() {
        true => "That the plan came first is asserted by the collector: no authority put a time on it.",
        false => "plan.tsr is an RFC 3161 time-stamp over plan.json, from before the first request.",
    };
    let text = TEXT
        .replace("{pack}", &facts.pack_id)
        .replace("{tenant}", &facts.tenant)
        .replace("{start}", &facts.period.start)
        .replace("{end}", &facts.period.end)
        .replace("{fingerprint}", &sealing.inputs.key_fingerprint)
        .replace("{replayed}", replayed)
        .replace("{time}", time)
        .replace("{plan}", plan);
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
}

const TEXT: &str = r#"EVIDENCE PACK {pack}
tenant {tenant}
period {start} to {end}
{replayed}
Prepared by management with tickmark. Not a SOC 2 report and not an opinion.
Open report/report.html (or report/report.md); it needs no network.

WHAT TO TRUST
Nothing in this folder vouches for itself. Get the public key (TRUSTED.pub.pem below) or its
fingerprint another way: engagement letter, kick-off mail, or the key's page in the vault.
The pack says that it was signed by the key with this fingerprint; compare it:
  {fingerprint}

HOW TO VERIFY, with openssl, jq and coreutils, in this folder
E. the key is the one that you were told of
   openssl pkey -pubin -in TRUSTED.pub.pem -outform DER | openssl dgst -sha256 -r
A. the list of files is signed, and the files are as listed
   openssl dgst -sha256 -verify TRUSTED.pub.pem -signature attestation/SHA256SUMS.sig SHA256SUMS
   sha256sum -c --strict --quiet SHA256SUMS
B. nothing was added (sha256sum cannot see that); each command must print nothing
   find . -type f ! -path './attestation/*' ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | diff - <(cut -d'*' -f2- SHA256SUMS)
   find . ! -type f ! -type d ; find . -type d -empty ; find . -type f -links +1
C. the authoritative signature: a DSSE envelope around an in-toto statement that names every file
   E=attestation/pack.dsse.json; T=$(jq -er .payloadType $E)
   [ "$T" = application/vnd.in-toto+json ] && [ "$(jq '.signatures|length' $E)" = 1 ] && echo one signature
   jq -er .payload $E | base64 -d > /tmp/body; jq -er '.signatures[0].sig' $E | base64 -d > /tmp/sig
   { printf 'DSSEv1 %d %s %d ' "${#T}" "$T" "$(wc -c < /tmp/body)"; cat /tmp/body; } > /tmp/pae
   openssl dgst -sha256 -verify TRUSTED.pub.pem -signature /tmp/sig /tmp/pae
   jq -er '.subject[]|.digest.sha256+" *"+.name' /tmp/body > /tmp/sums && sha256sum -c --strict --quiet /tmp/sums
D. time
   {time}
   openssl ts -verify -data attestation/pack.sig -in attestation/pack.tsr -CAfile TSA-CA.pem
   {plan}
   openssl ts -verify -data plan.json -in plan.tsr -CAfile TSA-CA.pem
With tickmark itself, your own copy of it:
   tickmark verify . --key TRUSTED.pub.pem
   tickmark reperform .        derives results and report again from evidence/ and compares

WHAT IS IN HERE
report/        the report, the populations and the exceptions (CSV)
results.json   every result, for programs
evidence/      every answer as received after redaction, with the record of how it was asked;
               redactions.json says where something was cut, and by which rule
plan.json      what was to be collected and what is kept of personal data, written before the
               first request
ledger.jsonl   every run of the store, also the failed ones, as a chain of digests
manifest.json  every file with size, digest and role; scope, period, tool, inputs
SHA256SUMS     every file but itself; attestation/ holds the signatures

WHAT A SIGNATURE DOES NOT PROVE
That the question was the right one, that the scope was complete, that the state held between
captures, or that Azure's answer was true.
"#;
