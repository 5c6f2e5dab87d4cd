//! `tickmark register suggest`: drafts of registers, made of what was found.

use std::fs;

use super::args::{Args, Register, RegisterChoice};
use super::collect::optional_config;
use super::terminal::Terminal;
use super::{CliError, End, context, reperform};
use crate::access::Access;
use crate::assess::{Suggested, suggest};
use crate::evidence::{Capture, write_atomically};
use crate::model;

pub(super) fn run(command: &Register, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let Register::Suggest { registers, which, pack, out } = command;
    let capture = match pack {
        Some(pack) => Capture::open_with_head(pack, reperform::manifest(pack)?.0)?,
        None => {
            let config = optional_config(args)?;
            let store = context::store(args, config.as_ref());
            context::capture(&store, which.capture.as_deref(), terminal)?.1
        }
    };
    let tenant = model::read(&capture)?;
    let access = Access::of(&tenant);
    let wanted: Vec<Suggested> = match registers.as_slice() {
        [] => Suggested::ALL.to_vec(),
        some => some.iter().map(|choice| choice.suggested()).collect(),
    };
    let draft = |which| suggest(which, &tenant, &access, &capture.head.capture_id);
    let Some(out) = out else {
        let drafts: Vec<String> = wanted.into_iter().map(draft).collect();
        terminal.raw(drafts.join("\n").as_bytes())?;
        return Ok(End::Clean);
    };
    let paths: Vec<_> = wanted.into_iter().map(|which| (which, out.join(which.file()))).collect();
    if let Some((_, taken)) = paths.iter().find(|(_, path)| path.exists()) {
        return Err(CliError::Use(format!("`{}` is there already; nothing was written", taken.display())));
    }
    fs::create_dir_all(out).map_err(CliError::io("create", out))?;
    for (which, path) in paths {
        write_atomically(&path, draft(which).as_bytes())?;
        terminal.line(&format!("{} written: read each row and say what is left empty", path.display()))?;
    }
    Ok(End::Clean)
}

impl RegisterChoice {
    fn suggested(self) -> Suggested {
        match self {
            RegisterChoice::Identities => Suggested::Identities,
            RegisterChoice::Readers => Suggested::Readers,
            RegisterChoice::Administrators => Suggested::Administrators,
            RegisterChoice::Pipelines => Suggested::Pipelines,
            RegisterChoice::Issuers => Suggested::Issuers,
            RegisterChoice::Networks => Suggested::Networks,
            RegisterChoice::Vaults => Suggested::Vaults,
        }
    }
}
