//! What `init` writes.

/// The commented configuration; `TENANT_ID` stands for the tenant's GUID.
pub const TEMPLATE: &str = r#"# tickmark: what to collect, from where, for whom.
# Every key that is commented out shows its default.

[organisation]
name = "ORGANISATION"                    # as it stands in the report
system = "SYSTEM"                        # the system under examination

[azure]
# cloud = "public"                       # public | usgov | usgov_dod | china | custom (then [azure.endpoints])
tenant_id = "TENANT_ID"                  # az account show --query tenantId
# What you expect to exist, so that a miss is seen. Without either, all that is visible is read.
subscriptions = []                       # ["<subscription GUID>", …]
# management_groups = []                 # names; their subscriptions are then expected
# workspaces = []                        # Log Analytics workspace GUIDs; default: those that diagnostic settings name
credential = "azure_cli"                 # auto | managed_identity | workload_identity | azure_cli | azure_pipelines
                                         # | client_certificate | client_secret | token (from TICKMARK_TOKEN)
                                         # or several, tried in your order: ["managed_identity", "azure_cli"]
# client_id = "…"                        # user-assigned identity or application, where it applies
# certificate_file = "app.pem"           # for client_certificate: certificate and private key
# vault_objects = "arm"                  # lists of keys and secrets from Resource Manager | "data_plane": from the vaults
                                         # themselves, with certificates and what was deleted; needs Key Vault Reader
# ca_file = "corp-root.pem"              # extra trust root, for networks that inspect TLS

# [azure.endpoints]                      # only with cloud = "custom"; plain http for loopback addresses only
# authority = "https://…"
# resource_manager = "https://…"
# graph = "https://…"
# log_analytics = "https://…"
# key_vault = "https://…"                # the address that every vault's is below, for vault_objects = "data_plane"

[store]
# path = "tickmark-store"                # captures and ledger; keep it

[period]
# default = "quarter"                    # the last quarter that has ended | "current_quarter" | "2026Q3"
# start = "2026-07-01"                   # or two days, both included
# end = "2026-09-30"

[signing]
key = "keys/tickmark.p8"                 # P-256, PKCS#8, encrypted; passphrase from a prompt or TICKMARK_KEY_PASSPHRASE
# tsa = []                               # RFC 3161 authorities: time on the plan and on the signature; without, both are asserted

[personal_data]                          # what is kept of persons; object ids are always kept
# addresses = "network"                  # of callers: network (/24, /48) | full | none
# names = "matched"                      # of users: matched (who holds a right) | all | pseudonym | none
# user_principal_names = "none"          # the same choices
# mail = "matched"                       # the same choices; also inside of tags and names
# key_file = "keys/pseudonyms.key"       # for pseudonym: `tickmark pseudonyms new-key`; keep it from readers of packs
# key_variable = "…"                     # or the variable of the environment that holds the key

# [api_versions]                         # for a cloud that is behind, or ahead: keys as in docs/permissions.md
# vaults = "2023-07-01"

[declared]
# folder = "."                           # where registers/, probes/, checks/, controls/, waivers.toml, attached/ are

[parameters]                             # thresholds of checks; `tickmark explain CHECK-ID` says what each means
# credential_days = 180                  # APP-003
# workload_environments = []             # NHI-002: tag values of env/environment that are in scope; empty is all
# sharing_limit = 1                      # NHI-003: attachments of one identity without a reason
# unattached_days = 30                   # NHI-004
# shared_identity_limit = 10             # NHI-005: resources that may carry one identity
# orphan_days = 7                        # NHI-006
# dormant_days = 90                      # NHI-011
# secret_days = 365                      # CRY-001
# soft_delete_days = 7                   # KV-006
# approved_networks = []                 # KV-007: ["203.0.113.0/24"]
# retention_margin_days = 30             # LOG-003
# gap_hours = 24                         # EVT-001
# expected_rows_per_day = 24             # EVT-001
# unknown_denials = 3                    # EVT-004
# handshake_seconds = 60                 # EVT-005
# unanswered_handshakes = 20             # EVT-005
# probe_minutes = 60                     # PRB-004: between a call, its row in the log, and the collection
# production_environments = []           # RBAC-009, EVT-006: tag values of env/environment that mean production; empty is all
# unused_days = 90                       # RBAC-014
# bulk_lists = 20                        # EVT-007
# activation_minutes = 120               # PIM-004, PIM-005
# alerted_operations = [                 # LOG-009
#   "Microsoft.Authorization/roleAssignments/write",
#   "Microsoft.KeyVault/vaults/write",
#   "Microsoft.KeyVault/vaults/delete",
#   "Microsoft.KeyVault/vaults/accessPolicies/write",
#   "Microsoft.Insights/diagnosticSettings/delete",
# ]
# sample_size = 25                       # RBAC-013
# sample_seed = ""                       # RBAC-013: for the auditor to choose, after the period
"#;
