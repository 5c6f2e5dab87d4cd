//! The directory.

use bytes::Bytes;

use super::{APPLICATION, GROUP, IDENTITY, MACHINE, TENANT, Tenant, USER, guid};

/// Application permissions that Microsoft Graph offers.
const GRAPH_ROLES: usize = 60;
/// Roles of the directory.
const DIRECTORY_ROLES: usize = 100;
/// Lists that hold nothing.
const EMPTY: &[&str] = &[
    "directory/deletedItems/microsoft.graph.application",
    "directory/deletedItems/microsoft.graph.servicePrincipal",
    "directory/deletedItems/microsoft.graph.user",
    "directory/deletedItems/microsoft.graph.group",
    "identity/conditionalAccess/policies",
    "identityGovernance/privilegedAccess/group/assignmentScheduleInstances",
    "identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
    "policies/appManagementPolicies",
    "roleManagement/directory/roleAssignments",
    "roleManagement/directory/roleAssignmentScheduleInstances",
    "roleManagement/directory/roleEligibilityScheduleInstances",
];

/// Objects of the directory.
#[derive(Default)]
pub struct Objects {
    /// Managed identities.
    pub managed: Vec<String>,
    /// App registrations.
    pub applications: Vec<String>,
    /// Service principals of these.
    pub principals: Vec<String>,
    /// What these may do in Microsoft Graph.
    pub grants: Vec<String>,
}

