//! APP-007: settings of apps hold references to vaults in place of secrets.

use std::collections::BTreeMap;

use super::people::{and_more, counted};
use super::{Check, Facts, Finding, Nature, Severity, about, own, population};
use crate::evidence::{Kind, Reason};
use crate::model::{ContainerApp, Id, Site, VaultReference};

pub(super) const CHECK: Check = Check {
    id: "APP-007",
    title: "Settings of apps refer to vaults and hold no secrets",
    severity: Severity::High,
    nature: Nature::Design,
    asks: "For every app of App Service and its slots, the settings and connection strings that refer to a vault, and \
           whether the service could read each: one that it could not is an exception. For every container app, whether \
           its secrets come from a vault or are stored in the app.",
    blind_to: "All other settings of App Service: listing them gives their values too, needs a right that Reader does not \
               have, and is never asked for, so that a person must say that none of them holds a secret. Environment \
               variables of containers; code, images and pipelines.",
    fix: "Put the secret into a vault, give the app's identity Key Vault Secrets User at it, and refer to it: `az webapp \
          config appsettings set --settings NAME=@Microsoft.KeyVault(SecretUri=…)`, and `az webapp update --set \
          keyVaultReferenceIdentity=IDENTITY_ID` for a user-assigned identity; Bicep and Terraform: the same text in \
          `siteConfig.appSettings` and `app_settings`, and `key_vault_reference_identity_id`. Container apps: `az \
          containerapp secret set --secrets NAME=keyvaultref:URL,identityref:IDENTITY_ID`; Bicep `keyVaultUrl`, Terraform \
          `key_vault_secret_id`.",
    needs: &[
        population(Kind::Sites),
        population(Kind::SiteSlots),
        population(Kind::ContainerApps),
        own(Kind::SettingReferences),
        own(Kind::ConnectionReferences),
    ],
    run,
};

/// What the service says of a reference that it has not looked at yet.
const PENDING: &str = "Initialized";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let hosts = &facts.tenant.hosts;
    let mut references: BTreeMap<&Id, Vec<&VaultReference>> = BTreeMap::new();
    for reference in &hosts.vault_references {
        references.entry(&reference.host).or_default().push(reference);
    }
    let of = |site: &Site| references.get(&site.resource.id).map_or(&[][..], Vec::as_slice);
    let sites = hosts.sites.iter().map(|site| of_site(facts, site, of(site)));
    sites.chain(hosts.container_apps.iter().map(of_container_app)).collect()
}

fn of_site(facts: &Facts<'_>, site: &Site, references: &[&VaultReference]) -> Finding {
    let resource = &site.resource;
    let kind = if site.is_slot { "slot" } else { "app" };
    let on = about(kind, &resource.id, &resource.name, &resource.from)
        .citing(references.iter().map(|reference| &reference.from))
        .citing(&facts.records_about(Kind::SettingReferences, &resource.id))
        .citing(&facts.records_about(Kind::ConnectionReferences, &resource.id));
    let is_pending =
        |one: &VaultReference| one.status.as_deref().is_some_and(|told| told.eq_ignore_ascii_case(PENDING));
    let broken = references.iter().filter(|one| one.is_resolved() == Some(false) && !is_pending(one));
    let broken: Vec<String> = broken.map(|one| broken_words(one)).collect();
    if let Some(first) = broken.first() {
        return on.fail(and_more(first, broken.len()));
    }
    if let Some(open) = references.iter().find(|one| one.is_resolved() != Some(true)) {
        let because = format!("whether `{}`, which refers to a vault, could be read is not told", open.setting);
        return on.not_evaluated(Reason::ValueUnknown, because);
    }
    let told = match references.len() {
        0 => "no setting refers to a vault".to_owned(),
        1 => "1 setting refers to a vault and could be read".to_owned(),
        count => format!("{count} settings refer to a vault and could be read"),
    };
    on.manual(format!("{told}; whether another one holds a secret is not asked, as it would give the values too"))
}

fn broken_words(reference: &VaultReference) -> String {
    let what = if reference.is_connection_string { "connection string" } else { "setting" };
    let status = reference.status.as_deref().unwrap_or_default();
    format!("{what} `{}` refers to a vault and could not be read: {status}", reference.setting)
}

