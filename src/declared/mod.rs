//! What people declare: registers of what is known and approved, waivers of exceptions, records of probes, and records
//! that were made by hand. Pure: from the bytes of the files, by the names that they have below `declared/` in a pack.
//!
//! A file that is there and cannot be read is an error, never an absent one: `error` names file, line and column.
//! A register that is not there is none: its checks then wait for a person, and say what they found. Whether a row
//! is in force depends on the day that a check asks about ([`Row::standing`]).
//!
//! `values` has the forms of single values; `registers` a struct for the row of each register; `waivers`, `probes` and
//! `attached` the other three.

mod attached;
mod checks;
mod probes;
mod registers;
mod rows;
mod values;
mod waivers;

use std::collections::{BTreeMap, BTreeSet};

use crate::control::{ControlError, Mistake};
use crate::evidence::{Kind, Shape};

pub use attached::{Attached, MAX_ATTACHED_BYTES, NewRecord};
pub use checks::{
    Clause, CustomCheck, Expression, Otherwise, Population, Related, Severity, Source as SubjectSource, TIMES,
    object_fields, object_shape, uncited,
};
pub use probes::{Call, Probe, TokenFacts};
pub use registers::{
    Administrator, Identity, IdentityName, Issuer, NetworkRow, Parameter, Pipeline, Power, Reader, Registers, VaultRow,
};
pub use rows::{Register, Row, Standing, Term, Timed};
pub use values::{Address, CapabilityName, Day, Guid, Moment, Named, Scope, Text, Web};
pub use waivers::Waiver;

/// Everything that was declared, and the bytes it was read from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Declared {
    /// Registers, each where there is one.
    pub registers: Registers,
    /// `waivers.toml`, where there is one.
    pub waivers: Option<Register<Waiver>>,
    /// Records of probes, in order of their names.
    pub probes: Vec<Probe>,
    /// Records that were made by hand, in order of their ids.
    pub attached: Vec<Attached>,
    /// Checks that the organisation has written, in order of their ids.
    pub checks: Vec<CustomCheck>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Declared {
    /// Reads the files by their names below `declared/`: `registers/readers.toml`, `waivers.toml`,
    /// `probes/kv-prod.toml`, `attached/at-0001/record.toml`. Every file's first mistake is reported; unknown files are
    /// refused, since a register with a misspelt name would be a register that is not there.
    pub fn read(files: BTreeMap<String, Vec<u8>>) -> Result<Declared, ControlError> {
        Declared::read_with(files, &|_| Shape::Nothing)
    }

    /// The same with checks of one's own; `kept` says what is kept of records, so that a check cannot ask for more.
    pub fn read_with(files: BTreeMap<String, Vec<u8>>, kept: &dyn Fn(Kind) -> Shape) -> Result<Declared, ControlError> {
        let mut mistakes = Vec::new();
        let mut registers = Registers::read(&files, &mut mistakes);
        let waivers = rows::read(&files, "waivers.toml", "waiver", &mut mistakes);
        let probes = probes::read(&files, &mut mistakes);
        let attached = attached::read(&files, &mut mistakes);
        let checks = checks::read(&files, kept, &mut mistakes);
        registers.cite(&files, &checks, &mut mistakes);
        for name in files.keys().filter(|name| !is_known(name)) {
            let known: Vec<&str> = registers::NAMES.iter().map(|(file, _)| *file).collect();
            let what = format!(
                "no such file is read; there are waivers.toml, probes/….toml, checks/….toml, controls/….toml and {}",
                known.join(", ")
            );
            mistakes.push(Mistake::at(name, "", &(0..0), what));
        }
        match mistakes.is_empty() {
            true => Ok(Declared { registers, waivers, probes, attached, checks, files }),
            false => Err(ControlError { mistakes }),
        }
    }

    /// The check of one's own with this id, in any case.
    pub fn check(&self, id: &str) -> Option<&CustomCheck> {
        self.checks.iter().find(|check| check.id.eq_ignore_ascii_case(id))
    }

    /// The files of controls that the organisation has written, by name.
    pub fn control_files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.files.iter().filter(|(name, _)| is_control(name));
        files.map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// The kinds of record that the checks look at as they were kept.
    pub fn kinds(&self) -> BTreeSet<Kind> {
        self.checks.iter().flat_map(CustomCheck::kinds).collect()
    }

    /// The files as they were read, by their names below `declared/`.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }
}

/// Whether this is the name of a control's file.
fn is_control(name: &str) -> bool {
    let own = name.strip_prefix("controls/").and_then(|name| name.strip_suffix(".toml"));
    own.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

fn is_known(name: &str) -> bool {
    name == "waivers.toml"
        || name.starts_with("attached/")
        || name.starts_with("probes/")
        || checks::is_file(name)
        || is_control(name)
        || registers::NAMES.iter().any(|(file, _)| *file == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Result<Declared, ControlError> {
        Declared::read(files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect())
    }

    #[test]
    fn nothing_declared_is_no_register_and_no_waiver() {
        let declared = read(&[]).expect("nothing");
        assert_eq!(declared, Declared::default());
        assert!(declared.registers.readers.is_none() && declared.waivers.is_none());
    }

    #[test]
    fn an_empty_register_is_a_register() {
        let declared = read(&[("registers/readers.toml", "# nobody\n")]).expect("a register");
        assert_eq!(declared.registers.readers.expect("given").rows, []);
    }

    #[test]
    fn a_register_with_a_misspelt_name_is_refused() {
        let error = read(&[("registers/reader.toml", "")]).expect_err("unknown");
        assert!(error.to_string().starts_with("registers/reader.toml:1:1: no such file is read"), "{error}");
    }

    #[test]
    fn the_mistakes_of_every_file_are_told_with_their_lines() {
        let error = read(&[
            ("registers/readers.toml", "[[reader]]\nvault = \"kv\"\nprincipal = \"ada\"\n"),
            ("registers/networks.toml", "[[network]]\nnetwork = \"office\"\npurpose = \"p\"\n"),
            ("waivers.toml", "[[waver]]\n"),
        ])
        .expect_err("three");
        let words = error.to_string();
        let lines: Vec<&str> = words.lines().collect();
        assert_eq!(lines.len(), 3, "{words}");
        assert!(lines[0].starts_with("registers/readers.toml:3:13: `ada` is not a GUID"), "{words}");
        assert!(lines[1].starts_with("registers/networks.toml:2:11: `office` is not"), "{words}");
        assert!(lines[2].starts_with("waivers.toml:1:3: `waver` is no table"), "{words}");
    }
}
