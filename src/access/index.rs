//! The facts put in order for questions: what gives access, by scope, and what lies above each vault.
//!
//! What sits above vaults is looked up once for each resource group and shared by its vaults.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::denies::{self, Denies, Near};
use super::giving::Giving;
use super::principals::{Holder, Principals, Reached};
use super::role::{Role, Rules};
use super::{Activation, Answer, Capability, Gap, Open, Path, Rule, Via};
use crate::evidence::Cite;
use crate::model::{Id, Tenant, Vault, VaultObject};

/// Something that gives access at one scope to whoever is behind one holder.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) via: Arc<Via>,
    pub(super) scope: Id,
    pub(super) holder: Arc<Holder>,
    pub(super) gives: Gives,
    /// The condition on it.
    pub(super) rule: Option<Arc<Rule>>,
    /// What it answers by itself, leaving condition, membership and denies aside.
    pub(super) answer: Answer,
    /// Why it does not answer allowed.
    pub(super) open: Option<Arc<Open>>,
    pub(super) activation: Option<Arc<Activation>>,
    /// What limits whom it may grant access, and to what, where it is delegated from outside.
    pub(super) limited: Option<Arc<Open>>,
    /// Assignment or policy, and definition.
    pub(super) base: Arc<[Cite]>,
    /// Place in the tenant's list of role assignments.
    pub(super) place: Option<usize>,
    /// Its paths without condition or deny, one for each principal behind the holder.
    paths: OnceLock<Arc<[Arc<Path>]>>,
}

/// What a source gives.
#[derive(Clone, Debug)]
pub(super) enum Gives {
    /// What its role gives.
    Role(Arc<Role>),
    /// What the access policy lists.
    Policy(Arc<[Capability]>),
}

impl Source {
    pub(super) fn new(via: Via, scope: Id, holder: Arc<Holder>, gives: Gives, base: Vec<Cite>) -> Source {
        Source {
            via: Arc::new(via),
            scope,
            holder,
            gives,
            rule: None,
            answer: Answer::Allowed,
            open: None,
            activation: None,
            limited: None,
            base: base.into(),
            place: None,
            paths: OnceLock::new(),
        }
    }

    /// The same, that answers no better than this.
    pub(super) fn at_best(mut self, answer: Answer, open: Option<Open>) -> Source {
        self.answer = self.answer.and(answer);
        self.open = open.map(Arc::new).or(self.open);
        self
    }

    /// Its path to the principal at this place among those behind the holder, where nothing further narrows it.
    pub(super) fn plain(&self, place: usize) -> Option<&Arc<Path>> {
        let paths = self.paths.get_or_init(|| {
            let paths = self.holder.reached.iter().map(|reached| Arc::new(self.path(reached)));
            paths.collect()
        });
        paths.get(place)
    }

    fn path(&self, reached: &Reached) -> Path {
        let activation = self.activation.iter().cloned();
        let membership = if reached.activation.is_some() { Answer::Eligible } else { Answer::Allowed };
        Path {
            via: self.via.clone(),
            scope: self.scope.clone(),
            through: reached.through.clone(),
            answer: self.answer.and(membership),
            open: self.open.clone(),
            activations: reached.activation.iter().cloned().chain(activation).collect(),
            is_wide: false,
            base: self.base.clone(),
            memberships: reached.evidence.clone(),
        }
    }
}

/// What lies above the vaults of one resource group.
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    /// Scopes, widest first.
    pub(super) scopes: Vec<Id>,
    /// What shows that a management group lies above.
    pub(super) ways: BTreeMap<Id, Arc<[Cite]>>,
    /// Rank of the scope and place of the source.
    pub(super) sources: Vec<(usize, usize)>,
}

/// A vault.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) is_rbac: bool,
    /// Why nothing about its data is settled: it trusts another tenant.
    pub(super) wrong_tenant: Option<Arc<Open>>,
    pub(super) from: Cite,
    pub(super) chain: Arc<Chain>,
    /// Its access policies, in force or dormant.
    pub(super) policies: Vec<Source>,
    /// Access policies that name nobody who signs in.
    pub(super) dead: Vec<Source>,
    /// Objects that lists show, in order of id.
    pub(super) objects: Vec<Id>,
    /// Deny assignments that may touch it.
    pub(super) near: Near,
    /// What was not read at the subscription and above it.
    pub(super) gaps: Arc<[Gap]>,
}

/// A role assignment that is held: its place in the tenant's list, and the records that it rests on.
type Assigned = (usize, Arc<[Cite]>);

/// What was not read for the vaults of a subscription: deny assignments, and all gaps.
type Holes = (Option<Arc<Open>>, Arc<[Gap]>);

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    pub(super) principals: Principals,
    pub(super) sources: Vec<Source>,
    pub(super) by_scope: BTreeMap<Id, Vec<usize>>,
    pub(super) sites: BTreeMap<Id, Site>,
    pub(super) denies: Denies,
    pub(super) giving: Giving,
    /// Places of role assignments by their holder.
    pub(super) held: BTreeMap<Arc<str>, Vec<Assigned>>,
}

