//! One vault walked through: every source at, above and inside it, held against conditions and denies.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::condition::{Asked, Truth};
use super::denies::Use;
use super::giving::ASSIGN;
use super::index::{Gives, Index, Site, Source};
use super::principals::{Reached, Who};
use super::role::Given;
use super::{Answer, Capability, Grant, Open, Path, Rule};
use crate::evidence::Reason;
use crate::model::Id;

/// What is wanted of a vault.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Want<'a> {
    /// One principal, or everyone.
    pub(super) who: Option<Who>,
    /// One capability, or all.
    pub(super) capability: Option<Capability>,
    /// One object and nothing else, or the vault with whatever differs in it.
    pub(super) object: Option<&'a Id>,
    /// What access is granted for; none for anything. Decides what a delegation that is limited to some roles is worth.
    pub(super) toward: Option<Capability>,
}

/// A path found, with where it leads. Sorting it puts grants together, and their paths in order.
struct Found {
    capability: Capability,
    who: Who,
    /// Place among the objects; the vault is the first.
    object: usize,
    rank: usize,
    /// Whether it is given from at or above the vault.
    is_inherited: bool,
    path: Arc<Path>,
}

/// A walk through one vault.
pub(super) struct Walk<'a> {
    index: &'a Index,
    site: &'a Site,
    want: Want<'a>,
    objects: Vec<Id>,
    found: Vec<Found>,
}

impl<'a> Walk<'a> {
    /// Grants on the vault and on what differs in it, by capability, principal and object.
    pub(super) fn grants(index: &'a Index, site: &'a Site, want: Want<'a>) -> Vec<Grant> {
        let mut walk = Walk { index, site, want, objects: vec![site.id.clone()], found: Vec::new() };
        let differing = match want.object {
            Some(object) if *object != site.id => {
                walk.only(&object.clone());
                BTreeSet::new()
            }
            _ => walk.whole(),
        };
        walk.into_grants(&differing)
    }

    /// Everything about the vault, and about objects apart where it may differ; gives those.
    fn whole(&mut self) -> BTreeSet<usize> {
        let is_named = self.above(0, &self.site.id);
        let mut apart = self.site.near.objects(self.site);
        if is_named {
            apart.extend(self.site.objects.iter().cloned());
        }
        let mut differing = BTreeSet::new();
        for object in &apart {
            let place = self.place(object);
            self.above(place, object);
            differing.insert(place);
        }
        let index = self.index;
        for (scope, sources) in index.inside(&self.site.id) {
            let place = self.place(scope);
            self.inside(place, scope, sources);
        }
        differing
    }

    /// One object: what is given at the vault and above, and at the object itself.
    fn only(&mut self, object: &Id) {
        let place = self.place(object);
        self.above(place, object);
        let (index, vault) = (self.index, &self.site.id);
        let secret = is_certificate(vault, object).then(|| twin(vault, object));
        for (scope, sources) in index.inside(vault) {
            if scope.is_at_or_above(object) || secret.as_ref().is_some_and(|secret| scope.is_at_or_above(secret)) {
                self.inside(place, object, sources);
            }
        }
    }

    fn place(&mut self, object: &Id) -> usize {
        match self.objects.iter().position(|known| known == object) {
            Some(place) => place,
            None => {
                self.objects.push(object.clone());
                self.objects.len() - 1
            }
        }
    }

    /// Sources at the vault and above it. Tells whether a condition asks for the name of what is read.
    fn above(&mut self, place: usize, object: &Id) -> bool {
        let (index, site) = (self.index, self.site);
        let mut is_named = false;
        for (rank, source) in &site.chain.sources {
            if let Some(source) = index.sources.get(*source) {
                is_named |= self.source(source, *rank, place, object, true);
            }
        }
        let rank = site.chain.scopes.len();
        for source in index.by_scope.get(&site.id).into_iter().flatten().filter_map(|source| index.sources.get(*source))
        {
            is_named |= self.source(source, rank, place, object, true);
        }
        if !site.is_rbac {
            for policy in &site.policies {
                is_named |= self.source(policy, usize::MAX, place, object, true);
            }
        }
        is_named
    }

