use crate::basis::Basis;
use crate::guess::guess;
use crate::name::named;
use crate::tally::Tally;
use crate::value::{Look, look};
use policy::MaskTable;
use terms::{Grade, Item, ItemName, Kind, Mask, Type};
use vault::{Sample, SampledColumn, Stored};

/// What a data file seems to hold; nothing of it stands before a person has confirmed it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Rows in the file.
    pub rows: u64,
    /// Rows that were looked at.
    pub looked_at: usize,
    /// The item whose values seem to be the people the data is about.
    pub subject: Option<ItemName>,
    /// The columns, in the order of the file.
    pub items: Vec<Described>,
}

/// What one column seems to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Its name.
    pub name: ItemName,
    /// The kind guessed; [`Kind::Other`] where nothing tells.
    pub kind: Kind,
    /// The grade by the nature of that kind; none where nothing tells, so that a person grades it.
    pub grade: Option<Grade>,
    /// A mask that the table permits at this kind and grade, and that fits the type.
    pub mask: Option<Mask>,
    /// On what all that rests.
    pub basis: Vec<Basis>,
}

/// Why no entry can be drafted of a file. Columns are told by their place, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undescribable {
    /// The file has no column.
    #[error("it has no columns / 文件没有列")]
    NoColumns,
    /// Names that no item can have; the data could not be taken in under others.
    #[error(
        "column {0}: items are named with 1 to 64 letters, digits, `_` or `-`; rename it in the file / \
         第 {0} 列：数据项名为 1 至 64 个字母（含汉字）、数字、`_` 或 `-`，请在文件中改名"
    )]
    Name(Places),
    /// One name for two columns.
    #[error("column {0}: the name stands before already / 第 {0} 列：列名重复")]
    Twice(Places),
    /// What should be names looks like data.
    #[error(
        "column {0}: the first line has a value where a name should be; give the file a line of names / \
         第 {0} 列：首行是数据而非列名，请补上列名行"
    )]
    NoNames(Places),
}

/// Columns by their places, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places(Vec<usize>);

/// Drafts an entry of what was looked at.
///
/// # Errors
/// [`Undescribable`], by columns, never by a value.
pub fn describe(sample: &Sample, masks: &MaskTable) -> Result<Entry, Undescribable> {
    let names = item_names(&sample.columns)?;
    let guesses = sample.columns.iter().map(|column| {
        let tally = Tally::of(column.values.iter().flatten().map(AsRef::as_ref));
        guess(&column.name, &column.stored, &tally)
    });
    let guesses: Vec<_> = guesses.collect();
    let people = guesses
        .iter()
        .any(|guess| guess.of_people || is_of_people(guess.kind));
    let mut items = Vec::new();
    for ((mut guess, name), column) in guesses.iter().cloned().zip(names).zip(&sample.columns) {
        if people && guess.kind == Kind::Amount && guess.grade == Some(Grade::Two) {
            guess.grade = Some(Grade::Three);
            guess.basis.push(Basis::OfPeople);
        }
        let mut item = Described {
            name,
            kind: guess.kind,
            grade: guess.grade,
            mask: None,
            basis: guess.basis,
        };
        item.mask(masks, &column.stored);
        items.push(item);
    }
    let is_subject = |item: &&Described| item.grade.is_some_and(|grade| grade < Grade::Four);
    let of_people = |at: usize| guesses.get(at).is_some_and(|guess| guess.of_people);
    let candidates = || {
        items
            .iter()
            .enumerate()
            .filter(|(_, item)| is_subject(item))
    };
    let subject = candidates()
        .find(|(_, item)| item.kind == Kind::ResidentId)
        .or_else(|| candidates().find(|(at, item)| item.kind == Kind::SubjectId && of_people(*at)))
        .or_else(|| candidates().find(|(_, item)| people && item.kind == Kind::SubjectId));
    Ok(Entry {
        rows: sample.rows,
        looked_at: sample.looked_at,
        subject: subject.map(|(_, item)| item.name.clone()),
        items,
    })
}

