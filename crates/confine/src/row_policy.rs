use plan::{Expr, Function, Literal, RowPolicy};
use terms::{Dataset, Grade, Item, ItemName, Mask, Type};

/// An item of which a row policy reads more than it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a row policy may not read item `{item}`, grade {grade}, as it does")]
pub struct Overread {
    /// Which.
    pub item: ItemName,
    /// Its grade; none above 4.
    pub grade: Grade,
}

/// A row policy as it is enforced: items up to grade 2 as they are; of grade 3 what their mask shows of a
/// date, and whether there is a value; of grade 4 nothing.
///
/// A row policy stands beneath the masks, so that what it says of an item is said of its raw value.
/// `of` says an item's grade, and the mask that shows it: suppress where nothing does.
///
/// # Errors
/// [`Overread`], the first item in its order that is read otherwise.
/// Source: design, "Grades"; AO-2, CG-B 汇聚 L2-4.
pub fn enforced(
    mut policy: RowPolicy,
    of: impl Fn(&ItemName) -> (Grade, Mask),
) -> Result<RowPolicy, Overread> {
    let items = policy.items.iter();
    let mut seen: Vec<Seen> = Vec::with_capacity(items.len());
    for (item, data_type) in items {
        let (grade, mask) = of(item);
        let seen_as = Seen::of(grade, mask, *data_type);
        seen.push(seen_as.ok_or_else(|| Overread {
            item: item.clone(),
            grade,
        })?);
    }
    let overread = |at: u32| {
        let at = usize::try_from(at).ok()?;
        let (item, _) = policy.items.get(at)?;
        Some(Overread {
            item: item.clone(),
            grade: of(item).0,
        })
    };
    match see(&mut policy.predicate, &seen) {
        Ok(()) => Ok(policy),
        Err(at) => match overread(at) {
            Some(why) => Err(why),
            // What names no item of its own is refused for its types.
            None => Ok(policy),
        },
    }
}

/// What [`enforced`] is told of a dataset's items: as the catalogue has them, and of none that it has not.
pub fn as_catalogued(
    dataset: &Dataset,
    mask: impl Fn(&Item) -> Mask,
) -> impl Fn(&ItemName) -> (Grade, Mask) {
    move |name| {
        let item = dataset.item(name);
        item.map_or((Grade::Four, Mask::Suppress), |item| {
            (item.grade, mask(item))
        })
    }
}

/// What a row policy sees of an item.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// Its values.
    Raw,
    /// The first day of a part of its date, as this type.
    Cut(&'static str, Type),
    /// Whether it has a value.
    Presence,
}

impl Seen {
    /// None where not even whether there is a value is seen.
    fn of(grade: Grade, mask: Mask, data_type: Type) -> Option<Self> {
        match (grade, mask) {
            (Grade::One | Grade::Two, _) | (Grade::Three, Mask::Plain) => Some(Self::Raw),
            (Grade::Four, _) | (Grade::Three, Mask::Suppress | Mask::Redact) => None,
            (Grade::Three, Mask::Year) => Some(Self::Cut("year", data_type)),
            (Grade::Three, Mask::Month) => Some(Self::Cut("month", data_type)),
            (
                Grade::Three,
                Mask::Partial { .. } | Mask::Prefix(_) | Mask::Token | Mask::Band(_),
            ) => Some(Self::Presence),
        }
    }
}

