use crate::{Figures, Month, Period, period::day_of};
use chrono::{DateTime, Utc};
use register::State;
use std::collections::{BTreeMap, HashMap};
use terms::{Action, Event, LicenceId, OperatorId, PersonId, ProductId, QueryId, ScenarioId};

/// Whose operations, in which month. A scenario that does not stand is none, and so is its licence; the
/// operator is then the person's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Whose {
    /// The operator, if the person works for one.
    pub operator: Option<OperatorId>,
    /// The licence.
    pub licence: Option<LicenceId>,
    /// The scenario.
    pub scenario: Option<ScenarioId>,
    /// When the operation was opened.
    pub month: Month,
}

/// A period read from a log: entries in order from the first.
///
/// What is kept grows with scenarios, months and people, with operations under way and with exports; not
/// with the log.
#[derive(Debug)]
pub struct Account {
    period: Period,
    state: State,
    by: BTreeMap<Whose, Figures>,
    /// Operations under way, and exports that may yet be handed over or withheld.
    under_way: HashMap<QueryId, (Whose, Action)>,
    events: BTreeMap<&'static str, u64>,
    strangers: u64,
    texts_expired: u64,
    entries: u64,
}

impl Account {
    /// An account of a period, before the first entry.
    #[must_use]
    pub fn new(period: Period) -> Self {
        Self {
            period,
            state: State::default(),
            by: BTreeMap::new(),
            under_way: HashMap::new(),
            events: BTreeMap::new(),
            strangers: 0,
            texts_expired: 0,
            entries: 0,
        }
    }

    /// Takes the next entry.
    pub fn entry(&mut self, at: DateTime<Utc>, event: &Event) {
        if self.period.holds(at) {
            self.entries += 1;
            *self.events.entry(event.name()).or_default() += 1;
            if let Event::StrangersCounted { calls } = event {
                self.strangers += calls;
            } else if let Event::TextsExpired { texts, .. } = event {
                self.texts_expired += texts;
            }
        }
        if event.query().is_some() {
            self.operation(at, event);
        } else {
            self.state.apply(event);
        }
    }

    fn operation(&mut self, at: DateTime<Utc>, event: &Event) {
        if let Event::OperationOpened {
            query,
            action,
            person,
            scenario,
            ..
        } = event
        {
            if self.period.holds(at) {
                let whose = self.whose(person, scenario.as_ref(), at);
                self.figures(&whose).open(*action, person);
                self.under_way.insert(query.clone(), (whose, *action));
            }
            return;
        }
        let Some(query) = event.query() else { return };
        let Some((whose, action)) = self.under_way.get(query).cloned() else {
            // It was opened before the period.
            return;
        };
        let product = released_of(event).and_then(|id| self.state.product(id));
        let product = product.map(|standing| standing.product.clone());
        let figures = self.figures(&whose);
        let mut over = true;
        if let Event::OperationReleased {
            rows,
            bytes,
            notice,
            register,
            used,
            ..
        } = event
        {
            figures.release((*rows, *bytes), *notice, register == "perturbed", *used);
            over = action != Action::Export;
        } else if let Event::OperationRefused { code, .. } = event {
            figures.refuse(code);
        } else if let Event::OperationFailed { code, .. } = event {
            figures.fail(code);
        } else if let Event::OperationAbandoned { .. } = event {
            figures.abandon();
        } else if let Event::Exported { .. } = event {
            figures.export(product.as_ref());
            over = false;
        } else if let Event::ExportWithheld { code, .. } = event {
            *figures.export_withheld.entry(code.clone()).or_default() += 1;
        } else {
            figures.conflicts += u64::from(matches!(event, Event::ReleaseConflicted { .. }));
            over = false;
        }
        if over {
            self.under_way.remove(query);
        }
    }

    fn whose(&self, person: &PersonId, scenario: Option<&ScenarioId>, at: DateTime<Utc>) -> Whose {
        let standing = scenario.and_then(|id| self.state.scenario(id));
        let licence = standing.and_then(|s| self.state.licence(&s.scenario.licence));
        let of_person = || self.state.person(person).and_then(terms::Person::operator);
        Whose {
            operator: licence
                .map(|l| l.licence.operator.clone())
                .or_else(of_person),
            licence: licence.map(|l| l.licence.id.clone()),
            scenario: standing.map(|s| s.scenario.id.clone()),
            month: Month::of(day_of(at)),
        }
    }

    fn figures(&mut self, whose: &Whose) -> &mut Figures {
        if !self.by.contains_key(whose) {
            self.by.insert(whose.clone(), Figures::default());
        }
        self.by.entry(whose.clone()).or_default()
    }

    // === what it holds ===

    /// The period.
    #[must_use]
    pub const fn period(&self) -> Period {
        self.period
    }

    /// What stands after the last entry.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Entries in the period.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Entries in the period by event.
    #[must_use]
    pub const fn events(&self) -> &BTreeMap<&'static str, u64> {
        &self.events
    }

    /// Calls without a valid certificate.
    #[must_use]
    pub const fn strangers(&self) -> u64 {
        self.strangers
    }

    /// Sealed texts whose time was over.
    #[must_use]
    pub const fn texts_expired(&self) -> u64 {
        self.texts_expired
    }

    /// The figures by operator, licence, scenario and month.
    pub fn parts(&self) -> impl Iterator<Item = (&Whose, &Figures)> {
        self.by.iter()
    }

    /// The figures of those that are asked for, together.
    #[must_use]
    pub fn sum(&self, of: impl Fn(&Whose) -> bool) -> Figures {
        let mut sum = Figures::default();
        for (_, figures) in self.parts().filter(|(whose, _)| of(whose)) {
            sum.add(figures);
        }
        sum
    }

    /// The figures by a part of whose they are.
    #[must_use]
    pub fn by<K: Ord>(&self, key: impl Fn(&Whose) -> Option<K>) -> BTreeMap<K, Figures> {
        let mut by: BTreeMap<K, Figures> = BTreeMap::new();
        for (whose, figures) in self.parts() {
            if let Some(key) = key(whose) {
                by.entry(key).or_default().add(figures);
            }
        }
        by
    }
}

/// The product that a package is a release of.
const fn released_of(event: &Event) -> Option<&ProductId> {
    if let Event::Exported { product, .. } = event {
        product.as_ref()
    } else {
        None
    }
}
