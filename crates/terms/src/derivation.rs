use crate::{Dataset, Item, ItemName, Kind, Unreadable};
use std::collections::BTreeSet;

/// How deep brackets, signs and operators may stand in each other.
const DEPTH_MAX: usize = 32;
/// How long the text may be, in characters.
const LENGTH_MAX: usize = 512;

const REMEDY: &str = "items of the same dataset and numbers, with +, -, *, / and brackets, such as \
                      `quantity * unit_price`; an item with `-` in its name stands in double quotes";

/// How the value of an item is computed of other items of the same row, once, when data comes in.
///
/// Units: those that follow from its parts. Where a part is null, or a divisor is 0, it is null.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Derivation {
    text: String,
    formula: Formula,
}

/// The parts of a derivation.
#[derive(Debug, Clone, PartialEq)]
pub enum Formula {
    /// The value of an item.
    Item(ItemName),
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Number(f64),
    /// Two of them, put together.
    Computed(Box<Self>, Arithmetic, Box<Self>),
}

/// What is done with two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// Why an item cannot be derived as it is declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("item `{item}`: {why}")]
pub struct Underivable {
    /// Which.
    pub item: ItemName,
    /// Why, and what to do.
    pub why: String,
}

impl Derivation {
    /// The formula.
    #[must_use]
    pub const fn formula(&self) -> &Formula {
        &self.formula
    }

    /// The items it is computed of.
    #[must_use]
    pub fn parts(&self) -> BTreeSet<&ItemName> {
        let mut found = BTreeSet::new();
        self.formula.collect(&mut found);
        found
    }
}

impl Formula {
    fn collect<'f>(&'f self, found: &mut BTreeSet<&'f ItemName>) {
        match self {
            Self::Item(name) => {
                found.insert(name);
            }
            Self::Whole(_) | Self::Number(_) => {}
            Self::Computed(left, _, right) => {
                left.collect(found);
                right.collect(found);
            }
        }
    }

    /// Whether it is a whole number wherever all its items are.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Item(_) | Self::Whole(_) => true,
            Self::Number(_) | Self::Computed(_, Arithmetic::Divide, _) => false,
            Self::Computed(left, _, right) => left.is_whole() && right.is_whole(),
        }
    }
}

impl Dataset {
    /// Checks every derived item: of numbers of the same row, graded at least as they are, and neither
    /// what the dataset is about nor unique.
    ///
    /// # Errors
    /// [`Underivable`], with what to change.
    pub fn derivable(&self) -> Result<(), Underivable> {
        self.items
            .iter()
            .try_for_each(|item| self.derivable_item(item))
    }

    fn derivable_item(&self, item: &Item) -> Result<(), Underivable> {
        let Some(derivation) = &item.derived else {
            return Ok(());
        };
        let wrong = |why: String| {
            Err(Underivable {
                item: item.name.clone(),
                why,
            })
        };
        if !is_measured(item.kind) {
            return wrong("what is derived is of kind amount, count or ratio".to_owned());
        }
        if item.unique || self.subject.as_ref() == Some(&item.name) {
            return wrong("what is derived is neither unique nor the subject".to_owned());
        }
        let parts = derivation.parts();
        if parts.is_empty() {
            return wrong("it is derived of no item; name at least one".to_owned());
        }
        for name in parts {
            let Some(part) = self.item(name) else {
                return wrong(format!(
                    "it is derived of `{name}`, which is no item of the dataset"
                ));
            };
            if part.derived.is_some() {
                return wrong(format!(
                    "it is derived of `{name}`, which is derived itself; write out what that is of"
                ));
            }
            if !is_measured(part.kind) {
                return wrong(format!(
                    "it is derived of `{name}` of kind {}; derive of kinds amount, count and ratio",
                    part.kind.word()
                ));
            }
            if part.grade > item.grade {
                return wrong(format!(
                    "it has grade {}, yet is derived of `{name}` of grade {}; give it the highest \
                     grade of its parts",
                    item.grade, part.grade
                ));
            }
        }
        Ok(())
    }

    /// The item in whose name sums of an item are held against each other: derived items and their parts
    /// tell of each other, so that all they are connected with are one.
    #[must_use]
    pub fn pooled<'d>(&'d self, name: &'d ItemName) -> &'d ItemName {
        let mut connected = BTreeSet::from([name]);
        for _ in &self.items {
            for item in &self.items {
                let Some(derivation) = &item.derived else {
                    continue;
                };
                let mut parts = derivation.parts();
                parts.insert(&item.name);
                if !parts.is_disjoint(&connected) {
                    connected.extend(parts);
                }
            }
        }
        let mut items = self.items.iter().map(|item| &item.name);
        items.find(|item| connected.contains(item)).unwrap_or(name)
    }
}

