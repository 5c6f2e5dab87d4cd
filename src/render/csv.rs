//! `exceptions.csv` and the populations, for spreadsheets: RFC 4180, every cell quoted, none of them a formula.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};

use super::RenderError;
use crate::assess::{Assessment, Population};
use crate::check::{Finding, Outcome};
use crate::evidence::Cite;

/// Every exception.
pub(super) const EXCEPTIONS: &str = "report/exceptions.csv";
/// Who can do what on each vault.
pub(super) const READERS: &str = "report/readers.csv";
/// Who could read secrets against who did.
pub(super) const GRANTS: &str = "report/population-grants.csv";
/// Role assignments and policies that give secrets, with the reads under them.
pub(super) const ASSIGNMENTS: &str = "report/population-assignments.csv";
/// What each host reaches through its identities.
pub(super) const HOSTS: &str = "report/population-hosts.csv";
/// Secrets, with who could read them and who did.
pub(super) const SECRETS: &str = "report/population-secrets.csv";
/// Grants and removals of roles in the period.
pub(super) const CHANGES: &str = "report/population-changes.csv";
/// The request ledger.
pub(super) const REQUESTS: &str = "report/requests.csv";

/// Characters of a cell that are written. A spreadsheet cuts a longer cell in two, and the second part has no guard.
const CELL: usize = 15_000;

/// The last heading of every table: what was done to cells.
pub const NOTE: &str = "note: a leading ' was added where a cell would be read as a formula and very long cells were cut; \
                    exact values are in results.json";
const READERS_NOTE: &str = "note: a leading ' was added where a cell would be read as a formula and very long cells \
                            were cut; exact values are in the evidence that is cited";
const REQUESTS_NOTE: &str = "note: a leading ' was added where a cell would be read as a formula and very long cells \
                             were cut; exact values are in each record's ipe.json";

/// Every fail, with severity, and with the controls and criteria that it speaks to.
pub(super) fn exceptions(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let header = [
        "check",
        "severity",
        "controls",
        "criteria",
        "subject_kind",
        "subject_id",
        "subject_name",
        "outcome",
        "because",
        "reason",
        "evidence",
        "accepted_by",
        "accepted_until",
        "waiver",
        NOTE,
    ];
    let fails = assessment.findings.iter().filter(|finding| finding.outcome() == Outcome::Fail);
    let mut spoken: BTreeMap<&str, (String, String)> = BTreeMap::new();
    let rows = fails.map(|finding| {
        let [check, rest @ ..] = cells(finding);
        let severity = crate::check::find_in(&assessment.inputs.declared, finding.check())
            .map_or("", |check| check.severity.word());
        let spoken = spoken.entry(finding.check()).or_insert_with(|| spoken_to(assessment, finding.check()));
        let (controls, criteria) = spoken.clone();
        let accepted = match finding.accepted() {
            Some(accepted) => {
                [Cow::from(&accepted.approver), Cow::from(&accepted.until), Cow::from(accepted.waiver.place())]
            }
            None => Default::default(),
        };
        let first = [check, severity.into(), controls.into(), criteria.into()];
        first.into_iter().chain(rest).chain(accepted)
    });
    write(out, &header, rows)
}

/// Everything that one check judged.
pub(super) fn population(population: &Population, out: &mut dyn Write) -> Result<(), RenderError> {
    let header =
        ["check", "subject_kind", "subject_id", "subject_name", "outcome", "because", "reason", "evidence", NOTE];
    write(out, &header, population.items.iter().map(|finding| cells(finding)))
}

/// Who can do what on each vault.
pub(super) fn readers(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let header =
        ["vault", "principal", "principal_id", "principal_kind", "can", "answer", "path", "evidence", READERS_NOTE];
    let rows = assessment.inventory.readers.iter().map(|line| {
        let (who, by) = (&line.who, &line.by);
        let texts = [&line.vault.name, &who.name, &who.id, &who.kind, &*line.can, by.answer, &by.path];
        texts.map(Cow::from).into_iter().chain([Cow::from(places(line.evidence()))])
    });
    write(out, &header, rows)
}