    fn inside(&mut self, place: usize, object: &Id, sources: &[usize]) {
        let (index, site) = (self.index, self.site);
        let rank = site.chain.scopes.len() + 1;
        for source in sources.iter().filter_map(|source| index.sources.get(*source)) {
            self.source(source, rank, place, object, false);
        }
    }

    fn source(&mut self, source: &Source, rank: usize, place: usize, object: &Id, is_inherited: bool) -> bool {
        let (first, reached) = match self.want.who {
            None => (0, source.holder.reached.as_slice()),
            Some(who) => source.holder.reaching(who),
        };
        if reached.is_empty() {
            return false;
        }
        let is_vault = *object == self.site.id;
        let mut is_named = false;
        // Who may write vaults, but only inside one, can write neither it nor its policies.
        let is_rbac = self.site.is_rbac || !is_inherited;
        for capability in Capability::ALL.iter().copied() {
            let is_wanted = self.want.capability.is_none_or(|wanted| wanted == capability);
            if !is_wanted || !is_vault && !capability.applies_below(&self.site.id, object) {
                continue;
            }
            let given = match &source.gives {
                Gives::Policy(given) if given.contains(&capability) => None,
                Gives::Policy(_) => continue,
                // data roles have no effect on a vault in access-policy mode
                Gives::Role(_) if capability.is_data() && !self.site.is_rbac => continue,
                Gives::Role(role) => match role.gives(is_rbac).iter().find(|(of, _)| *of == capability) {
                    Some((_, given)) => Some(given.as_slice()),
                    None => continue,
                },
            };
            is_named |= given.is_some_and(|given| names_objects(source, given));
            let is_open = self.may_be_narrowed(source, capability, given);
            for (behind, reached) in reached.iter().enumerate() {
                let Some(plain) = source.plain(first + behind) else { continue };
                let path = match is_open {
                    true => self.judge(source, capability, given, object, reached, plain),
                    false => plain.clone(),
                };
                self.found.push(Found { capability, who: reached.who, object: place, rank, is_inherited, path });
            }
        }
        is_named
    }

    /// Whether anything here may make less of what the source gives. Nearly always nothing does, whoever is behind it.
    fn may_be_narrowed(&self, source: &Source, capability: Capability, given: Option<&[Given]>) -> bool {
        let is_plain = |given: &Given| given.under.is_empty() && !given.is_wide;
        let by_role =
            |given: &[Given]| source.rule.is_some() || !self.site.near.is_empty() || !given.iter().any(is_plain);
        given.is_some_and(by_role)
            || self.site.wrong_tenant.is_some()
            || source.limited.is_some()
            || capability == Capability::ReadPrivateKey && is_certificate(&self.site.id, &source.scope)
    }

    /// The path with whatever narrows it here.
    fn judge(
        &self,
        source: &Source,
        capability: Capability,
        given: Option<&[Given]>,
        object: &Id,
        reached: &Reached,
        plain: &Arc<Path>,
    ) -> Arc<Path> {
        let wrong = self.site.wrong_tenant.as_ref().filter(|_| capability.is_data());
        let mut narrowed = (Answer::Allowed, None);
        let mut is_wide = false;
        if let Some(wrong) = wrong {
            narrowed = (Answer::NotDetermined, Some(wrong.clone()));
        }
        if let Some(limited) = source.limited.as_ref().filter(|_| capability == Capability::GrantAccess) {
            narrowed = worse(narrowed, (Answer::Conditional, Some(limited.clone())));
        }
        if let Some(given) = given {
            let best =
                given.iter().map(|given| (self.action(source, given, capability, object, reached), given.is_wide));
            // the same answer without a wide reading is the better one
            if let Some((answer, wide)) = best.min_by_key(|((answer, _), wide)| (*answer, *wide)) {
                narrowed = worse(narrowed, answer);
                is_wide = wide;
            }
        }
        if capability == Capability::ReadPrivateKey && is_certificate(&self.site.id, &source.scope) {
            let detail =
                "whether a role on a certificate reaches the secret with its name is not documented".to_owned();
            let open = Open { reason: Reason::ValueUnknown, detail, from: source.base.first().cloned() };
            narrowed = worse(narrowed, (Answer::NotDetermined, Some(Arc::new(open))));
        }
        if narrowed.0 <= plain.answer && !is_wide {
            return plain.clone();
        }
        let mut path = Path::clone(plain);
        if narrowed.0 > path.answer {
            (path.answer, path.open) = narrowed;
        }
        path.is_wide = is_wide;
        Arc::new(path)
    }

