use crate::basis::{Basis, Seen, nature};
use crate::name::{Named, Note, named};
use crate::tally::Tally;
use terms::{Grade, Kind, Shape, Type};
use vault::Stored;

/// What one column seems to be, and what that rests on.
#[derive(Debug, Clone)]
pub(crate) struct Guess {
    /// The kind; [`Kind::Other`] where nothing tells.
    pub(crate) kind: Kind,
    /// The grade by the nature of that; none where nothing tells.
    pub(crate) grade: Option<Grade>,
    /// Whether it identifies people.
    pub(crate) of_people: bool,
    /// On what it rests.
    pub(crate) basis: Vec<Basis>,
}

/// A day of birth is told by years that lie this far apart.
const BIRTH_YEARS: i32 = 40;
/// The most values that a closed list has.
const LIST_MAX: usize = 64;

/// Guesses one column.
pub(crate) fn guess(name: &str, stored: &Stored, tally: &Tally) -> Guess {
    let named = named(name);
    if let Stored::NotPlain(stored) = stored {
        let mut basis: Vec<Basis> = named.iter().map(|named| Basis::Name(named.kind)).collect();
        basis.push(Basis::NotPlain(stored.clone()));
        return Guess {
            kind: named.map_or(Kind::Other, |named| named.kind),
            grade: Some(Grade::Four),
            of_people: false,
            basis,
        };
    }
    let mut guess = weighed(named, seen(stored, tally), tally);
    guess.raise(named, tally);
    guess.fit(stored, tally);
    guess
}

/// What the values look like; none where they do not tell.
fn seen(stored: &Stored, tally: &Tally) -> Option<(Seen, usize)> {
    let most = |hits: usize, percent| tally.is_share(hits, percent).then_some(hits);
    let shape = |shape| tally.shaped.get(&shape).copied().unwrap_or(0);
    let shaped = Shape::ALL
        .into_iter()
        .find_map(|of| Some((Seen::Shape(of), most(shape(of), 50)?)));
    let varied = |percent| tally.is_share(tally.distinct, percent);
    let by_type = matches!(stored, Stored::Plain(Type::Date | Type::Timestamp));
    shaped
        .or_else(|| Some((Seen::Plates, most(tally.plates, 50)?)))
        .or_else(|| by_type.then_some((Seen::Days, tally.of)))
        .or_else(|| Some((Seen::Days, most(tally.days, 50)?)))
        .or_else(|| Some((Seen::Addresses, most(tally.addresses, 50)?)))
        .or_else(|| {
            let various = tally.of >= 5 && (varied(30) || tally.distinct >= 100);
            Some((
                Seen::PersonNames,
                most(tally.person_names, 70).filter(|_| various)?,
            ))
        })
        .or_else(|| {
            let money = tally.cents * 20 >= tally.fractions * 19;
            let shares = tally.shares * 20 >= tally.fractions * 19;
            let fractions = most(tally.fractions, 50).filter(|_| tally.of >= 5)?;
            match (shares, money) {
                (true, _) => Some((Seen::Shares, fractions)),
                (false, true) => Some((Seen::Money, fractions)),
                (false, false) => None,
            }
        })
        .or_else(|| {
            let list = tally.distinct <= LIST_MAX && tally.distinct * 8 <= tally.of;
            (tally.of >= 16 && list).then_some((Seen::ClosedList, tally.of))
        })
        .or_else(|| {
            let codes = most(tally.codes, 90).filter(|_| tally.of >= 50 && varied(90))?;
            Some((Seen::Distinct, codes))
        })
        .or_else(|| {
            let long = tally.of >= 5 && tally.chars >= tally.of * 12;
            Some((
                Seen::Prose,
                most(tally.spaced, 50).filter(|_| long && varied(50))?,
            ))
        })
}

/// Whether values that look so may well be of the kind the name says.
fn may_be(named: Kind, seen: Seen, tally: &Tally) -> bool {
    let number = matches!(named, Kind::Amount | Kind::Count | Kind::Ratio);
    let numbers = tally.is_share(tally.numbers, 50);
    if named == seen.kind() {
        return true;
    }
    match seen {
        Seen::Distinct => named.is_identifier() || named == Kind::FreeText || (number && numbers),
        Seen::ClosedList => named != Kind::Date && (!number || numbers),
        Seen::Prose => matches!(named, Kind::Address | Kind::PersonName),
        Seen::Shape(Shape::BankCard) => named == Kind::SocialAccount,
        Seen::Shape(_)
        | Seen::Plates
        | Seen::PersonNames
        | Seen::Addresses
        | Seen::Days
        | Seen::Money
        | Seen::Shares => false,
    }
}