const fn is_measured(kind: Kind) -> bool {
    matches!(kind, Kind::Amount | Kind::Count | Kind::Ratio)
}

// === reading ===

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Value(Formula),
    Operator(Arithmetic),
    Open,
    Close,
}

impl std::str::FromStr for Derivation {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let unreadable = || Unreadable::new("derivation", text, REMEDY);
        if text.chars().count() > LENGTH_MAX {
            return Err(unreadable());
        }
        let mut tokens = tokens(text).ok_or_else(unreadable)?;
        tokens.reverse();
        let formula = sum(&mut tokens, DEPTH_MAX).ok_or_else(unreadable)?;
        if !tokens.is_empty() {
            return Err(unreadable());
        }
        let text = text.trim().to_owned();
        Ok(Self { text, formula })
    }
}

/// The words of a text; none if one is none.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let single = match first {
            '+' => Some(Token::Operator(Arithmetic::Add)),
            '-' => Some(Token::Operator(Arithmetic::Subtract)),
            '*' => Some(Token::Operator(Arithmetic::Multiply)),
            '/' => Some(Token::Operator(Arithmetic::Divide)),
            '(' => Some(Token::Open),
            ')' => Some(Token::Close),
            _ => None,
        };
        let length = match (&single, first) {
            (Some(_), _) => 1,
            (None, '"') => rest.get(1..)?.find('"')? + 2,
            (None, _) => {
                let ends = |c: char| !(c.is_alphanumeric() || c == '_' || c == '.');
                rest.find(ends).unwrap_or(rest.len())
            }
        };
        let (word, after) = rest.split_at_checked(length)?;
        let token = match single {
            Some(token) => token,
            None => Token::Value(value(word)?),
        };
        found.push(token);
        rest = after.trim_start();
    }
    Some(found)
}

fn value(word: &str) -> Option<Formula> {
    if let Some(quoted) = word.strip_prefix('"') {
        return Some(Formula::Item(quoted.strip_suffix('"')?.parse().ok()?));
    }
    if !word.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(Formula::Item(word.parse().ok()?));
    }
    if let Ok(whole) = word.parse() {
        return Some(Formula::Whole(whole));
    }
    let plain = word.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = word.parse().ok().filter(|_| plain)?;
    number.is_finite().then_some(Formula::Number(number))
}

/// Products, added and subtracted from the left.
fn sum(tokens: &mut Vec<Token>, depth: usize) -> Option<Formula> {
    let mut left = product(tokens, depth)?;
    while let Some(Token::Operator(operator @ (Arithmetic::Add | Arithmetic::Subtract))) =
        tokens.last().cloned()
    {
        tokens.pop();
        let right = product(tokens, depth)?;
        left = Formula::Computed(Box::new(left), operator, Box::new(right));
    }
    Some(left)
}

/// Factors, multiplied and divided from the left.
fn product(tokens: &mut Vec<Token>, depth: usize) -> Option<Formula> {
    let mut left = factor(tokens, depth)?;
    while let Some(Token::Operator(operator @ (Arithmetic::Multiply | Arithmetic::Divide))) =
        tokens.last().cloned()
    {
        tokens.pop();
        let right = factor(tokens, depth)?;
        left = Formula::Computed(Box::new(left), operator, Box::new(right));
    }
    Some(left)
}

fn factor(tokens: &mut Vec<Token>, depth: usize) -> Option<Formula> {
    let depth = depth.checked_sub(1)?;
    match tokens.pop()? {
        Token::Value(value) => Some(value),
        Token::Open => {
            let inside = sum(tokens, depth)?;
            (tokens.pop()? == Token::Close).then_some(inside)
        }
        Token::Operator(Arithmetic::Subtract) => {
            let (none, value) = (Formula::Whole(0), factor(tokens, depth)?);
            Some(Formula::Computed(
                Box::new(none),
                Arithmetic::Subtract,
                Box::new(value),
            ))
        }
        Token::Operator(_) | Token::Close => None,
    }
}

impl TryFrom<String> for Derivation {
    type Error = Unreadable;
    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

impl From<Derivation> for String {
    fn from(derivation: Derivation) -> String {
        derivation.text
    }
}

impl std::fmt::Display for Derivation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;
