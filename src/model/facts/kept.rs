//! Records as they were kept, for checks that the organisation has written.

use crate::evidence::Cite;
use crate::model::Id;

/// One item of an answer.
#[derive(Clone, Debug)]
pub struct KeptItem {
    /// Its `id`: an ARM id, or an object id of the directory.
    pub id: Id,
    /// What it is called.
    pub name: String,
    /// Its JSON, as it was kept.
    pub json: Box<str>,
    /// Where it was read.
    pub from: Cite,
}