/// Who could read secrets against who did.
pub(super) fn grants(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let header = [
        "vault",
        "vault_id",
        "principal",
        "principal_id",
        "object",
        "answer",
        "by",
        "usage",
        "reads",
        "secrets",
        "first_read",
        "last_read",
        "days_without_read",
        "because",
        "evidence",
        READERS_NOTE,
    ];
    let rows = assessment.grants.iter().map(|line| {
        [
            Cow::from(&*line.vault_name),
            Cow::from(line.vault.shown()),
            Cow::from(&*line.principal),
            Cow::from(&*line.principal_id),
            Cow::from(line.object.as_ref().map_or("", |object| object.shown())),
            Cow::from(line.answer.map_or("", |answer| answer.words())),
            Cow::from(&*line.by),
            Cow::from(line.usage.words()),
            Cow::from(line.reads.to_string()),
            Cow::from(line.secrets.to_string()),
            Cow::from(time(line.first)),
            Cow::from(time(line.last)),
            Cow::from(line.idle_days.map_or_else(String::new, |days| days.to_string())),
            Cow::from(&*line.because),
            Cow::from(places(&line.evidence)),
        ]
    });
    write(out, &header, rows)
}

/// Every question that was put.
pub(super) fn requests(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let header = [
        "record",
        "question",
        "kind",
        "scope",
        "request",
        "statuses",
        "items",
        "cuts",
        "retries",
        "ended_at",
        "gap",
        "detail",
        "totals",
        "files",
        REQUESTS_NOTE,
    ];
    let rows = assessment.evidence.iter().map(|line| {
        let statuses: Vec<String> = line.statuses.iter().map(u16::to_string).collect();
        let files: Vec<String> = line.pages.iter().map(|(file, sha256)| format!("{file} {sha256}")).collect();
        let (gap, detail) = line.gap.as_ref().map_or(("", ""), |(reason, detail)| (reason, detail));
        [
            Cow::from(&line.id),
            Cow::from(&line.title),
            Cow::from(line.kind),
            Cow::from(&line.scope),
            Cow::from(&line.request),
            Cow::from(statuses.join(" ")),
            Cow::from(line.rows.to_string()),
            Cow::from(line.cuts.to_string()),
            Cow::from(line.retries.to_string()),
            Cow::from(line.ended_at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            Cow::from(gap),
            Cow::from(detail),
            Cow::from(line.totals.join("; ")),
            Cow::from(files.join(" ")),
        ]
    });
    write(out, &header, rows)
}

/// What each host reaches through each of its identities; one line where an identity gives nothing.
pub(super) fn hosts(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let header = [
        "host",
        "host_id",
        "host_type",
        "identities",
        "identity",
        "principal_id",
        "vault",
        "object",
        "can",
        "answer",
        "also_by",
        "only_by_this_identity",
        "evidence",
        READERS_NOTE,
    ];
    let rows = assessment.hosts.lines.iter().flat_map(|line| {
        let begins = move || {
            let host = [&line.host, &line.host_id, &line.host_type].map(Cow::from);
            let identity = [Cow::from(&line.identity), Cow::from(&line.principal_id)];
            host.into_iter().chain([Cow::from(line.identities.to_string())]).chain(identity)
        };
        let nothing = line.reaches.is_empty().then(|| {
            let nothing = [""; 6].map(Cow::from);
            begins().chain(nothing).chain([Cow::from(places([&line.from]))]).collect::<Vec<_>>()
        });
        let reaches = line.reaches.iter().map(move |reach| {
            let texts = [&*reach.vault, &*reach.object, &*reach.can, reach.answer].map(Cow::from);
            let evidence = places(std::iter::once(&line.from).chain(&reach.evidence));
            let further = [Cow::from(reach.also_by.join(", ")), Cow::from(&*reach.alone), Cow::from(evidence)];
            begins().chain(texts).chain(further).collect()
        });
        nothing.into_iter().chain(reaches)
    });
    write(out, &header, rows)
}

/// The cited places, parted by spaces.
fn places<'a>(evidence: impl IntoIterator<Item = &'a Cite>) -> String {
    let mut text = String::new();
    for cite in evidence {
        if !text.is_empty() {
            text.push(' ');
        }
        cite.push_place(&mut text);
    }
    text
}

fn cells(finding: &Finding) -> [Cow<'_, str>; 8] {
    let reason = finding.reason().and_then(|reason| serde_json::to_value(reason).ok());
    let reason = reason.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned();
    let subject = finding.subject();
    [
        Cow::from(finding.check()),
        Cow::from(&*subject.kind),
        Cow::from(&*subject.id),
        Cow::from(&*subject.name),
        Cow::from(finding.outcome().word()),
        Cow::from(finding.because()),
        Cow::from(reason),
        Cow::from(places(finding.evidence())),
    ]
}

