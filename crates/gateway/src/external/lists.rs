use super::Barred;
use crate::{Domain, durable::replace};
use std::{collections::BTreeSet, path::PathBuf};
use terms::{ExternalId, OperatorId, Stage};
use vault::KeyList;

/// The lists of one submission, as they are kept: sealed, and for as long as there are lists to hold
/// against them, so that dropping a dataset forgets none.
///
/// Shape: 16 bytes an identifier, keyed for the domain's gate alone: they join no data.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Lists {
    pub operator: OperatorId,
    pub lists: Vec<KeyList>,
}

/// What they are sealed for, with the id.
const CONTEXT: &str = "external-lists";

// === impl Lists ===

impl Lists {
    pub(super) fn keep(&self, domain: &Domain, id: &ExternalId) -> Result<(), Barred> {
        let bytes = serde_json::to_vec(self).map_err(|why| unkept(&why))?;
        let sealed = domain.keyring.seal(&context(id), &bytes);
        let sealed = sealed.map_err(|why| unkept(&why))?;
        replace(&place(domain, id), &sealed).map_err(|why| unkept(&why))
    }

    pub(super) fn kept(domain: &Domain, id: &ExternalId) -> Result<Self, Barred> {
        let sealed = std::fs::read(place(domain, id)).map_err(|why| unkept(&why))?;
        let bytes = domain.keyring.unseal(&context(id), &sealed);
        let bytes = bytes.map_err(|why| unkept(&why))?;
        serde_json::from_slice(&bytes).map_err(|why| unkept(&why))
    }
}

/// The lists of an operator that may be joined, or still may come to be: those in quarantine and all that
/// ever came in. One that cannot be read stops everything.
pub(super) fn of_operator(
    domain: &Domain,
    operator: &OperatorId,
    but: Option<&ExternalId>,
) -> Result<Vec<Lists>, Barred> {
    let ids: Vec<ExternalId> = {
        let stands = domain.live.read();
        let counts = |stage| matches!(stage, Stage::Applied | Stage::Granted);
        let of = stands.state.externals().filter(|standing| {
            let external = &standing.external;
            counts(standing.stage)
                && external.dataset.provider == operator.as_str()
                && Some(&external.id) != but
        });
        of.map(|standing| standing.external.id.clone()).collect()
    };
    ids.iter().map(|id| Lists::kept(domain, id)).collect()
}

/// Whether a list has between one and k − 1 identifiers more or less than one of the others, or more than
/// all of the others together: each of these would set so few apart. What is the same, or differs by k on
/// each side that differs, does not. All are ascending.
pub(super) fn near(list: &[u128], others: &[&[u128]], k: u32) -> bool {
    let k = usize::try_from(k).unwrap_or(usize::MAX);
    let few = |count: usize| (1..k).contains(&count);
    let pair = |other: &&[u128]| few(without(list, other)) || few(without(other, list));
    if others.is_empty() {
        return false;
    }
    let all: BTreeSet<u128> = others
        .iter()
        .flat_map(|other| other.iter().copied())
        .collect();
    let new = list.iter().filter(|token| !all.contains(token)).count();
    few(new) || others.iter().any(pair)
}

/// How many of an ascending list are not in another.
fn without(list: &[u128], other: &[u128]) -> usize {
    let absent = |token: &&u128| other.binary_search(token).is_err();
    list.iter().filter(absent).count()
}

pub(super) fn place(domain: &Domain, id: &ExternalId) -> PathBuf {
    domain.store.quarantine_dir().join(format!("{id}.lists"))
}

fn context(id: &ExternalId) -> String {
    format!("{CONTEXT}/{id}")
}

pub(super) fn unkept(why: &dyn std::fmt::Display) -> Barred {
    Barred::Unkept(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: std::ops::Range<u128>, others: &[std::ops::Range<u128>], expect: bool) {
        let list: Vec<u128> = list.collect();
        let others: Vec<Vec<u128>> = others.iter().map(|o| o.clone().collect()).collect();
        let others: Vec<&[u128]> = others.iter().map(Vec::as_slice).collect();
        assert_eq!(near(&list, &others, 10), expect, "{list:?} {others:?}");
    }

    #[test]
    fn lists_are_the_same_or_differ_by_k_on_each_side() {
        check(0..50, &[], false);
        check(0..50, std::slice::from_ref(&(0..50)), false);
        check(0..51, std::slice::from_ref(&(0..50)), true);
        check(0..49, std::slice::from_ref(&(0..50)), true);
        check(0..59, std::slice::from_ref(&(0..50)), true);
        check(0..60, std::slice::from_ref(&(0..50)), false);
        // As many are gone as k, and one is new.
        check(20..51, std::slice::from_ref(&(0..50)), true);
        check(20..60, std::slice::from_ref(&(0..50)), false);
        check(100..150, std::slice::from_ref(&(0..50)), false);
    }

    #[test]
    fn a_list_is_held_against_all_others_together() {
        // Far from each, and one more than both.
        check(0..101, &[0..50, 50..100], true);
        check(0..100, &[0..50, 50..100], false);
    }
}