/// Name and values, weighed: where they disagree, the more sensitive stands.
fn weighed(named: Option<Named>, seen: Option<(Seen, usize)>, tally: &Tally) -> Guess {
    let values = seen.map(|(seen, hits)| Basis::Values {
        seen,
        percent: tally.percent(hits),
        of: tally.of,
    });
    let by_name = named.map(|named| Basis::Name(named.kind));
    let silent = match tally.of {
        0 => Basis::Empty,
        of => Basis::Unseen { of },
    };
    let mut basis: Vec<Basis> = by_name.into_iter().chain(values).collect();
    let kind = match (named, seen) {
        (None, None) => {
            let empty = Some(Basis::Empty).filter(|_| tally.of == 0);
            basis.extend(empty.into_iter().chain([Basis::Unknown]));
            Kind::Other
        }
        (Some(named), None) => {
            basis.push(silent);
            named.kind
        }
        (None, Some((seen, _))) => seen.kind(),
        (Some(named), Some((seen, _))) if may_be(named.kind, seen, tally) => named.kind,
        (Some(named), Some((seen, _))) => {
            let (name, values) = (named.kind, seen.kind());
            // A number of something turns out to be a number of this very sort.
            if name != Kind::SubjectId || !seen.is_strong() || !values.is_identifier() {
                basis.push(Basis::Disagree { name, values });
            }
            let rank = |kind: Kind, strong| (nature(kind), kind.is_identifier(), strong);
            if rank(name, false) > rank(values, seen.is_strong()) {
                name
            } else {
                values
            }
        }
    };
    let of_people = kind == Kind::ResidentId
        || (kind == Kind::SubjectId && named.is_some_and(|named| named.note == Note::Person));
    let graded = named
        .map(|named| named.kind)
        .into_iter()
        .chain(seen.map(|(seen, _)| seen.kind()));
    let grade = graded.filter_map(nature).max();
    Guess {
        kind,
        grade: agreed(grade, kind, &basis),
        of_people,
        basis,
    }
}

/// Where nothing disagrees, the nature of the kind is the grade.
fn agreed(grade: Option<Grade>, kind: Kind, basis: &[Basis]) -> Option<Grade> {
    let disagree = basis
        .iter()
        .any(|basis| matches!(basis, Basis::Disagree { .. }));
    if disagree { grade } else { nature(kind) }
}

// === impl Guess ===

impl Guess {
    /// What makes a column more sensitive than its kind.
    fn raise(&mut self, named: Option<Named>, tally: &Tally) {
        let note = named.map_or(Note::None, |named| named.note);
        let born = note == Note::Birth || (self.kind == Kind::Date && tally.years >= BIRTH_YEARS);
        if born {
            self.at_least(Grade::Three, Basis::Birth);
        }
        if note == Note::Special {
            self.at_least(Grade::Four, Basis::Special);
        }
        for (shape, hits) in &tally.within {
            let own = self.kind == shape.kind();
            if !own && *hits >= 3 && tally.is_share(*hits, 1) {
                let percent = tally.percent(*hits);
                let shape = *shape;
                self.at_least(shape.grade(), Basis::Within { shape, percent });
            }
        }
    }

    /// A higher grade, but where there is none a person writes one.
    fn at_least(&mut self, grade: Grade, because: Basis) {
        self.grade = self.grade.map(|known| known.max(grade));
        self.basis.push(because);
    }

    /// Numbers and days are kinds that text cannot be; what taking in would stop at is told.
    fn fit(&mut self, stored: &Stored, tally: &Tally) {
        let (fitting, loadable) = if self.kind == Kind::Date {
            (tally.days, tally.iso_days)
        } else if matches!(self.kind, Kind::Amount | Kind::Count | Kind::Ratio) {
            (tally.numbers, tally.numbers)
        } else {
            return;
        };
        let typed = matches!(stored, Stored::Plain(plain) if *plain != Type::Text);
        if typed || tally.of == 0 {
            return;
        }
        if !tally.is_share(fitting, 50) {
            let closed = tally.distinct <= LIST_MAX && tally.distinct * 8 <= tally.of;
            self.kind = if closed { Kind::Code } else { Kind::Other };
            return;
        }
        if *stored == Stored::Written && loadable < tally.of {
            let (kind, percent) = (self.kind, tally.percent(tally.of.saturating_sub(loadable)));
            self.basis.push(Basis::Unloadable { kind, percent });
        }
    }
}