    /// What conditions and denies make of one action.
    fn action(
        &self,
        source: &Source,
        given: &Given,
        capability: Capability,
        object: &Id,
        reached: &Reached,
    ) -> (Answer, Option<Arc<Open>>) {
        if source.rule.is_none() && given.under.is_empty() && self.site.near.is_empty() {
            return (Answer::Allowed, None);
        }
        let resource = resource(&self.site.id, object, capability, given.action);
        let asked = Asked::of(given.action, &self.site.name, &self.site.id, &resource);
        let conditions = [source.rule.iter().collect::<Vec<_>>(), given.under.iter().collect()];
        let mut answer = (Answer::Allowed, None);
        for any_of in conditions.iter().filter(|any_of| !any_of.is_empty()) {
            let holds = |rule: &&Arc<Rule>| match given.action {
                ASSIGN => self.may_grant(rule, &asked, reached.who),
                _ => rule.holds(&asked),
            };
            let truths: Vec<Truth> = any_of.iter().map(holds).collect();
            let (of, words) = match truths.as_slice() {
                truths if truths.contains(&Truth::True) => continue,
                truths if truths.contains(&Truth::Unknown) => (Answer::Conditional, "it holds only when"),
                _ => (Answer::Denied, "its condition cannot hold here"),
            };
            let texts: Vec<String> = any_of.iter().map(|rule| rule.words()).collect();
            let detail = format!("{words}: {}", texts.join(" or "));
            let from = source.base.first().cloned();
            let open = Open { reason: Reason::ConditionNotEvaluated, detail, from };
            answer = worse(answer, (of, Some(Arc::new(open))));
        }
        let used = Use { who: reached.who, is_data: capability.is_data(), object: &resource, asked };
        worse(answer, self.site.near.judge(self.site, &used))
    }

    /// Whether the holder of a delegation may give itself a role that is of use on the vault.
    fn may_grant(&self, rule: &Rule, asked: &Asked<'_>, who: Who) -> Truth {
        let giving = &self.index.giving;
        let useful = if self.site.is_rbac { giving.on_rbac(self.want.toward) } else { &giving.policies };
        let (id, principal_type) = (self.index.principals.id(who), self.index.principals.type_of(who));
        useful.may_be_granted(giving, rule, asked, (&id, principal_type))
    }

