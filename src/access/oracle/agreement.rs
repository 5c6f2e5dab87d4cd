//! The engine against the rules, and each tenant against the same one with more, with less, or in another case.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

use super::answers::id;
use super::random::{PEOPLE, settled, worlds, worlds_with_one_more};
use super::rules::{Outcome, Rules, fits, is_data};
use super::world::{self, Read, World};
use crate::access::{Access, Answer, Capability, Gap, Path, Unread};
use crate::evidence::Capture;
use crate::model::{self, Id, Tenant, Vault};

/// A question: who, on what, which capability.
type Case = (&'static str, String, Capability);

/// What the engine says of one capture.
pub(super) struct Product {
    access: Access,
    tenant: Tenant,
    gaps: RefCell<BTreeMap<Id, Rc<[Gap]>>>,
}

impl Product {
    pub fn of(capture: &Capture) -> Product {
        let tenant = model::read(capture).expect("a tenant");
        Product { access: Access::of(&tenant), tenant, gaps: RefCell::default() }
    }

    /// The answer as a reader must take it: whoever may be behind a holder whose members were not read may have what
    /// that holder holds itself. A list that the holder is in was read whole, and would name them.
    pub fn says(&self, person: &str, object: &Id, capability: Capability) -> Outcome {
        let own = self.access.answer(person, object, capability).answer;
        let gaps = self.gaps(object);
        let holders = gaps.iter().filter(|gap| gap.about == Unread::Members && !gap.name.eq_ignore_ascii_case(person));
        let paths = holders.flat_map(|gap| self.access.answer(&gap.name, object, capability).paths);
        // a grant on the whole vault lists what is given inside of it, too
        let reaches = |path: &Arc<Path>| path.scope == *object || !object.is_at_or_above(&path.scope);
        let held = paths.filter(|path| path.through.is_empty() && reaches(path));
        let held = held.map(|path| path.answer.and(Answer::NotDetermined));
        Answer::over_paths(held.chain(own))
    }

    /// Whether lists that could hold more were not read. A policy's answers depend on no list of roles, but on who can
    /// become a member of a group that it names.
    pub fn has_gap(&self, object: &Id, capability: Capability) -> bool {
        let more = [Unread::Scope, Unread::ManagementGroups, Unread::Eligibility, Unread::Delegation, Unread::Classic];
        let vault = self.vault(object);
        let is_by_roles = !is_data(capability) || vault.is_rbac();
        let is_of_group = |gap: &Gap| gap.about == Unread::Eligibility && !gap.name.starts_with('/');
        let gaps = self.gaps(object);
        gaps.iter().any(|gap| if is_by_roles { more.contains(&gap.about) } else { is_of_group(gap) })
    }

    fn vault(&self, object: &Id) -> &Vault {
        self.tenant.vaults.iter().find(|vault| vault.id.is_at_or_above(object)).expect("a vault")
    }

    fn gaps(&self, object: &Id) -> Rc<[Gap]> {
        let vault = self.vault(object).id.clone();
        let mut kept = self.gaps.borrow_mut();
        kept.entry(vault.clone()).or_insert_with(|| self.access.gaps(&vault).into()).clone()
    }
}

/// Every question about a tenant that makes sense.
fn questions(world: &World) -> Vec<Case> {
    let mut all = Vec::new();
    for object in world.objects() {
        for capability in Capability::ALL.iter().filter(|capability| fits(**capability, &object)) {
            all.extend(PEOPLE.iter().map(|person| (*person, object.clone(), *capability)));
        }
    }
    all
}

/// Every answer of the engine about one capture, with whether a list that could hold more is missing.
fn answers(world: &World, capture: &Capture) -> BTreeMap<Case, (Outcome, bool)> {
    let product = Product::of(capture);
    let said = questions(world).into_iter().map(|case| {
        let object = id(world, &case.1);
        let said = (product.says(case.0, &object, case.2), product.has_gap(&object, case.2));
        (case, said)
    });
    said.collect()
}

/// Runs `test` over `worlds` and fails with the smallest world that breaks it.
fn each<S: Strategy>(cases: u32, worlds: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let outcome = TestRunner::new(settled(cases)).run(worlds, test);
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn engine_and_rules_agree_on_every_principal_object_and_capability() {
    let (cases, gaps) = (Cell::new(0_u32), Cell::new(0_u32));
    let by_answer: RefCell<BTreeMap<String, u32>> = RefCell::default();
    each(300, &worlds(2), |world| {
        let rules = Rules::over(&world);
        for ((person, object, capability), said) in answers(&world, &world.capture()) {
            let expected = (rules.answer(person, &object, capability), rules.has_gap(&object, capability));
            prop_assert_eq!(said.0, expected.0, "{} {:?} {}", person, capability, object);
            // who can become a member of a group is asked of the group, which the rules leave to the cases
            let may_have_more = world.unread.iter().any(|unread| unread.kind == "group_eligibilities");
            let agrees = said.1 == expected.1 || said.1 && may_have_more;
            prop_assert!(agrees, "{} {:?} {}: gap {}", person, capability, object, said.1);
            cases.set(cases.get() + 1);
            gaps.set(gaps.get() + u32::from(expected.1));
            *by_answer.borrow_mut().entry(format!("{:?}", expected.0)).or_default() += 1;
        }
        Ok(())
    });
    let by_answer = by_answer.into_inner();
    assert!(cases.get() >= 100_000, "{}", cases.get());
    assert!(gaps.get() >= 5_000, "{}", gaps.get());
    assert!(by_answer.len() == 6 && by_answer.values().all(|count| *count >= 500), "{by_answer:?}");
}

/// Better answers stand further back.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        None => 0,
        Some(Answer::Denied) => 1,
        Some(Answer::NotDetermined) => 2,
        Some(Answer::Conditional) => 3,
        Some(Answer::Eligible) => 4,
        Some(Answer::Allowed) => 5,
    }
}

