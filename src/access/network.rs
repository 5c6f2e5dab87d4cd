//! Whether a network route to a vault's data plane exists, apart from any permission
//! (learn.microsoft.com/azure/key-vault/general/network-security, overview-vnet-service-endpoints).

use serde::Serialize;

use crate::model::Vault;

/// Who reaches the data plane, as far as the vault's own settings tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The widest way in.
    pub reach: Reach,
    /// Address rules that let someone in.
    pub ip_rules: Vec<String>,
    /// Subnets that are let in.
    pub subnets: Vec<String>,
    /// Approved private endpoint connections.
    pub private_endpoints: usize,
    /// Whether trusted services of Microsoft pass whatever the rules say; not told for a perimeter, which overrides it.
    pub trusted_services: Option<bool>,
}

/// How wide the way in is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Every network.
    Internet,
    /// The addresses and subnets that are listed, and private endpoints.
    Listed,
    /// Private endpoints alone.
    PrivateEndpoints,
    /// What the rules of a network security perimeter say, which are not read.
    Perimeter,
    /// A setting has a value that is not known.
    NotDetermined,
}

impl Route {
    /// The route to a vault.
    pub fn to(vault: &Vault) -> Route {
        let acls = vault.network_acls.as_ref();
        let is = |text: Option<&String>, word: &str| text.is_some_and(|text| text.eq_ignore_ascii_case(word));
        let access = vault.public_network_access.as_ref();
        let action = acls.and_then(|acls| acls.default_action.as_ref());
        let is_public = access.is_none() || is(access, "Enabled");
        let reach = match () {
            () if is(access, "SecuredByPerimeter") => Reach::Perimeter,
            () if is(access, "Disabled") => Reach::PrivateEndpoints,
            () if !is_public => Reach::NotDetermined,
            () if action.is_none() || is(action, "Allow") => Reach::Internet,
            () if is(action, "Deny") => Reach::Listed,
            () => Reach::NotDetermined,
        };
        let rules = acls.filter(|_| reach == Reach::Listed);
        let is_approved = |status: Option<&String>| is(status, "Approved");
        let approved = vault.private_endpoints.iter().filter(|endpoint| is_approved(endpoint.status.as_ref()));
        let bypass = acls.and_then(|acls| acls.bypass.as_ref());
        Route {
            reach,
            ip_rules: rules.map(|acls| acls.ip_rules.clone()).unwrap_or_default(),
            subnets: rules.map(|acls| acls.virtual_network_rules.clone()).unwrap_or_default(),
            private_endpoints: approved.count(),
            trusted_services: (reach != Reach::Perimeter).then(|| !is(bypass, "None")),
        }
    }

    /// The route in words.
    pub fn words(&self) -> String {
        let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
        let private = count(self.private_endpoints, "approved private endpoint");
        let reach = match self.reach {
            Reach::Internet if self.private_endpoints == 0 => "every network reaches it".to_owned(),
            Reach::Internet => format!("every network reaches it, and {private}"),
            Reach::Listed => {
                let rules = count(self.ip_rules.len(), "address rule");
                format!("{rules}, {} and {private} reach it", count(self.subnets.len(), "subnet"))
            }
            Reach::PrivateEndpoints if self.private_endpoints == 0 => {
                "no network reaches it: public access is off and no private endpoint is approved".to_owned()
            }
            Reach::PrivateEndpoints => format!("{private} alone"),
            Reach::Perimeter => format!("the rules of its network security perimeter decide, and {private}"),
            Reach::NotDetermined => "not determined: a setting has a value that is not known".to_owned(),
        };
        match self.trusted_services {
            Some(true) => format!("{reach}; trusted services of Microsoft pass"),
            _ => reach,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::Kind;
    use crate::evidence::testing::{CaptureBuilder, TENANT};
    use crate::model;

    fn route(settings: &Value) -> Route {
        let sub = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001";
        let id = format!("{sub}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1");
        let mut properties = json!({"tenantId": TENANT, "enableRbacAuthorization": true});
        for (name, value) in settings.as_object().expect("an object") {
            properties[name] = value.clone();
        }
        let answers = CaptureBuilder::default()
            .answer(Kind::Subscriptions, "tenant", json!({"value": [{"id": sub}]}))
            .answer(Kind::Vaults, sub, json!({"value": [{"id": id, "name": "kv1", "properties": properties}]}));
        Route::to(&model::read(&answers.build()).expect("a tenant").vaults[0])
    }

    #[test]
    fn absent_settings_let_every_network_in_and_trusted_services_too() {
        let open = route(&json!({}));
        assert_eq!((open.reach, open.trusted_services), (Reach::Internet, Some(true)));
        assert_eq!(route(&json!({"networkAcls": {"bypass": "None"}})).trusted_services, Some(false));
    }

    #[test]
    fn a_private_endpoint_alone_closes_nothing() {
        let endpoint = json!([{"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}]);
        let open = route(&json!({"privateEndpointConnections": endpoint}));
        assert_eq!((open.reach, open.private_endpoints), (Reach::Internet, 1));
        let closed = route(&json!({"privateEndpointConnections": endpoint, "publicNetworkAccess": "Disabled"}));
        assert_eq!(closed.words(), "1 approved private endpoint alone; trusted services of Microsoft pass");
    }

    #[test]
    fn rules_count_only_while_the_default_is_deny_and_public_access_is_on() {
        let rules = json!({"defaultAction": "Deny", "bypass": "None", "ipRules": [{"value": "203.0.113.0/24"}],
            "virtualNetworkRules": [{"id": "/subnets/a"}]});
        let listed = route(&json!({"networkAcls": rules}));
        assert_eq!(listed.words(), "1 address rule, 1 subnet and 0 approved private endpoints reach it");
        let disabled = route(&json!({"networkAcls": rules, "publicNetworkAccess": "disabled"}));
        assert_eq!((disabled.reach, disabled.ip_rules.len()), (Reach::PrivateEndpoints, 0));
    }

    #[test]
    fn a_perimeter_decides_by_rules_that_are_not_here_and_an_unknown_value_by_none() {
        let perimeter = route(&json!({"publicNetworkAccess": "SecuredByPerimeter"}));
        assert_eq!((perimeter.reach, perimeter.trusted_services), (Reach::Perimeter, None));
        assert_eq!(route(&json!({"publicNetworkAccess": "Sometimes"})).reach, Reach::NotDetermined);
        assert_eq!(route(&json!({"networkAcls": {"defaultAction": "Perhaps"}})).reach, Reach::NotDetermined);
    }
}