/// Ids of the controls that a check speaks for, and the criteria that they cite.
fn spoken_to(assessment: &Assessment, check: &str) -> (String, String) {
    let citing = assessment.controls.iter().map(|result| &result.control);
    let citing: Vec<_> = citing.filter(|control| control.checks.iter().any(|cited| cited == check)).collect();
    let ids: Vec<&str> = citing.iter().map(|control| control.id.as_str()).collect();
    let soc2: BTreeSet<&str> = citing.iter().flat_map(|control| &control.criteria).map(String::as_str).collect();
    let nist: BTreeSet<&str> = citing.iter().flat_map(|control| &control.nist).map(String::as_str).collect();
    (ids.join(" "), soc2.into_iter().chain(nist).collect::<Vec<_>>().join(" "))
}

/// Every role assignment and access policy that gives secrets, with the reads under it.
pub(super) fn assignments(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let header = [
        "assignment",
        "by",
        "scope",
        "holder",
        "holder_id",
        "principals",
        "vaults",
        "usage",
        "reads",
        "first_read",
        "last_read",
        "days_without_read",
        "because",
        "evidence",
        READERS_NOTE,
    ];
    let rows = assessment.assignments.iter().map(|line| {
        [
            Cow::from(line.id.shown()),
            Cow::from(&*line.by),
            Cow::from(line.scope.shown()),
            Cow::from(&*line.holder),
            Cow::from(&*line.holder_id),
            Cow::from(line.principals.to_string()),
            Cow::from(line.vaults.to_string()),
            Cow::from(line.usage.words()),
            Cow::from(line.reads.to_string()),
            Cow::from(time(line.first)),
            Cow::from(time(line.last)),
            Cow::from(line.idle_days.map_or_else(String::new, |days| days.to_string())),
            Cow::from(&*line.because),
            Cow::from(places(&line.evidence)),
        ]
    });
    write(out, &header, rows)
}

/// Every grant and removal of a role in the period, and which of them the sample holds. The digest that RBAC-013 tells
/// is that of the items, a line feed between.
pub(super) fn role_changes(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let header = ["item", "change", "detail", "sample", "evidence", READERS_NOTE];
    let rows = assessment.role_changes.iter().map(|line| {
        [
            Cow::from(&*line.key),
            Cow::from(&*line.name),
            Cow::from(&*line.words),
            Cow::from(line.sample.map_or_else(String::new, |place| place.to_string())),
            Cow::from(places(&line.evidence)),
        ]
    });
    write(out, &header, rows)
}

/// Every secret, with how many could read it and who did.
pub(super) fn secrets(assessment: &Assessment, out: &mut dyn Write) -> Result<(), RenderError> {
    let header = [
        "vault",
        "vault_id",
        "secret",
        "listed",
        "could_read",
        "did_read",
        "usage",
        "reads",
        "first_read",
        "last_read",
        "because",
        "evidence",
        READERS_NOTE,
    ];
    let rows = assessment.secrets.iter().map(|line| {
        let listed = match line.is_listed {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not told",
        };
        [
            Cow::from(&*line.vault_name),
            Cow::from(line.vault.shown()),
            Cow::from(&*line.secret),
            Cow::from(listed),
            Cow::from(line.could.to_string()),
            Cow::from(line.did.to_string()),
            Cow::from(line.usage.words()),
            Cow::from(line.reads.to_string()),
            Cow::from(time(line.first)),
            Cow::from(time(line.last)),
            Cow::from(&*line.because),
            Cow::from(places(&line.evidence)),
        ]
    });
    write(out, &header, rows)
}

/// RFC 3339, or nothing.
fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// A table whose last heading is a note and whose cells are each guarded against being taken for a formula.
pub fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, RenderError> {
    let mut bytes = Vec::new();
    write(&mut bytes, header, rows)?;
    Ok(bytes)
}

fn write<'a, R>(out: &mut dyn Write, header: &[&str], rows: impl Iterator<Item = R>) -> Result<(), RenderError>
where
    R: IntoIterator<Item: Into<Cow<'a, str>>>,
{
    for (place, heading) in header.iter().enumerate() {
        write_cell(out, place, heading)?;
    }
    out.write_all(b"\r\n")?;
    for row in rows {
        let below_the_note = header.len().saturating_sub(1);
        for (place, cell) in row.into_iter().enumerate() {
            write_cell(out, place, &guarded(&cell.into()))?;
        }
        write_cell(out, below_the_note, "")?;
        out.write_all(b"\r\n")?;
    }
    Ok(())
}