impl Index {
    pub(super) fn of(tenant: &Tenant) -> Index {
        let mut rules = Rules::default();
        let principals = Principals::of(tenant);
        let sources = super::sources::of(tenant, &principals, &mut rules);
        let denies = Denies::of(tenant, &principals, &mut rules);
        let mut by_scope: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
        let mut held: BTreeMap<Arc<str>, Vec<Assigned>> = BTreeMap::new();
        for (index, source) in sources.iter().enumerate() {
            by_scope.entry(source.scope.clone()).or_default().push(index);
            if let Some(place) = source.place {
                held.entry(source.holder.id.clone()).or_default().push((place, source.base.clone()));
            }
        }
        let giving = Giving::of(tenant);
        let mut index = Index { principals, sources, by_scope, denies, held, giving, ..Index::default() };
        index.sites = index.sites_of(tenant);
        index
    }

    fn sites_of(&self, tenant: &Tenant) -> BTreeMap<Id, Site> {
        let mut chains: BTreeMap<String, Arc<Chain>> = BTreeMap::new();
        let mut unread: BTreeMap<Option<String>, Holes> = BTreeMap::new();
        let site = |vault: &Vault| {
            let parent = vault.id.key().rsplit_once('/').map_or("", |(parent, _)| parent);
            let chain = match chains.get(parent) {
                Some(chain) => chain.clone(),
                None => {
                    let chain = Arc::new(self.chain(tenant, &vault.id, parent));
                    chains.insert(parent.to_owned(), chain.clone());
                    chain
                }
            };
            let subscription = vault.id.subscription().map(str::to_owned);
            let (unread_denies, gaps) = unread.entry(subscription).or_insert_with(|| {
                let denies = denies::unread(tenant, &vault.id).map(Arc::new);
                (denies, super::gaps::of_subscription(tenant, &vault.id).into())
            });
            let (policies, dead) = super::policies::of(tenant, &self.principals, vault);
            let objects = objects_of(tenant, &vault.id).map(|object| object.id.clone()).collect();
            let site = Site {
                id: vault.id.clone(),
                name: vault.name.clone(),
                is_rbac: vault.is_rbac(),
                wrong_tenant: super::policies::wrong_tenant(tenant, vault).map(Arc::new),
                from: vault.from.clone(),
                chain,
                policies,
                dead,
                objects,
                near: self.denies.near(tenant, &vault.id, unread_denies.clone()),
                gaps: gaps.clone(),
            };
            (vault.id.clone(), site)
        };
        tenant.vaults.iter().map(site).collect()
    }

    /// The scopes above the vaults in `parent`, a resource group with the provider behind it.
    fn chain(&self, tenant: &Tenant, vault: &Id, parent: &str) -> Chain {
        let scopes = tenant.hierarchy.scopes_of(&Id::new(parent));
        let mut ways = BTreeMap::new();
        let groups = tenant.hierarchy.above(vault);
        let mut below = vault.subscription().map(|guid| Id::new(format!("/subscriptions/{guid}")));
        let mut way: Vec<Cite> = Vec::new();
        for group in &groups {
            let step = below.as_ref().and_then(|below| tenant.hierarchy.parents.get(below));
            way.extend(step.map(|(_, from)| from.clone()));
            ways.insert(group.clone(), way.clone().into());
            below = Some(group.clone());
        }
        let sources = scopes.iter().enumerate().flat_map(|(rank, scope)| {
            let at = self.by_scope.get(scope).into_iter().flatten();
            at.map(move |source| (rank, *source))
        });
        let sources = sources.collect();
        Chain { scopes, ways, sources }
    }

    /// Scopes inside the vault at which something is given. Keys that begin with the vault's stand together; those of
    /// `kv10` are among them and drop out again.
    pub(super) fn inside<'a>(&'a self, vault: &'a Id) -> impl Iterator<Item = (&'a Id, &'a Vec<usize>)> {
        let further = self.by_scope.range::<Id, _>(vault..);
        let further = further.take_while(|(scope, _)| scope.key().starts_with(vault.key()));
        further.filter(move |(scope, _)| *scope != vault && vault.is_at_or_above(scope))
    }
}

/// What lists show of one vault; objects stand in order of id.
fn objects_of<'a>(tenant: &'a Tenant, vault: &'a Id) -> impl Iterator<Item = &'a VaultObject> {
    let objects = &tenant.contents.objects;
    let start = objects.partition_point(|object| object.id < *vault);
    let rest = objects.get(start..).unwrap_or_default();
    let near = rest.iter().take_while(|object| object.id.key().starts_with(vault.key()));
    near.filter(|object| vault.is_at_or_above(&object.id))
}
