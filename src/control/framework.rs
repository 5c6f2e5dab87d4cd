//! `criteria.toml` and `nist.toml`: what the cited criteria and controls are about.

use serde::Deserialize;

use super::error::{ControlError, Mistake};

const CRITERIA: &str = include_str!("../../controls/criteria.toml");
const NIST: &str = include_str!("../../controls/nist.toml");

/// SOC 2 criteria (worded by us) and NIST SP 800-53 r5 controls (public domain).
#[derive(Clone, Debug)]
pub struct Framework {
    /// SOC 2 criteria, in the order of the file.
    pub criteria: Vec<Criterion>,
    /// NIST controls, in the order of the file.
    pub nist_controls: Vec<Criterion>,
}

/// One criterion or control.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// `CC6.1` or `AC-6(5)`.
    pub id: String,
    /// Short title.
    pub title: String,
    /// What it asks for.
    pub about: String,
    /// What a reader must know about our evidence for it.
    #[serde(default)]
    pub note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    item: Vec<Criterion>,
}

impl Framework {
    /// The two files that this build carries.
    pub fn embedded() -> Result<Framework, ControlError> {
        Ok(Framework { criteria: items("criteria.toml", CRITERIA)?, nist_controls: items("nist.toml", NIST)? })
    }

    /// The SOC 2 criterion with this id.
    pub fn criterion(&self, id: &str) -> Option<&Criterion> {
        self.criteria.iter().find(|criterion| criterion.id == id)
    }

    /// The NIST control with this id.
    pub fn nist(&self, id: &str) -> Option<&Criterion> {
        self.nist_controls.iter().find(|control| control.id == id)
    }

    pub(super) fn files() -> [(&'static str, &'static str); 2] {
        [("criteria.toml", CRITERIA), ("nist.toml", NIST)]
    }
}

fn items(name: &str, text: &str) -> Result<Vec<Criterion>, ControlError> {
    let file: File = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        ControlError { mistakes: vec![Mistake::at(name, text, &at, error.message().to_owned())] }
    })?;
    Ok(file.item)
}