fn write_cell(out: &mut dyn Write, place: usize, cell: &str) -> io::Result<()> {
    out.write_all(if place == 0 { b"\"" } else { b",\"" })?;
    for (number, piece) in cell.split('"').enumerate() {
        if number > 0 {
            out.write_all(b"\"\"")?;
        }
        out.write_all(piece.as_bytes())?;
    }
    out.write_all(b"\"")
}

/// `cell`, with a `'` before it when a spreadsheet could take it for a formula.
fn guarded(cell: &str) -> Cow<'_, str> {
    let kept = match cell.char_indices().nth(CELL).filter(|_| cell.len() > CELL) {
        Some((end, _)) => {
            let kept = cell.get(..end).unwrap_or_default();
            Cow::from(format!("{kept}… ({} characters)", cell.chars().count()))
        }
        None => Cow::from(cell),
    };
    if is_formula(&kept) { Cow::from(format!("'{kept}")) } else { kept }
}

fn is_formula(cell: &str) -> bool {
    let is_blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}');
    let seen = cell.trim_start_matches(is_blank);
    let blank = cell.get(..cell.len() - seen.len()).unwrap_or_default();
    blank.contains(['\t', '\r', '\n']) || seen.starts_with(['=', '+', '-', '@', '|', '\0', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn exceptions(assessment: &Assessment) -> Vec<u8> {
        let mut bytes = Vec::new();
        super::exceptions(assessment, &mut bytes).expect("a table");
        bytes
    }

    fn population(population: &Population) -> Vec<u8> {
        let mut bytes = Vec::new();
        super::population(population, &mut bytes).expect("a table");
        bytes
    }

    #[test]
    fn every_start_of_a_formula_is_guarded() {
        for start in ["=1", "+1", "-1", "@a", "\t=", "\r1", "\n1", "\0", "|x", "＝1", "＋1", "－1", "＠a"] {
            assert_eq!(guarded(start), format!("'{start}"), "{start:?}");
            for before in [" ", "\u{a0}", "\u{feff}", "  \u{a0}"] {
                let cell = format!("{before}{start}");
                assert_eq!(guarded(&cell), format!("'{cell}"), "{cell:?}");
            }
        }
        for plain in ["", "a=b", "/subscriptions/x", "kv-prod", "5", "'=1"] {
            assert_eq!(guarded(plain), plain);
        }
    }

    #[test]
    fn a_cell_is_cut_before_a_spreadsheet_would_cut_it() {
        let long = "x".repeat(1 << 20);
        let cell = guarded(&long);
        assert!(cell.chars().count() < 32_767 / 2);
        assert!(cell.ends_with("… (1048576 characters)"));
    }

    #[test]
    fn exceptions_hold_every_fail_and_nothing_else() {
        let bytes = exceptions(&testing::sample());
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        assert!(text.starts_with("\"check\",\"severity\",\"controls\",\"criteria\",\"subject_kind\","), "{text:.90}");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        let fails = testing::sample().findings.iter().filter(|finding| finding.outcome() == Outcome::Fail).count();
        assert_eq!(rows.len(), fails);
        assert!(rows.iter().all(|row| &row[7] == "fail" && row.len() == 15));
        let orphan = rows.iter().find(|row| &row[0] == "NHI-006").expect("the orphan");
        assert_eq!((&orphan[2], &orphan[3]), ("TM-01", "CC6.1 CC6.2 CC6.3 AC-2 AC-2(3) AC-2(9) IA-4"));
        assert_eq!(&orphan[10], "ev-0006/page-0001.json#/value/7 ev-0009/ipe.json");
    }

    #[test]
    fn hostile_cells_survive_a_spreadsheet_and_a_reader() {
        let assessment = testing::hostile();
        let bytes = population(&assessment.populations[0]);
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let names: Vec<String> = reader.records().map(|row| row.expect("a row")[3].to_owned()).collect();
        assert_eq!(names.len(), testing::HOSTILE.len() + 1, "and the long one");
        for (name, hostile) in names.iter().zip(testing::HOSTILE) {
            assert_eq!(name.trim_start_matches('\''), hostile.trim_start_matches('\''));
            assert!(!is_formula(name), "{name}");
        }
    }
}