/// Puts what is seen of each item in its place; the ordinal of one that is not seen so is the error.
fn see(expr: &mut Expr, seen: &[Seen]) -> Result<(), u32> {
    if let Expr::Call(Function::IsNull | Function::IsNotNull, arguments) = &*expr
        && matches!(arguments.as_slice(), [Expr::Column(_)])
    {
        return Ok(());
    }
    let Expr::Column(at) = *expr else {
        return expr.children_mut().try_for_each(|inside| see(inside, seen));
    };
    let place = usize::try_from(at).ok();
    match place.and_then(|place| seen.get(place)).ok_or(at)? {
        Seen::Raw => Ok(()),
        Seen::Presence => Err(at),
        Seen::Cut(part, to) => {
            let part = Expr::Literal(Literal::Text((*part).to_owned()));
            *expr = Expr::Cast {
                value: Box::new(Expr::call(Function::DateTrunc, [part, Expr::Column(at)])),
                to: *to,
                lenient: true,
            };
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over `one` (text, 1), `two` (text, 2), `year` (date, 3), `band` (int, 3), `gone` (int, 3) and
    /// `gene` (text, 4).
    fn check(predicate: Expr, read: &[&str], expect: Result<Expr, (&str, Grade)>) {
        let of = |item: &ItemName| match item.as_str() {
            "one" => (Grade::One, Mask::Plain),
            "two" => (Grade::Two, Mask::Partial { head: 1, tail: 0 }),
            "year" => (Grade::Three, Mask::Year),
            "band" => (Grade::Three, Mask::Band(10.0)),
            "gone" => (Grade::Three, Mask::Suppress),
            _ => (Grade::Four, Mask::Suppress),
        };
        let data_type = |name: &str| match name {
            "year" => Type::Date,
            "band" | "gone" => Type::Int,
            _ => Type::Text,
        };
        let items = read
            .iter()
            .map(|name| (name.parse().unwrap(), data_type(name)));
        let policy = RowPolicy {
            items: items.collect(),
            predicate,
        };
        let seen = enforced(policy, of).map(|policy| policy.predicate);
        let expect = expect.map_err(|(item, grade)| Overread {
            item: item.parse().unwrap(),
            grade,
        });
        assert_eq!(seen, expect);
    }

    fn is(function: Function, at: u32, literal: Literal) -> Expr {
        Expr::call(function, [Expr::Column(at), Expr::Literal(literal)])
    }

    fn text(text: &str) -> Literal {
        Literal::Text(text.to_owned())
    }

    #[test]
    fn a_row_policy_reads_nothing_of_grade_four() {
        let like = is(Function::Like, 0, text("ga6f%"));
        check(like.clone(), &["gene"], Err(("gene", Grade::Four)));
        let there = Expr::call(Function::IsNotNull, [Expr::Column(0)]);
        check(there, &["gene"], Err(("gene", Grade::Four)));
        let beside = Expr::call(Function::And, [is(Function::Equal, 1, text("D1")), like]);
        check(beside, &["gene", "one"], Err(("gene", Grade::Four)));
    }

    #[test]
    fn items_up_to_grade_two_are_read_as_they_are() {
        let both = Expr::call(
            Function::Or,
            [
                is(Function::Equal, 0, text("D1")),
                is(Function::Like, 1, text("a%")),
            ],
        );
        check(both.clone(), &["one", "two"], Ok(both));
    }

    #[test]
    fn of_grade_three_a_row_policy_reads_the_masks_date_or_whether_there_is_a_value() {
        let since = |of: Expr| {
            Expr::call(
                Function::GreaterEqual,
                [of, Expr::Literal(Literal::Date(0))],
            )
        };
        let cut = Expr::Cast {
            value: Box::new(Expr::call(
                Function::DateTrunc,
                [Expr::Literal(text("year")), Expr::Column(0)],
            )),
            to: Type::Date,
            lenient: true,
        };
        check(since(Expr::Column(0)), &["year"], Ok(since(cut)));
        let more = is(Function::GreaterEqual, 0, Literal::Int(43_567));
        check(more.clone(), &["band"], Err(("band", Grade::Three)));
        check(more, &["gone"], Err(("gone", Grade::Three)));
        for (item, function) in [("band", Function::IsNull), ("year", Function::IsNotNull)] {
            let there = Expr::call(function, [Expr::Column(0)]);
            check(there.clone(), &[item], Ok(there));
        }
        // Not even that of what is shown to nobody, and not of a value computed from it.
        let there = Expr::call(Function::IsNull, [Expr::Column(0)]);
        check(there, &["gone"], Err(("gone", Grade::Three)));
        let computed = Expr::call(
            Function::Divide,
            [Expr::Column(0), Expr::Literal(Literal::Int(0))],
        );
        let computed = Expr::call(Function::IsNull, [computed]);
        check(computed, &["band"], Err(("band", Grade::Three)));
    }
}
