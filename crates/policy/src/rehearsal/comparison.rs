use super::{
    Change,
    change::{is_raw, is_shown},
};
use crate::{
    Decision, Engine, Refusal,
    asking::{Asking, Entering, Granted},
    bundle::Unusable,
    item::{By, Class, Classes},
    permit::{PermittedDataset, PermittedItem},
};
use chrono::{DateTime, Utc};
use register::State;
use std::collections::BTreeMap;
use terms::{
    Action, Channel, Dataset, DatasetName, ItemName, Person, PersonId, ProductId, Reference,
    ScenarioDataset, ScenarioId,
};

/// The change of masks has no policy; this names where it is.
const MASK_TABLE: &str = "mask-table";
/// The rules of disclosure, likewise.
const DISCLOSURE: &str = "disclosure.toml";

/// Who asked, for what, by which listener.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub person: PersonId,
    pub scenario: Option<ScenarioId>,
    pub product: Option<ProductId>,
    pub channel: Channel,
}

/// One request decided by both policies.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// `allowed` or the code, by the present policies.
    pub entry: String,
    /// What differs, with the policies that make the difference.
    pub changes: Vec<(Change, Vec<String>)>,
    /// How the present policies show each item, and whether its raw values may be aggregated.
    shown: BTreeMap<(DatasetName, ItemName), (String, bool)>,
}

/// The policies that make a difference: those that forbid anew or permit anew, else those that are gone.
pub(super) fn deciding(present: &Decision, proposed: &Decision) -> Vec<String> {
    let (opening, closing) = if proposed.allowed {
        (present, proposed)
    } else {
        (proposed, present)
    };
    // Who is refused by nobody in particular is refused for want of the other side's permits.
    let deciding = if opening.policies.is_empty() {
        closing
    } else {
        opening
    };
    deciding.policies.clone()
}

/// Both policies over one state at one time.
pub(super) struct Comparing<'a> {
    present: Asking<'a>,
    proposed: Asking<'a>,
    state: &'a State,
    request: &'a Request,
    person: &'a Person,
}