fn of_container_app(app: &ContainerApp) -> Finding {
    let on = about("container_app", &app.resource.id, &app.resource.name, &app.resource.from);
    let stored: Vec<&str> =
        app.secrets.iter().filter(|secret| secret.vault_url.is_none()).map(|secret| secret.name.as_str()).collect();
    match (stored.first(), app.secrets.len()) {
        (Some(first), _) => {
            on.fail(format!("it stores the value of {} itself", and_more(&format!("`{first}`"), stored.len())))
        }
        (None, 0) => on.pass("it has no secrets"),
        (None, count) => on.pass(format!("{} from a vault, none stored", counted(count, "secret"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{SUB, arm_id, base, findings_of, list, only, resource_json};
    use super::super::{Finding, Outcome};
    use super::*;
    use crate::evidence::testing::CaptureBuilder;

    fn site_id() -> String {
        arm_id("Microsoft.Web/sites", "app")
    }

    fn tenant(settings: &[(&str, Option<&str>)]) -> CaptureBuilder {
        let site = resource_json("Microsoft.Web/sites", "app", &json!({"properties": {"state": "Running"}}));
        let reference = |(name, status): &(&str, Option<&str>)| {
            json!({"id": format!("{}/config/configreferences/appsettings/{name}", site_id()), "name": name,
                "properties": {"vaultName": "kv", "secretName": "s", "status": status}})
        };
        base()
            .replace(Kind::Sites, SUB, list([site]))
            .answer(Kind::SiteSlots, &site_id(), list([]))
            .answer(Kind::SettingReferences, &site_id(), list(settings.iter().map(reference)))
            .answer(Kind::ConnectionReferences, &site_id(), list([]))
    }

    fn container(secrets: &Value) -> CaptureBuilder {
        let patch = json!({"properties": {"configuration": {"secrets": secrets}}});
        base().replace(Kind::ContainerApps, SUB, list([resource_json("Microsoft.App/containerApps", "ca", &patch)]))
    }

    fn judged(builder: CaptureBuilder) -> Finding {
        only(&findings_of(&CHECK, builder)).clone()
    }

    #[test]
    fn an_app_awaits_a_person_whatever_its_references_say() {
        let read = judged(tenant(&[("DB", Some("Resolved")), ("KEY", Some("resolved"))]));
        assert!(read.because().starts_with("2 settings refer to a vault and could be read"), "{}", read.because());
        assert_eq!(read.outcome(), Outcome::Manual);
        assert_eq!(judged(tenant(&[])).outcome(), Outcome::Manual);
    }

    #[test]
    fn a_reference_that_could_not_be_read_fails_and_one_that_says_nothing_is_open() {
        let refused = judged(tenant(&[("DB", Some("AccessToKeyVaultDenied")), ("KEY", Some("Resolved"))]));
        assert_eq!(refused.because(), "setting `DB` refers to a vault and could not be read: AccessToKeyVaultDenied");
        assert_eq!(refused.outcome(), Outcome::Fail);
        assert_eq!(judged(tenant(&[("DB", None)])).reason(), Some(Reason::ValueUnknown));
        assert_eq!(judged(tenant(&[("DB", Some("Initialized"))])).reason(), Some(Reason::ValueUnknown));
    }

    #[test]
    fn a_container_app_passes_with_vaults_alone() {
        let by_vault =
            json!([{"name": "db", "keyVaultUrl": "https://kv.vault.azure.net/secrets/db", "identity": "system"}]);
        assert_eq!(judged(container(&by_vault)).because(), "1 secret from a vault, none stored");
        assert_eq!(judged(container(&json!([]))).outcome(), Outcome::Pass);
        let stored = judged(container(&json!([{"name": "db"}, {"name": "key", "keyVaultUrl": ""}])));
        assert_eq!(stored.because(), "it stores the value of `db`, and 1 more itself");
        assert_eq!(stored.outcome(), Outcome::Fail);
    }

    #[test]
    fn references_that_were_not_read_leave_the_app_open() {
        for kind in [Kind::SettingReferences, Kind::ConnectionReferences] {
            assert_eq!(judged(tenant(&[]).denied(kind, &site_id())).reason(), Some(Reason::Forbidden), "{kind:?}");
        }
        let slots = findings_of(&CHECK, tenant(&[]).denied(Kind::SiteSlots, &site_id()));
        assert_eq!(slots.iter().map(Finding::outcome).collect::<Vec<_>>(), [Outcome::NotEvaluated, Outcome::Manual]);
    }

    #[test]
    fn no_app_is_not_applicable_and_an_unread_list_is_not_evaluated() {
        assert_eq!(judged(base()).outcome(), Outcome::NotApplicable);
        assert_eq!(judged(base().denied(Kind::ContainerApps, SUB)).reason(), Some(Reason::Forbidden));
    }
}
