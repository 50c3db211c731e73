//! Values that remember: what they are, which raw value they stand for, and whom they depend on.

use std::{cmp::Ordering, collections::BTreeSet, rc::Rc};

/// A value. Dates are days of a small calendar with years of 400 days.
#[derive(Debug, Clone)]
pub(super) enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Rc<str>),
    Date(i32),
    Tally(Rc<Tally>),
}

/// What a witness counted, in full: subject, row and value of each row that was entered.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub entries: Vec<(i64, Option<i64>, Option<f64>)>,
    /// Whether it was put together from other witnesses, which say nothing of amounts.
    pub united: bool,
}

/// What may be done with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    /// A raw value nobody may see.
    Hidden,
    /// Of this domain; join-only if the operator supplied it.
    Token {
        domain: &'static str,
        join_only: bool,
    },
    /// A row's or subject's number, or a count of subjects for a threshold.
    Number,
}

/// The raw value behind a bare item.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub datum: Datum,
    pub dataset: usize,
    pub item: usize,
    pub row: usize,
    pub person: Option<u32>,
}

/// The raw values of one person that were put together, each with all its row depends on.
#[derive(Debug)]
pub(super) struct Held {
    /// Of nobody where the rows have no person.
    pub person: Option<u32>,
    /// Whether they are counted, and not added up.
    pub counted: bool,
    /// Whether it may be held: a sum or count of raw values of one person.
    pub whole: bool,
    /// Whether it was put together from held values.
    pub again: bool,
    pub entries: Vec<(Rc<Raw>, Whence)>,
}

/// What the register must hear of a cell: sets of row numbers, or of persons, as the dataset counts.
pub(super) type Unheard = Rc<Vec<BTreeSet<i64>>>;

/// One value with its labels.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub shown: Datum,
    pub kind: Kind,
    /// Set while it is a bare item that approved aggregates see raw.
    pub raw: Option<Rc<Raw>>,
    /// Set while it is a value held per subject, as it came from its grouping.
    pub held: Option<Rc<Held>>,
    /// Set in a confined plan while the register has not heard of a raw cell.
    pub unheard: Option<Unheard>,
    /// Why it may not be read: an aggregate over raw values that falls short of what it owes.
    pub bad: Option<&'static str>,
    /// Whom it depends on beside its row: of windows and subqueries.
    pub from: Whence,
}

/// One scan of a statement: which dataset, and which scan of it.
pub(super) type Origin = (usize, usize);
/// Scans are numbered from here once they are grouped, or only decide whether a row is there: they
/// owe k of the final row where rows are off, and nothing of a raw cell that they feed.
pub(super) const FEEDING: usize = 1000;

/// For each scan something derives from, the people there as bits; of operator-supplied data, the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Whence(pub Vec<(Origin, u64)>);

/// A row with its labels.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub cells: Vec<Value>,
    pub from: Whence,
}

impl Value {
    pub(super) fn open(shown: Datum) -> Self {
        Self {
            shown,
            kind: Kind::Open,
            raw: None,
            held: None,
            unheard: None,
            bad: None,
            from: Whence::default(),
        }
    }

    /// Without the raw value behind it.
    pub(super) fn masked(mut self) -> Self {
        self.raw = None;
        self.held = None;
        self
    }
}

impl Whence {
    pub(super) fn add(&mut self, other: &Self) {
        for (origin, people) in &other.0 {
            match self.0.iter_mut().find(|(ours, _)| ours == origin) {
                Some((_, ours)) => *ours |= people,
                None => self.0.push((*origin, *people)),
            }
        }
    }

    pub(super) fn rename(&mut self, names: &[(Origin, Origin)]) {
        for (origin, _) in &mut self.0 {
            let feeding = origin.1 / FEEDING * FEEDING;
            let own = (origin.0, origin.1 - feeding);
            if let Some((_, to)) = names.iter().find(|(from, _)| *from == own) {
                *origin = (to.0, to.1 + feeding);
            }
        }
    }

    /// From here on it only feeds something else.
    pub(super) fn feed(&mut self) {
        let mut fed = Self::default();
        for (origin, people) in &self.0 {
            let origin = (origin.0, origin.1 % FEEDING + FEEDING);
            fed.add(&Self(vec![(origin, *people)]));
        }
        *self = fed;
    }

    pub(super) fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.add(other);
        both
    }
}

impl Datum {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(Rc::from(text))
    }

    pub(super) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    pub(super) const fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(whole) => Some(*whole as f64),
            Self::Float(float) => Some(*float),
            _ => None,
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Float(_) => 3,
            Self::Text(_) => 4,
            Self::Date(_) => 5,
            Self::Tally(_) => 6,
        }
    }
}

impl Ord for Datum {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Datum {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Datum {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Datum {}