impl<'a> Comparing<'a> {
    /// Nothing to compare where the person is not on record.
    pub(super) fn new(
        (present, proposed): (&'a Engine, &'a Engine),
        (state, now): (&'a State, DateTime<Utc>),
        request: &'a Request,
    ) -> Result<Option<Self>, Refusal> {
        let Some(person) = state.person(&request.person) else {
            return Ok(None);
        };
        // An export owes all that a query owes, and what only an export does.
        Ok(Some(Self {
            present: present.asking(state, (Action::Export, now))?,
            proposed: proposed.asking(state, (Action::Export, now))?,
            state,
            request,
            person,
        }))
    }

    /// All that either policies look at, so that equal requests are compared once.
    pub(super) fn content(&self) -> Vec<u8> {
        let entering = self.entering();
        let entry = entering.and_then(|entering| self.present.entry(&entering));
        let standing = entering.map(|e| (&e.standing.scenario, &e.licence.licence));
        let wanted = standing.iter().flat_map(|(scenario, _)| &scenario.datasets);
        let datasets: Vec<_> = wanted
            .map(|wanted| {
                let sealed = self.state.seals().holds_dataset(&wanted.name);
                (self.state.dataset(&wanted.name), sealed)
            })
            .collect();
        let caps = (self.state.obligations(), self.state.thresholds());
        let channel = self.request.channel.word();
        let context = entry.map(|asked| asked.context);
        let all = (self.person, channel, standing, context, datasets, caps);
        // What stands was read from JSON, so it can be written as JSON.
        serde_json::to_vec(&all).unwrap_or_default()
    }

    pub(super) fn compare(&self) -> Result<Comparison, Refusal> {
        let scenario = self.request.scenario.as_ref();
        let product = self.request.product.as_ref();
        let granted = |asking: &'_ Asking<'a>| -> Result<Result<Granted<'a>, Refusal>, Refusal> {
            match asking.granted(self.person, self.request.channel, (scenario, product)) {
                Err(Refusal::Unusable(why)) => Err(Refusal::Unusable(why)),
                judged => Ok(judged),
            }
        };
        let (present, proposed) = (granted(&self.present)?, granted(&self.proposed)?);
        let entry = |granted: &Result<Granted<'_>, Refusal>| match granted {
            Ok(_) => "allowed".to_owned(),
            Err(refusal) => refusal.code().to_owned(),
        };
        let mut comparison = Comparison {
            entry: entry(&present),
            ..Comparison::default()
        };
        if let Ok(present) = &present {
            comparison.shown = shown(present);
        }
        match (&present, &proposed) {
            (Ok(present), Ok(proposed)) => {
                comparison.changes = self.within(present, proposed)?;
            }
            (Err(one), Err(other)) if one.code() == other.code() => {}
            (Ok(_) | Err(_), Ok(_) | Err(_)) => {
                let change = Change::Entry {
                    from: entry(&present),
                    to: entry(&proposed),
                };
                comparison.changes.push((change, self.entry_policies()?));
            }
        }
        Ok(comparison)
    }

    fn entering(&self) -> Option<Entering<'a>> {
        let id = self.request.scenario.as_ref()?;
        let standing = self.state.scenario(id)?;
        let licence = self.state.licence(&standing.scenario.licence)?;
        Some(Entering {
            person: self.person,
            by: self.by(id),
            standing,
            licence,
            operator: self.state.operator(&licence.licence.operator)?,
        })
    }

    fn by(&self, scenario: &ScenarioId) -> By {
        let Request {
            channel, product, ..
        } = self.request;
        self.present.by(*channel, (scenario, product.as_ref()))
    }

    fn entry_policies(&self) -> Result<Vec<String>, Refusal> {
        let entering = self.entering();
        let decision = |asking: &Asking<'a>| {
            let asked = entering.and_then(|entering| asking.entry(&entering));
            let decision = asked.map(|asked| asking.bundle.decide(&asked));
            decision.transpose().map_err(unusable)
        };
        let (present, proposed) = (decision(&self.present)?, decision(&self.proposed)?);
        Ok(match (present, proposed) {
            (Some(present), Some(proposed)) => deciding(&present, &proposed),
            (Some(_) | None, Some(_) | None) => Vec::new(),
        })
    }

    /// What differs for somebody who enters either way.
    fn within(
        &self,
        present: &Granted<'_>,
        proposed: &Granted<'_>,
    ) -> Result<Vec<(Change, Vec<String>)>, Refusal> {
        let mut changes = Vec::new();
        let caps = |granted: &Granted<'_>| {
            let obligations = granted.obligations;
            let two = granted.owed.two_approvals;
            let (budget, noise) = (granted.budget, granted.noise);
            format!("{budget:?} {noise:?} {obligations:?} two approvals {two}")
        };
        if caps(present) != caps(proposed) {
            let (from, to) = (caps(present), caps(proposed));
            changes.push((Change::Caps { from, to }, vec![DISCLOSURE.to_owned()]));
        }
        let catalogued = |all: &'_ [PermittedDataset]| {
            let all = all.iter().filter(|dataset| dataset.kept.is_none());
            all.cloned().collect::<Vec<_>>()
        };
        let (all, then) = (
            catalogued(&present.datasets),
            catalogued(&proposed.datasets),
        );
        for (now, then) in all.iter().zip(&then) {
            changes.extend(owed(now, then));
            let wanted = present.scenario.datasets.iter();
            let wanted = wanted.clone().find(|wanted| wanted.name == now.name);
            let Some((wanted, dataset)) = wanted.zip(self.state.dataset(&now.name)) else {
                continue;
            };
            changes.extend(self.items((dataset, wanted), (present, now), then)?);
        }
        Ok(changes)
    }

    fn items(
        &self,
        (dataset, wanted): (&Dataset, &ScenarioDataset),
        (granted, now): (&Granted<'_>, &PermittedDataset),
        then: &PermittedDataset,
    ) -> Result<Vec<(Change, Vec<String>)>, Refusal> {
        let mut changes = Vec::new();
        for item in &dataset.items {
            let (now, then) = (now.item(&item.name), then.item(&item.name));
            let under = (granted.licence, self.state.seals());
            let class = Class::of(item, (dataset, wanted), under);
            let named = || (dataset.name.clone(), item.name.clone());
            let (from, to) = (way(now), way(then));
            if from != to {
                let policies = self.flipped(class, &["showPlain", "showMasked"])?;
                let policies = policies.unwrap_or_else(|| vec![MASK_TABLE.to_owned()]);
                let (dataset, item) = named();
                let change = Change::Shown {
                    dataset,
                    item,
                    from,
                    to,
                };
                changes.push((change, policies));
            }
            let owed =
                |item: Option<&PermittedItem>| item.map(|item| item.owed).unwrap_or_default();
            if owed(now) != owed(then) {
                let name = &item.name;
                let told = |item| format!("item `{name}`: {:?}", owed(item));
                let change = Change::Owed {
                    dataset: dataset.name.clone(),
                    from: told(now),
                    to: told(then),
                };
                changes.push((change, Vec::new()));
            }
            if now.is_some_and(|i| i.aggregate) != then.is_some_and(|i| i.aggregate) {
                let (dataset, item) = named();
                let allowed = then.is_some_and(|item| item.aggregate);
                let change = Change::Aggregated {
                    dataset,
                    item,
                    allowed,
                };
                let policies = self.flipped(class, &["aggregate"])?;
                changes.push((change, policies.unwrap_or_default()));
            }
            if now.is_some_and(|i| i.export) != then.is_some_and(|i| i.export) {
                let (dataset, item) = named();
                let allowed = then.is_some_and(|item| item.export);
                let change = Change::Exported {
                    dataset,
                    item,
                    allowed,
                };
                let policies = self.flipped(class, &["export", "showPlain", "showMasked"])?;
                changes.push((change, policies.unwrap_or_default()));
            }
        }
        Ok(changes)
    }

    /// The policies by which any of these actions flips for a class; none if none does.
    fn flipped(&self, class: Class, actions: &[&str]) -> Result<Option<Vec<String>>, Refusal> {
        let Some(scenario) = &self.request.scenario else {
            return Ok(None);
        };
        let by = self.by(scenario);
        let classes = |asking: &Asking<'a>| Classes::new(asking.bundle, self.person, by);
        let (present, proposed) = (classes(&self.present), classes(&self.proposed));
        let mut found: Option<Vec<String>> = None;
        for action in actions {
            let now = present.decision(action, class).map_err(unusable)?;
            let then = proposed.decision(action, class).map_err(unusable)?;
            if now.allowed != then.allowed {
                found.get_or_insert_default().extend(deciding(&now, &then));
            }
        }
        if let Some(found) = &mut found {
            found.sort();
            found.dedup();
        }
        Ok(found)
    }
}

