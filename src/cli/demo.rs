//! `tickmark demo`: the whole job on a recorded tenant, through the same steps as a live run.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::args::{Args, Demo, PackOptions};
use super::collect::{Source, collect_into};
use super::seal::{Sealing, finish};
use super::stamp::Authorities;
use super::terminal::{Terminal, Tone};
use super::{CliError, End, context, declared};
use crate::assess::{Inputs, Organisation};
use crate::azure::{Network, Recording};
use crate::check::Parameters;
use crate::declared::Declared;
use crate::evidence::{Capture, Period, write_atomically};
use crate::pack::SigningKey;

const TENANT: &str = include_str!("../../tests/tenants/idsentinel/tenant.json");
const ANSWERS: &[(&str, &str)] = &[
    ("answers.json", include_str!("../../tests/tenants/idsentinel/answers.json")),
    ("answers/authorization.json", include_str!("../../tests/tenants/idsentinel/answers/authorization.json")),
    ("answers/directory.json", include_str!("../../tests/tenants/idsentinel/answers/directory.json")),
    ("answers/hosts.json", include_str!("../../tests/tenants/idsentinel/answers/hosts.json")),
    ("answers/logging.json", include_str!("../../tests/tenants/idsentinel/answers/logging.json")),
    ("answers/own.json", include_str!("../../tests/tenants/idsentinel/answers/own.json")),
    ("answers/queries.json", include_str!("../../tests/tenants/idsentinel/answers/queries.json")),
    ("answers/operations.json", include_str!("../../tests/tenants/idsentinel/answers/operations.json")),
    ("answers/tenant.json", include_str!("../../tests/tenants/idsentinel/answers/tenant.json")),
    ("answers/vaults.json", include_str!("../../tests/tenants/idsentinel/answers/vaults.json")),
];

/// What the people of that tenant declared, by names below `declared/`.
const DECLARED: &[(&str, &str)] = &[(
    "probes/kv-idsentinel-azureuser-20260818.toml",
    include_str!("../../tests/tenants/idsentinel/declared/probes/kv-idsentinel-azureuser-20260818.toml"),
)];

/// The demo's key comes from these public words, so that two demos are the same. It proves nothing about anybody.
const KEY_WORDS: &[u8] = b"tickmark demo signing key: public, worthless, the same for everybody";

pub(super) fn run(options: &Demo, args: &Args, terminal: &Terminal) -> Result<End, CliError> {
    let recording = match &options.replay {
        Some(folder) => Recording::open(folder)?,
        None => Recording::from_parts(TENANT, ANSWERS)?,
    };
    let head = recording.head().clone();
    let period = match &args.period {
        Some(text) => Period::parse(text)?,
        None => Period::parse(&head.period)?,
    };
    let out = &options.out;
    let store = out.join("store");
    make_room(out, &store)?;

    let signing = SigningKey::from_scalar_bytes(&Sha256::digest(KEY_WORDS).into())?;
    let trusted = signing.public()?;
    let public = out.join("tickmark.pub.pem");
    write_atomically(&public, trusted.to_pem()?.as_bytes())?;

    let source = Source::recording(recording, None)?;
    let collected = collect_into(&store, &source, period, &Authorities::default(), terminal)?;
    let capture = Capture::open(&collected.folder)?;
    let inputs = Inputs {
        organisation: Organisation { name: head.organisation.name, system: head.organisation.system },
        period,
        parameters: Parameters::default(),
        key_fingerprint: trusted.fingerprint().to_owned(),
        tsa: Vec::new(),
        tool: context::tool(),
        declared: match &options.replay {
            Some(folder) => declared::below(&folder.join("declared"))?,
            None => built_in()?,
        },
    };
    let sealing = Sealing {
        store: &store,
        folder: &collected.folder,
        capture: &capture,
        inputs,
        key: &signing,
        now: source.now(),
        network: Network::default(),
        replace: true,
    };
    let pack = out.join("pack");
    let end = finish(&sealing, &PackOptions { out: Some(pack.clone()), zip: false, tsa: Vec::new() }, terminal)?;
    if terminal.format == super::args::Format::Human {
        advise(&pack, &public, terminal)?;
    }
    Ok(end)
}

fn built_in() -> Result<Declared, CliError> {
    let files = DECLARED.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Declared::read(files.collect()).map_err(|error| CliError::Defect(error.to_string()))
}

/// Removes the store of an earlier demo; anything else that is in the way is left alone and refused.
fn make_room(out: &Path, store: &Path) -> Result<(), CliError> {
    let pack = out.join("pack");
    let is_demo = out.join("tickmark.pub.pem").is_file();
    for path in [store, &pack] {
        if path.exists() && !is_demo {
            return Err(CliError::Use(format!(
                "`{}` is there and is not a demo's; name another folder with --out",
                path.display()
            )));
        }
    }
    if store.exists() {
        fs::remove_dir_all(store).map_err(CliError::io("replace", store))?;
    }
    fs::create_dir_all(out).map_err(CliError::io("create", out))
}

fn advise(pack: &Path, public: &Path, terminal: &Terminal) -> Result<(), CliError> {
    let (shown, key) = (pack.display(), public.display());
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "The report")))?;
    terminal.line(&format!("  {shown}/report/report.html"))?;
    terminal.line(&format!("\n{}", terminal.tone(Tone::Strong, "Verify it")))?;
    terminal.line(&format!("  tickmark verify {shown} --key {key}"))?;
    terminal.line(&format!("  tickmark reperform {shown}"))?;
    terminal.line("or with stock tools, in the pack's folder (all steps are in its README.txt):")?;
    terminal.line(&format!("  cd {shown}"))?;
    terminal
        .line("  openssl dgst -sha256 -verify ../tickmark.pub.pem -signature attestation/SHA256SUMS.sig SHA256SUMS")?;
    terminal.line("  sha256sum -c --strict --quiet SHA256SUMS")?;
    terminal.line("The demo's key is public and worthless; a real pack is signed with the key of `tickmark init`.")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_carries_every_file_of_the_recording() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tenants/idsentinel");
        let mut files: Vec<String> = fs::read_dir(folder.join("answers"))
            .unwrap()
            .map(|file| format!("answers/{}", file.unwrap().file_name().to_string_lossy()))
            .collect();
        files.push("answers.json".to_owned());
        files.sort();
        let mut carried: Vec<&str> = ANSWERS.iter().map(|(file, _)| *file).collect();
        carried.sort_unstable();
        assert_eq!(carried, files);
        assert_eq!(declared::below(&folder.join("declared")).unwrap(), built_in().unwrap());
    }
}