#[test]
fn one_more_assignment_never_takes_access_away() {
    each(60, &worlds_with_one_more(2), |(mut world, one_more)| {
        let one_more = world::Assignment { told: None, ..one_more };
        // a list that breaks off half way would break off elsewhere
        world.unread.retain(|unread| unread.how != Read::Cut);
        let before = answers(&world, &world.capture());
        world.assignments.push(one_more);
        let after = answers(&world, &world.capture());
        for (case, (before, _)) in before {
            let after = after.get(&case).and_then(|(after, _)| *after);
            prop_assert!(rank(after) >= rank(before), "{:?}: {:?}, then {:?}", case, before, after);
        }
        Ok(())
    });
}

#[test]
fn evidence_taken_away_settles_nothing() {
    each(60, &(worlds(1), any::<Index>()), |(mut world, which)| {
        let before = answers(&world, &world.capture());
        let (kind, at) = which.get(&world.removable()).clone();
        world.unread.retain(|unread| !(unread.kind == kind && unread.at == at));
        world.unread.push(world::Unread { kind: kind.clone(), at: at.clone(), how: Read::Refused });
        let capture = world.capture();
        let after = answers(&world, &capture);
        let product = Product::of(&capture);
        for (case, (before, had_gap)) in before {
            let (after, has_gap) = after.get(&case).copied().expect("the same questions");
            // what is not known to be a group is named as that, and no longer as a group whose list is missing
            let names_any = !product.gaps(&id(&world, &case.1)).is_empty();
            prop_assert!(has_gap || names_any || !had_gap, "{:?} without {} {}: the gap is gone", case, kind, at);
            // what was settled stays as it was, or is open: by its answer, or by a gap; both of two words for no are no
            let is_no = |outcome: Outcome| matches!(outcome, None | Some(Answer::Denied));
            let is_open = has_gap || after == Some(Answer::NotDetermined);
            let is_fine = after == before || is_open || is_no(before) && is_no(after);
            prop_assert!(is_fine, "{:?} without {} {}: {:?}, then {:?}", case, kind, at, before, after);
        }
        Ok(())
    });
}

#[test]
fn the_case_of_ids_changes_nothing() {
    each(60, &(worlds(2), any::<u64>()), |(world, upper)| {
        prop_assert_eq!(answers(&world, &world.capture()), answers(&world, &world.capture_in_case(upper)));
        Ok(())
    });
}