impl Tenant {
    /// Lists of the whole directory.
    pub(super) fn directory(&mut self, objects: &Objects) {
        self.objects("servicePrincipals", "managed-", &objects.managed);
        self.objects("servicePrincipals", "", &[objects.managed.as_slice(), &objects.principals].concat());
        self.objects("applications", "", &objects.applications);
        for list in EMPTY {
            self.objects(list, "", &[]);
        }
        let graph = "/graph/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')";
        let offered = (0..GRAPH_ROLES).map(|number| {
            format!(r#"{{"allowedMemberTypes":["Application"],"description":"Lets an application read things of this sort.","displayName":"Read things {number}","id":"{}","isEnabled":true,"origin":"Application","value":"Things{number}.Read.All"}}"#, guid(0x9a, 0, number))
        });
        let offered = offered.collect::<Vec<_>>().join(",");
        let said = format!(
            r#"{{"id":"{}","appId":"00000003-0000-0000-c000-000000000000","displayName":"Microsoft Graph","appRoles":[{offered}]}}"#,
            guid(0x9b, 0, 0)
        );
        self.one(graph, said);
        self.objects(&format!("{}/appRoleAssignedTo", graph.trim_start_matches("/graph/v1.0/")), "", &objects.grants);
        let roles = (0..DIRECTORY_ROLES).map(|number| {
            format!(r#"{{"id":"{0}","displayName":"Role {number}","isBuiltIn":true,"isEnabled":true,"templateId":"{0}","rolePermissions":[{{"allowedResourceActions":["microsoft.directory/things{number}/standard/read","microsoft.directory/things{number}/basic/update"],"condition":null}}]}}"#, guid(0x9c, 0, number))
        });
        self.objects("roleManagement/directory/roleDefinitions", "", &roles.collect::<Vec<_>>());
        let policies = "/graph/v1.0/policies";
        self.one(
            &format!("{policies}/identitySecurityDefaultsEnforcementPolicy"),
            r#"{"id":"00000000-0000-0000-0000-000000000005","isEnabled":false}"#.to_owned(),
        );
        self.one(&format!("{policies}/defaultAppManagementPolicy"), r#"{"id":"00000000-0000-0000-0000-000000000000","displayName":"Default app management tenant policy","isEnabled":false,"applicationRestrictions":{"passwordCredentials":[],"keyCredentials":[]},"servicePrincipalRestrictions":{"passwordCredentials":[],"keyCredentials":[]}}"#.to_owned());
    }

    /// What a subscription's people and applications add.
    pub(super) fn people(&mut self, sub: usize, objects: &mut Objects) {
        let user = |number: usize| {
            format!(
                r##"{{"@odata.type":"#microsoft.graph.user","id":"{}","displayName":"User {sub} {number}","accountEnabled":true,"userType":"Member"}}"##,
                guid(USER, sub, number)
            )
        };
        for number in 0..super::GROUPS {
            let group = format!("groups/{}", guid(GROUP, sub, number));
            let members = (0..25).map(|member| user(member + number));
            self.objects(&format!("{group}/transitiveMembers"), "", &members.collect::<Vec<_>>());
            self.objects(&format!("{group}/owners"), "", &[user(number)]);
        }
        for number in 0..super::APPLICATIONS {
            let (principal, registration) = (guid(APPLICATION, sub, number), guid(0xa6, sub, number));
            let app = guid(0xc4, sub, number);
            let password = format!(
                r#"{{"customKeyIdentifier":null,"displayName":"deploy","endDateTime":"2027-01-01T00:00:00Z","hint":null,"keyId":"{}","secretText":null,"startDateTime":"2026-01-01T00:00:00Z"}}"#,
                guid(0xa7, sub, number)
            );
            objects.applications.push(format!(r#"{{"id":"{registration}","appId":"{app}","displayName":"app-{sub:03}-{number:04}","createdDateTime":"2025-10-01T07:00:00Z","signInAudience":"AzureADMyOrg","tags":[],"passwordCredentials":[{password}],"keyCredentials":[]}}"#));
            objects.principals.push(format!(r#"{{"id":"{principal}","appId":"{app}","displayName":"app-{sub:03}-{number:04}","servicePrincipalType":"Application","accountEnabled":true,"appOwnerOrganizationId":"{TENANT}","preferredSingleSignOnMode":null,"tags":[],"passwordCredentials":[],"keyCredentials":[]}}"#));
            objects.grants.push(format!(r#"{{"id":"{}","deletedDateTime":null,"appRoleId":"{}","createdDateTime":"2025-10-01T07:00:00Z","principalDisplayName":"app-{sub:03}-{number:04}","principalId":"{principal}","principalType":"ServicePrincipal","resourceDisplayName":"Microsoft Graph","resourceId":"{}"}}"#, guid(0x9d, sub, number), guid(0x9a, 0, number), guid(0x9b, 0, 0)));
            self.objects(&format!("applications/{registration}/owners"), "", &[user(number)]);
            self.objects(&format!("applications/{registration}/federatedIdentityCredentials"), "", &[]);
            self.objects(&format!("servicePrincipals/{principal}/owners"), "", &[user(number)]);
        }
    }

    /// A list of Graph in pages, with the number of all objects on the first.
    fn objects(&mut self, list: &str, prefix: &str, items: &[String]) {
        let context = format!(r#""@odata.context":"https://graph.microsoft.com/v1.0/$metadata#{list}","#);
        let said = format!(r#""@odata.count":{},"#, items.len());
        self.paged(&format!("/graph/v1.0/{list}"), prefix, 999, items, |number, next| {
            let said = if number == 0 { said.as_str() } else { "" };
            let next = next.map(|link| format!(r#""@odata.nextLink":"{link}","#)).unwrap_or_default();
            (format!("{context}{said}{next}"), String::new())
        });
    }

    /// The answer to a look-up of object ids.
    pub fn look_up(body: &[u8]) -> Bytes {
        let ids: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let mut out = String::from(
            r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directoryObjects","value":["#,
        );
        for (index, id) in ids["ids"].as_array().into_iter().flatten().filter_map(|id| id.as_str()).enumerate() {
            let sort = u32::from_str_radix(id.get(..8).unwrap_or_default(), 16).unwrap_or_default();
            let object = match sort {
                USER => format!(
                    r##"{{"@odata.type":"#microsoft.graph.user","id":"{id}","businessPhones":[],"displayName":"User {id}","givenName":"A","jobTitle":null,"mail":"user@example.com","mobilePhone":null,"officeLocation":null,"preferredLanguage":null,"surname":"B","userPrincipalName":"user@example.com","accountEnabled":true,"userType":"Member"}}"##
                ),
                GROUP => format!(
                    r##"{{"@odata.type":"#microsoft.graph.group","id":"{id}","displayName":"grp-{id}","description":null,"groupTypes":[],"mail":null,"mailEnabled":false,"securityEnabled":true,"visibility":null}}"##
                ),
                IDENTITY | MACHINE => format!(
                    r##"{{"@odata.type":"#microsoft.graph.servicePrincipal","id":"{id}","appId":"{}","displayName":"mi-{id}","servicePrincipalType":"ManagedIdentity","accountEnabled":true,"appOwnerOrganizationId":null,"alternativeNames":["isExplicit=True"]}}"##,
                    app_id(id)
                ),
                _ => format!(
                    r##"{{"@odata.type":"#microsoft.graph.servicePrincipal","id":"{id}","appId":"{}","displayName":"app-{id}","servicePrincipalType":"Application","accountEnabled":true,"appOwnerOrganizationId":"{TENANT}","alternativeNames":[]}}"##,
                    app_id(id)
                ),
            };
            if index > 0 {
                out.push(',');
            }
            out.push_str(&object);
        }
        out.push_str("]}");
        Bytes::from(out)
    }
}

/// The application of a service principal, by the object id.
fn app_id(id: &str) -> String {
    id.replace("000000a", "000000c")
}