    /// One grant for the vault and one for each object in it that is not covered by that. Where the whole vault is
    /// granted for certain, what is given at an object is a further path of that grant.
    fn into_grants(mut self, differing: &BTreeSet<usize>) -> Vec<Grant> {
        let key = |found: &Found| (found.capability, found.who);
        self.found.sort_by(|a, b| {
            let of = |found: &Found| (found.capability, found.who, found.object, found.rank);
            of(a).cmp(&of(b)).then_with(|| a.path.scope.cmp(&b.path.scope))
        });
        let mut grants = Vec::new();
        for group in self.found.chunk_by(|a, b| key(a) == key(b)) {
            let Some(first) = group.first() else { continue };
            let at_vault = group.partition_point(|found| found.object == 0);
            let (vault, objects) = group.split_at(at_vault);
            let answer = Answer::over_paths(vault.iter().map(|found| found.path.answer));
            let principal_id = self.index.principals.id(first.who);
            let grant = |object: &Id, answer: Answer, paths: Vec<Arc<Path>>| {
                let (principal_id, object) = (principal_id.clone(), object.clone());
                Grant { principal_id, object, capability: first.capability, answer, paths }
            };
            if let (Some(answer), []) = (answer, objects) {
                // nearly always there is nothing but the vault, and its paths are in order
                grants.push(grant(&self.site.id, answer, vault.iter().map(|found| found.path.clone()).collect()));
                continue;
            }
            let mut vault_paths: Vec<(usize, &Found)> = vault.iter().map(|found| (found.rank, found)).collect();
            let mut apart: Vec<(&Id, Answer, Vec<Arc<Path>>)> = Vec::new();
            for of_object in objects.chunk_by(|a, b| a.object == b.object) {
                let place = of_object.first().map(|found| found.object).unwrap_or_default();
                let Some(object) = self.objects.get(place) else { continue };
                let is_apart = differing.contains(&place) || self.want.object.is_some();
                let own = of_object.iter().filter(|found| !found.is_inherited).count();
                let inherited = vault.iter().filter(|_| !is_apart);
                let mut paths: Vec<&Found> = inherited.chain(of_object).collect();
                paths.sort_by_key(|found| found.rank);
                let here = Answer::over_paths(paths.iter().map(|found| found.path.answer));
                if own == 0 && here == answer && self.want.object.is_none() {
                    continue; // the vault's grant stands for it
                }
                if own > 0 && here == Some(Answer::Allowed) && answer == here {
                    vault_paths
                        .extend(of_object.iter().filter(|found| !found.is_inherited).map(|found| (found.rank, found)));
                    continue;
                }
                let Some(here) = here else { continue };
                apart.push((object, here, paths.into_iter().map(|found| found.path.clone()).collect()));
            }
            if let Some(answer) = answer {
                vault_paths.sort_by(|(a, one), (b, other)| (a, &one.path.scope).cmp(&(b, &other.path.scope)));
                let paths = vault_paths.into_iter().map(|(_, found)| found.path.clone()).collect();
                grants.push(grant(&self.site.id, answer, paths));
            }
            apart.sort_by_key(|(object, ..)| *object);
            grants.extend(apart.into_iter().map(|(object, answer, paths)| grant(object, answer, paths)));
        }
        grants
    }
}

/// What an action is asked of. The private key of a certificate is read as the secret with its name; the vault and its
/// policies are written at the vault, and so is access to an object in it granted.
fn resource(vault: &Id, object: &Id, capability: Capability, action: &str) -> Id {
    match capability {
        Capability::ReadPrivateKey if is_certificate(vault, object) => twin(vault, object),
        Capability::GrantAccess | Capability::ManageVault if action.starts_with("Microsoft.KeyVault/vaults/") => {
            vault.clone()
        }
        _ => object.clone(),
    }
}

fn is_certificate(vault: &Id, object: &Id) -> bool {
    let below = object.key().strip_prefix(vault.key()).unwrap_or_default();
    below.starts_with("/certificates/")
}

/// The secret with the name of a certificate.
fn twin(vault: &Id, certificate: &Id) -> Id {
    let below = certificate.shown().get(vault.key().len() + "/certificates".len()..).unwrap_or_default();
    Id::new(format!("{}/secrets{below}", vault.shown().trim_end_matches('/')))
}

/// Whether a condition asks for the name of what is read, so that objects may differ.
fn names_objects(source: &Source, given: &[Given]) -> bool {
    let mut rules = source.rule.iter().chain(given.iter().flat_map(|given| &given.under));
    rules.any(|rule| rule.names_objects())
}

type Judged = (Answer, Option<Arc<Open>>);

/// The first of the two, unless the second is worse.
fn worse(one: Judged, other: Judged) -> Judged {
    if other.0 > one.0 { other } else { one }
}