impl Comparison {
    /// Whether the present policies grant what was granted, in the ways that stand on record.
    pub(super) fn is_as_decided(&self, references: &[Reference]) -> bool {
        let as_shown = |reference: &Reference| {
            let key = (reference.dataset.clone(), reference.item.clone());
            match self.shown.get(&key) {
                Some((way, _)) if is_shown(reference) => *way == reference.way,
                Some((_, aggregate)) => *aggregate || !is_raw(reference),
                None => !is_shown(reference) && !is_raw(reference),
            }
        };
        self.entry == "allowed" && references.iter().all(as_shown)
    }
}

fn unusable(Unusable(why): Unusable) -> Refusal {
    Refusal::Unusable(why)
}

/// How an item is shown.
fn way(item: Option<&PermittedItem>) -> String {
    let absent = || "absent".to_owned();
    item.map_or_else(absent, |item| item.mask.to_string())
}

fn shown(granted: &Granted<'_>) -> BTreeMap<(DatasetName, ItemName), (String, bool)> {
    let mut shown = BTreeMap::new();
    for dataset in &granted.datasets {
        for item in &dataset.items {
            let key = (dataset.name.clone(), item.name.clone());
            shown.insert(key, (way(Some(item)), item.aggregate));
        }
    }
    shown
}

/// What a dataset's cells owe otherwise.
fn owed(now: &PermittedDataset, then: &PermittedDataset) -> Vec<(Change, Vec<String>)> {
    let mut changes = Vec::new();
    let dataset = || now.name.clone();
    let protected = now.protected && then.protected;
    if protected && now.k != then.k {
        let (from, to) = (now.k, then.k);
        let change = Change::Threshold {
            dataset: dataset(),
            from,
            to,
        };
        changes.push((change, Vec::new()));
    }
    if protected && now.disclosure != then.disclosure {
        let (from, to) = (now.disclosure, then.disclosure);
        let (from, to) = (format!("{from:?}"), format!("{to:?}"));
        let change = Change::Owed {
            dataset: dataset(),
            from,
            to,
        };
        changes.push((change, vec![DISCLOSURE.to_owned()]));
    }
    changes
}

impl PermittedDataset {
    fn item(&self, name: &ItemName) -> Option<&PermittedItem> {
        let shown = |item: &&PermittedItem| item.name == *name;
        self.items.iter().find(shown)
    }
}