/// Whether a column of this kind says that rows are about people.
fn is_of_people(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ResidentId | Kind::PersonName | Kind::Phone | Kind::BankAccount | Kind::SocialAccount
    )
}

/// The names of the columns as items have them.
fn item_names(columns: &[SampledColumn]) -> Result<Vec<ItemName>, Undescribable> {
    if columns.is_empty() {
        return Err(Undescribable::NoColumns);
    }
    let places = |wrong: &dyn Fn(&SampledColumn) -> bool| {
        let numbered = columns
            .iter()
            .enumerate()
            .map(|(at, column)| (at + 1, column));
        let found = numbered.filter(|(_, column)| wrong(column));
        Some(Places(found.map(|(place, _)| place).collect())).filter(|places| !places.0.is_empty())
    };
    if let Some(places) = places(&is_data) {
        return Err(Undescribable::NoNames(places));
    }
    let name = |column: &SampledColumn| column.name.parse::<ItemName>();
    if let Some(places) = places(&|column| name(column).is_err()) {
        return Err(Undescribable::Name(places));
    }
    let before = |column: &SampledColumn| {
        let first = columns.iter().find(|other| other.name == column.name);
        !first.is_some_and(|first| std::ptr::eq(first, column))
    };
    if let Some(places) = places(&before) {
        return Err(Undescribable::Twice(places));
    }
    Ok(columns
        .iter()
        .filter_map(|column| name(column).ok())
        .collect())
}

/// Whether the first line of a CSV file has a value for this column, and no name: a number, a day, an
/// address, a person's name above persons' names, or what is often among the values too. So no value is
/// taken for a name.
fn is_data(column: &SampledColumn) -> bool {
    if column.stored != Stored::Written {
        return false;
    }
    let values = || column.values.iter().flatten();
    let again = values()
        .filter(|value| value.as_ref() == column.name)
        .count();
    if again > 0 && again * 50 >= values().count() {
        return true;
    }
    match look(&column.name) {
        Look::Text => terms::Shape::within(&column.name).is_some(),
        Look::PersonName => {
            let like = values()
                .filter(|value| look(value) == Look::PersonName)
                .count();
            named(&column.name).is_none() && like * 2 > values().count()
        }
        // A title such as 无锡市滨湖区人口 may well have the words of an address in it.
        Look::Address => named(&column.name).is_none(),
        Look::Shaped(_) | Look::Plate | Look::Day { .. } | Look::Whole | Look::Fraction { .. } => {
            true
        }
    }
}

// === impl Described ===

impl Described {
    /// The table's mask for this kind and grade, or none of the value where that does not fit its type.
    fn mask(&mut self, masks: &MaskTable, stored: &Stored) {
        let Some(grade) = self.grade else {
            return;
        };
        let item = Item::new(self.name.clone(), self.kind, grade);
        let mask = masks.of(&item);
        let plain = match stored {
            Stored::Plain(plain) => Some(*plain),
            Stored::Written => Some(self.written()),
            Stored::NotPlain(_) => None,
        };
        let fits = plain.is_none_or(|plain| mask.shown_type(plain).is_some());
        self.mask = Some(if fits { mask } else { Mask::Suppress });
        if !fits {
            self.basis.push(Basis::Unfit(mask));
        }
    }

    /// The type that values of this kind get when they are taken in from text.
    fn written(&self) -> Type {
        match self.kind {
            Kind::Date => Type::Date,
            Kind::Amount | Kind::Count | Kind::Ratio => Type::Float,
            Kind::SubjectId
            | Kind::ResidentId
            | Kind::PersonName
            | Kind::Phone
            | Kind::BankAccount
            | Kind::SocialAccount
            | Kind::Email
            | Kind::Address
            | Kind::Plate
            | Kind::Code
            | Kind::FreeText
            | Kind::Other => Type::Text,
        }
    }
}

// === impl Places ===

impl std::fmt::Display for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let places: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&places.join(", "))
    }
}
