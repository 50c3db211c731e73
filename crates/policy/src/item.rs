use crate::{
    Decision, Owed,
    bundle::{Bundle, Unusable},
    decide::Asked,
};
use register::Seals;
use serde_json::json;
use std::collections::BTreeMap;
use terms::{Action, Channel, Dataset, Item, Licence, Person, ScenarioDataset};

/// Items that share everything policy looks at; decided once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class {
    pub grade: u8,
    pub listed: bool,
    pub measure: bool,
    pub external: bool,
    pub own: bool,
    pub prohibited: bool,
    pub covered: bool,
    pub sealed: bool,
}

impl Class {
    /// The class of an item that a scenario wants under a licence.
    pub(crate) fn of(
        item: &Item,
        (dataset, wanted): (&Dataset, &ScenarioDataset),
        (licence, seals): (&Licence, &Seals),
    ) -> Self {
        Self {
            grade: item.grade.number(),
            listed: wanted.items.includes(&item.name),
            measure: wanted.aggregate.contains(&item.name),
            external: dataset.external,
            own: dataset.provider == licence.operator.as_str(),
            prohibited: dataset.prohibited.is_some() || !dataset.standing.is_active(),
            covered: licence.mode.covers(&dataset.sector),
            sealed: seals.holds_dataset(&dataset.name),
        }
    }
}

/// How items of a class may be used. The most open way wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ways {
    pub plain: bool,
    pub masked: bool,
    pub aggregate: bool,
    pub export: bool,
    pub materialise: bool,
    /// What the policies that allow its use inside ask, all together.
    pub owed: Owed,
    /// What those ask that allow its export.
    pub owed_by_export: Owed,
}

impl Ways {
    /// What is owed by whoever does this with such an item.
    pub(crate) fn owing(&self, action: Action) -> Owed {
        self.owed.strictest(match action {
            Action::Export => self.owed_by_export,
            Action::Query | Action::Explain | Action::Materialise => self.owed_by_export.inside(),
        })
    }
}

/// The decisions of one permit, one a class.
pub(crate) struct Classes<'a> {
    bundle: &'a Bundle,
    person: &'a Person,
    by: By,
    decided: BTreeMap<Class, Ways>,
}

/// By which listener, and how the product stands whose results alone are asked for, in the policies' word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    pub channel: Channel,
    pub product: &'static str,
}

impl<'a> Classes<'a> {
    pub(crate) fn new(bundle: &'a Bundle, person: &'a Person, by: By) -> Self {
        Self {
            bundle,
            person,
            by,
            decided: BTreeMap::new(),
        }
    }

    /// How items of this class may be used.
    pub(crate) fn ways(&mut self, class: Class) -> Result<Ways, Unusable> {
        if let Some(ways) = self.decided.get(&class) {
            return Ok(*ways);
        }
        let plain = self.decision("showPlain", class)?;
        let masked = self.decision("showMasked", class)?;
        let aggregate = self.decision("aggregate", class)?;
        let export = self.decision("export", class)?;
        let materialise = self.decision("materialise", class)?;
        let inside = [plain.owed, masked.owed, aggregate.owed];
        let ways = Ways {
            plain: plain.allowed,
            masked: masked.allowed,
            aggregate: aggregate.allowed,
            export: export.allowed,
            materialise: materialise.allowed,
            owed: inside.into_iter().fold(Owed::default(), Owed::strictest),
            owed_by_export: export.owed,
        };
        self.decided.insert(class, ways);
        Ok(ways)
    }

    /// One way of one class, with the policies that decide it.
    pub(crate) fn decision(&self, action: &str, class: Class) -> Result<Decision, Unusable> {
        let attributes = json!({
            "grade": class.grade,
            "listed": class.listed,
            "measure": class.measure,
            "external": class.external,
            "own": class.own,
            "prohibited": class.prohibited,
            "covered": class.covered,
            "sealed": class.sealed,
        });
        let asked = Asked {
            action,
            person: self.person,
            resource: ("Item", attributes),
            context: json!({"channel": self.by.channel.word(), "product": self.by.product}),
        };
        self.bundle.decide(&asked)
    }
}
