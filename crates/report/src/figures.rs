use std::collections::{BTreeMap, BTreeSet};
use terms::{Action, Benefit, Notice, PersonId, Product, Usage};

/// The counts of some operations.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    /// Opened: statements, decisions alone, exports.
    pub opened: u64,
    /// Of these by what was asked.
    pub asked: BTreeMap<&'static str, u64>,
    /// Ended with a released result.
    pub answered: u64,
    /// Refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Ended without a result for a cause of the domain's, by code.
    pub failed: BTreeMap<String, u64>,
    /// Dropped before their end.
    pub abandoned: u64,
    /// Without an end on record.
    pub open: u64,
    /// Answers that told of withheld groups.
    pub withheld: u64,
    /// Answers with noise in some cells.
    pub perturbed: u64,
    /// Results that conflicted with earlier ones.
    pub conflicts: u64,
    /// Rows released.
    pub rows: u64,
    /// Bytes released.
    pub bytes: u64,
    /// Packages handed over.
    pub exported: u64,
    /// Of these, of products for public benefit, which are free. Source: AO-23.
    pub exported_free: u64,
    /// Packages handed over, by product.
    pub products: BTreeMap<String, u64>,
    /// Packages signed and not handed over, by code.
    pub export_withheld: BTreeMap<String, u64>,
    /// Answers whose use is on record.
    pub metered: u64,
    /// What they used together.
    pub used: Usage,
    /// Who opened them, told as their number.
    #[serde(serialize_with = "number")]
    pub people: BTreeSet<PersonId>,
}

fn number<S: serde::Serializer>(people: &BTreeSet<PersonId>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(people.len()).unwrap_or(u64::MAX))
}

pub(crate) const fn word(action: Action) -> &'static str {
    match action {
        Action::Query => "query",
        Action::Explain => "explain",
        Action::Export => "export",
        Action::Materialise => "materialise",
    }
}

impl Figures {
    pub(crate) fn open(&mut self, action: Action, person: &PersonId) {
        self.opened += 1;
        self.open += 1;
        *self.asked.entry(word(action)).or_default() += 1;
        if !self.people.contains(person) {
            self.people.insert(person.clone());
        }
    }

    pub(crate) fn release(
        &mut self,
        (rows, bytes): (u64, u64),
        notice: Notice,
        perturbed: bool,
        used: Option<Usage>,
    ) {
        self.open = self.open.saturating_sub(1);
        self.answered += 1;
        self.rows = self.rows.saturating_add(rows);
        self.bytes = self.bytes.saturating_add(bytes);
        self.withheld += u64::from(notice == Notice::GroupsWithheld);
        self.perturbed += u64::from(perturbed);
        if let Some(used) = used {
            self.metered += 1;
            self.used = self.used.plus(used);
        }
    }

    pub(crate) fn refuse(&mut self, code: &str) {
        self.open = self.open.saturating_sub(1);
        *self.refused.entry(code.to_owned()).or_default() += 1;
    }

    pub(crate) fn fail(&mut self, code: &str) {
        self.open = self.open.saturating_sub(1);
        *self.failed.entry(code.to_owned()).or_default() += 1;
    }

    pub(crate) fn abandon(&mut self) {
        self.open = self.open.saturating_sub(1);
        self.abandoned += 1;
    }

    pub(crate) fn export(&mut self, product: Option<&Product>) {
        self.exported += 1;
        if let Some(product) = product {
            *self.products.entry(product.id.to_string()).or_default() += 1;
            self.exported_free += u64::from(product.benefit == Benefit::Public);
        }
    }

    /// All refusals.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    /// All failures.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// Takes the counts of others in.
    pub(crate) fn add(&mut self, other: &Self) {
        let Self {
            opened,
            asked,
            answered,
            refused,
            failed,
            abandoned,
            open,
            withheld,
            perturbed,
            conflicts,
            rows,
            bytes,
            exported,
            exported_free,
            products,
            export_withheld,
            metered,
            used,
            people,
        } = other;
        for (total, more) in [
            (&mut self.opened, opened),
            (&mut self.answered, answered),
            (&mut self.abandoned, abandoned),
            (&mut self.open, open),
            (&mut self.withheld, withheld),
            (&mut self.perturbed, perturbed),
            (&mut self.conflicts, conflicts),
            (&mut self.rows, rows),
            (&mut self.bytes, bytes),
            (&mut self.exported, exported),
            (&mut self.exported_free, exported_free),
            (&mut self.metered, metered),
        ] {
            *total = total.saturating_add(*more);
        }
        for (word, more) in asked {
            *self.asked.entry(word).or_default() += more;
        }
        for (total, more) in [
            (&mut self.refused, refused),
            (&mut self.failed, failed),
            (&mut self.export_withheld, export_withheld),
            (&mut self.products, products),
        ] {
            for (code, more) in more {
                *total.entry(code.clone()).or_default() += more;
            }
        }
        self.used = self.used.plus(*used);
        self.people.extend(people.iter().cloned());
    }
}
