//! `exceptions.csv` and the populations, for spreadsheets: RFC 4180, every cell quoted, none of them a formula.

use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, Utc};

use super::RenderError;
use crate::assess::{Assessment, Population};
use crate::check::{Finding, Outcome};
use crate::evidence::Cite;

/// Characters of a cell that are written. A spreadsheet cuts a longer cell in two, and the second part has no guard.
const CELL: usize = 15_000;

/// The last heading of every table: what was done to cells.
pub const NOTE: &str = "note: a leading ' was added where a cell would be read as a formula and very long cells were cut; \
                    exact values are in results.json";
const READERS_NOTE: &str = "note: a leading ' was added where a cell would be read as a formula and very long cells \
                            were cut; exact values are in the evidence that is cited";

/// Every fail, with severity, and with the controls and criteria that it speaks to.
pub(super) fn exceptions(assessment: &Assessment, path: &str) -> Result<Vec<u8>, RenderError> {
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
    let rows = fails.map(|finding| {
        let [check, rest @ ..] = cells(finding);
        let severity = crate::check::find(finding.check()).map_or("", |check| check.severity.word());
        let (controls, criteria) = spoken_to(assessment, finding.check());
        let accepted = match finding.accepted() {
            Some(accepted) => [accepted.approver.clone(), accepted.until.clone(), accepted.waiver.place()],
            None => Default::default(),
        };
        [check, severity.to_owned(), controls, criteria].into_iter().chain(rest).chain(accepted).collect()
    });
    table(path, &header, rows)
}

/// Everything that one check judged.
pub(super) fn population(population: &Population, path: &str) -> Result<Vec<u8>, RenderError> {
    let header =
        ["check", "subject_kind", "subject_id", "subject_name", "outcome", "because", "reason", "evidence", NOTE];
    table(path, &header, population.items.iter().map(|finding| cells(finding).into_iter().collect()))
}

/// Who can do what on each vault.
pub(super) fn readers(assessment: &Assessment, path: &str) -> Result<Vec<u8>, RenderError> {
    let header =
        ["vault", "principal", "principal_id", "principal_kind", "can", "answer", "path", "evidence", READERS_NOTE];
    let rows = assessment.inventory.readers.iter().map(|line| {
        let texts = [&line.vault, &line.principal, &line.principal_id, &line.principal_kind, &line.can];
        let texts = texts.into_iter().map(|text| text.to_string());
        texts.chain([line.answer.to_owned(), line.path.to_string(), places(&line.evidence)]).collect()
    });
    table(path, &header, rows)
}

/// Who could read secrets against who did.
pub(super) fn grants(assessment: &Assessment, path: &str) -> Result<Vec<u8>, RenderError> {
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
    let time =
        |at: Option<DateTime<Utc>>| at.map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let rows = assessment.grants.iter().map(|line| {
        vec![
            line.vault_name.clone(),
            line.vault.shown().to_owned(),
            line.principal.clone(),
            line.principal_id.clone(),
            line.object.as_ref().map_or_else(String::new, |object| object.shown().to_owned()),
            line.answer.map_or_else(String::new, |answer| answer.words().to_owned()),
            line.by.clone(),
            line.usage.words().to_owned(),
            line.reads.to_string(),
            line.secrets.to_string(),
            time(line.first),
            time(line.last),
            line.idle_days.map_or_else(String::new, |days| days.to_string()),
            line.because.clone(),
            places(&line.evidence),
        ]
    });
    table(path, &header, rows)
}

/// The cited places, parted by spaces.
fn places(evidence: &[Cite]) -> String {
    evidence.iter().map(|cite| cite.place()).collect::<Vec<_>>().join(" ")
}

fn cells(finding: &Finding) -> [String; 8] {
    let reason = finding.reason().and_then(|reason| serde_json::to_value(reason).ok());
    [
        finding.check().to_owned(),
        finding.subject().kind.clone(),
        finding.subject().id.clone(),
        finding.subject().name.clone(),
        finding.outcome().word().to_owned(),
        finding.because().to_owned(),
        reason.as_ref().and_then(|word| word.as_str()).unwrap_or_default().to_owned(),
        places(finding.evidence()),
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

/// A table whose last heading is a note and whose cells are each guarded against being taken for a formula.
pub fn table(path: &str, header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, RenderError> {
    let failed = |source: csv::Error| RenderError::Csv { path: path.to_owned(), source };
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(header).map_err(failed)?;
    for row in rows {
        let below_the_note = std::iter::once(String::new());
        writer.write_record(row.iter().map(|cell| guarded(cell)).chain(below_the_note)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| failed(csv::Error::from(error.into_error())))
}

/// `cell`, with a `'` before it when a spreadsheet could take it for a formula.
fn guarded(cell: &str) -> String {
    let mut characters = cell.chars();
    let mut kept: String = characters.by_ref().take(CELL).collect();
    if characters.next().is_some() {
        kept.push_str(&format!("… ({} characters)", cell.chars().count()));
    }
    if is_formula(&kept) { format!("'{kept}") } else { kept }
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
        let cell = guarded(&"x".repeat(1 << 20));
        assert!(cell.chars().count() < 32_767 / 2);
        assert!(cell.ends_with("… (1048576 characters)"));
    }

    #[test]
    fn exceptions_hold_every_fail_and_nothing_else() {
        let bytes = exceptions(&testing::sample(), "report/exceptions.csv").expect("a table");
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
        let bytes = population(&assessment.populations[0], "x").expect("a table");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let names: Vec<String> = reader.records().map(|row| row.expect("a row")[3].to_owned()).collect();
        assert_eq!(names.len(), testing::HOSTILE.len() + 1, "and the long one");
        for (name, hostile) in names.iter().zip(testing::HOSTILE) {
            assert_eq!(name.trim_start_matches('\''), hostile.trim_start_matches('\''));
            assert!(!is_formula(name), "{name}");
        }
    }
}
