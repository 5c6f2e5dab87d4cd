//! Why something could not be read or could not be judged: a closed list.

use serde::{Deserialize, Serialize};

/// Why a question has no full answer, or why a check could not conclude.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// 403: the collecting identity may not read this.
    Forbidden,
    /// 401: the token was refused.
    Unauthenticated,
    /// 429 until the retries were used up.
    Throttled,
    /// 5xx, a reset connection or a time-out until the retries were used up.
    Unavailable,
    /// 404: it is not there, or hidden from the collecting identity.
    NotFound,
    /// A chain of pages ended before its end.
    CutShort,
    /// The answer could not be parsed or had another shape than the contract.
    Malformed,
    /// The service said that its answer is partial.
    Partial,
    /// The log table does not exist in that workspace.
    TableMissing,
    /// Provider or API version are not offered in that cloud.
    NotInCloud,
    /// The tenant has no licence for that source.
    NotLicensed,
    /// The service has retired this, and nothing is granted by it any more.
    Retired,
    /// The provider refused the request for a cause of its own (400, 409).
    Refused,
    /// The recording that is replayed holds no answer.
    NotRecorded,
    /// The question was never put.
    NotAsked,
    /// The run was stopped before the question was put.
    Interrupted,
    /// A second, independent count differs from the rows read.
    TotalsDiffer,
    /// The source keeps less than the period.
    RetentionTooShort,
    /// The period was not over, or not yet in the log, when the evidence was collected.
    PeriodNotOver,
    /// A role assignment names a role definition that was not read.
    RoleDefinitionUnknown,
    /// A principal could not be resolved in the directory.
    PrincipalUnresolved,
    /// A condition narrows access and is not evaluated here.
    ConditionNotEvaluated,
    /// A deny assignment may narrow access and is not evaluated here.
    DenyNotEvaluated,
    /// The chain of management groups up to the root was not read whole.
    HierarchyUnknown,
    /// The record has a value that this version does not know.
    ValueUnknown,
    /// What would tell was left out when it was collected, as configured.
    Withheld,
    /// A probe was answered, or not answered, for another cause than the one that it asks about.
    Inconclusive,
    /// An expression of a check of the organisation's own could not be decided from the record.
    Undecided,
}

impl Reason {
    /// Every reason, for tables and tests.
    pub const ALL: &'static [Reason] = &[
        Reason::Forbidden,
        Reason::Unauthenticated,
        Reason::Throttled,
        Reason::Unavailable,
        Reason::NotFound,
        Reason::CutShort,
        Reason::Malformed,
        Reason::Partial,
        Reason::TableMissing,
        Reason::NotInCloud,
        Reason::NotLicensed,
        Reason::Retired,
        Reason::Refused,
        Reason::NotRecorded,
        Reason::NotAsked,
        Reason::Interrupted,
        Reason::TotalsDiffer,
        Reason::RetentionTooShort,
        Reason::PeriodNotOver,
        Reason::RoleDefinitionUnknown,
        Reason::PrincipalUnresolved,
        Reason::ConditionNotEvaluated,
        Reason::DenyNotEvaluated,
        Reason::HierarchyUnknown,
        Reason::ValueUnknown,
        Reason::Withheld,
        Reason::Inconclusive,
        Reason::Undecided,
    ];

    /// Whether the same question, put again when an interrupted run is continued, may well be answered.
    pub fn may_pass(self) -> bool {
        matches!(
            self,
            Reason::Unauthenticated
                | Reason::Throttled
                | Reason::Unavailable
                | Reason::CutShort
                | Reason::NotAsked
                | Reason::Interrupted
        )
    }

    /// The sentence that a reader of the report sees.
    pub fn sentence(self) -> &'static str {
        match self {
            Reason::Forbidden => "the collecting identity is not permitted to read this",
            Reason::Unauthenticated => "the service refused the token of the collecting identity",
            Reason::Throttled => "the service kept asking to wait until the retries were used up",
            Reason::Unavailable => "the service failed or did not answer until the retries were used up",
            Reason::NotFound => "the service says that it is not there, or hides it",
            Reason::CutShort => "the list broke off before its last page",
            Reason::Malformed => "the answer could not be understood",
            Reason::Partial => "the service marked its own answer as partial",
            Reason::TableMissing => "the log table does not exist in the workspace, so nothing was ever stored there",
            Reason::NotInCloud => "the provider or API version is not offered in this cloud",
            Reason::NotLicensed => "the tenant has no licence for this source",
            Reason::Retired => "the service has retired this, and nothing is granted by it any more",
            Reason::Refused => "the provider refused the request",
            Reason::NotRecorded => "the replayed recording holds no answer to this question",
            Reason::NotAsked => "the question was never put",
            Reason::Interrupted => "the run was stopped before the question was put",
            Reason::TotalsDiffer => "an independent count differs from the rows that were read",
            Reason::RetentionTooShort => "the source keeps less than the period",
            Reason::PeriodNotOver => "the period was not over when the evidence was collected",
            Reason::RoleDefinitionUnknown => "a role definition that an assignment names was not read",
            Reason::PrincipalUnresolved => "a principal could not be resolved in the directory",
            Reason::ConditionNotEvaluated => "a condition may narrow the access and is not evaluated",
            Reason::DenyNotEvaluated => "a deny assignment may narrow the access and is not evaluated",
            Reason::HierarchyUnknown => "the chain of management groups up to the root was not read whole",
            Reason::ValueUnknown => "the record holds a value that this version does not know",
            Reason::Withheld => "what would tell was left out when it was collected, as configured",
            Reason::Inconclusive => "the probe was answered for another cause than the one that it asks about",
            Reason::Undecided => "an expression of the organisation's own check could not be decided from the record",
        }
    }
}
