use crate::Figures;
use std::collections::BTreeMap;
use terms::LicenceId;

/// What is paid, read from a domain's `fees.toml`.
///
/// Source: AO-16 (the operator pays resources, masking and export), AO-22, AO-23 (public interest free,
/// industry paid).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fees {
    currency: String,
    standards: BTreeMap<Class, Standard>,
    licences: BTreeMap<LicenceId, Class>,
}

/// For what an operator uses data. Source: AO-23.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// 公共治理、公益事业: nothing is paid.
    PublicInterest,
    /// 产业发展、行业发展: the standard is paid. Whatever is not named otherwise.
    Industrial,
}

/// A fee file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unpriced(String);

/// An amount of money in millionths of the currency's unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(u128);

/// One line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// What is paid for, as the fee file names it.
    pub item: &'static str,
    /// How much of it, in single units: milliseconds, bytes, values, cells, packages, answers.
    pub quantity: u64,
    /// How many single units the price is for.
    pub per: u64,
    /// The price.
    pub price: Money,
    /// What is paid, to the hundredth, halves up.
    pub amount: Money,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    currency: String,
    standard: BTreeMap<Class, BTreeMap<String, String>>,
    #[serde(default)]
    licence: BTreeMap<LicenceId, OfLicence>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct OfLicence {
    class: Class,
}

/// Prices by item; what is not named is free.
type Standard = BTreeMap<&'static str, Money>;

/// What can be paid for: its name in the file, how many single units its price is for, and how many
/// single units there are.
type Item = (&'static str, u64, fn(&Figures) -> u64);

const ITEMS: [Item; 6] = [
    ("processor_hour", 3_600_000, |figures| figures.used.cpu_ms()),
    ("scanned_gibibyte", 1 << 30, |figures| {
        figures.used.scanned_bytes
    }),
    ("masked_million", 1_000_000, |figures| {
        figures.used.values_masked
    }),
    ("cells_million", 1_000_000, |figures| figures.used.cells),
    ("export", 1, |figures| {
        figures.exported.saturating_sub(figures.exported_free)
    }),
    ("answer", 1, |figures| figures.answered),
];

/// A hundredth in millionths: what amounts are rounded to.
const CENT: u128 = 10_000;

impl Fees {
    /// Reads a fee file.
    ///
    /// # Errors
    /// [`Unpriced`], naming what cannot be read.
    pub fn read(text: &str) -> Result<Self, Unpriced> {
        let file: File = toml::from_str(text).map_err(|error| Unpriced(error.to_string()))?;
        let mut standards = BTreeMap::new();
        for (class, prices) in &file.standard {
            if *class == Class::PublicInterest {
                let what = "public interest is free (AO-23); give no standard for it";
                return Err(Unpriced(what.to_owned()));
            }
            let mut standard = Standard::new();
            for (name, price) in prices {
                let known = ITEMS.iter().find(|(known, ..)| known == name);
                let names = ITEMS.map(|(name, ..)| name).join(", ");
                let unknown = || Unpriced(format!("`{name}` is not paid for; one of {names}"));
                let (known, ..) = known.ok_or_else(unknown)?;
                standard.insert(*known, price.parse()?);
            }
            standards.insert(*class, standard);
        }
        let licences = file.licence.into_iter().map(|(id, of)| (id, of.class));
        Ok(Self {
            currency: file.currency,
            standards,
            licences: licences.collect(),
        })
    }

    /// Where there is no fee file: nothing is paid.
    #[must_use]
    pub fn none() -> Self {
        Self {
            currency: "CNY".to_owned(),
            standards: BTreeMap::new(),
            licences: BTreeMap::new(),
        }
    }

    /// The currency's code.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The class of a licence.
    #[must_use]
    pub fn class(&self, licence: &LicenceId) -> Class {
        self.licences
            .get(licence)
            .copied()
            .unwrap_or(Class::Industrial)
    }

    /// What a class pays for these operations.
    #[must_use]
    pub fn lines(&self, class: Class, figures: &Figures) -> Vec<Line> {
        let standard = self.standards.get(&class);
        let priced = |(item, per, quantity): &Item| {
            let price = *standard?.get(item)?;
            let quantity = quantity(figures);
            let amount = price.times(quantity, *per);
            let (item, per) = (*item, *per);
            Some(Line {
                item,
                quantity,
                per,
                price,
                amount,
            })
        };
        ITEMS.iter().filter_map(priced).collect()
    }
}

impl Money {
    /// The price of a quantity, rounded to the hundredth, halves up.
    fn times(self, quantity: u64, per: u64) -> Self {
        let whole = self.0.saturating_mul(u128::from(quantity));
        let cents = u128::from(per.max(1)) * CENT;
        Self(whole.saturating_add(cents / 2) / cents * CENT)
    }

    /// All together.
    #[must_use]
    pub fn sum(lines: &[Line]) -> Self {
        Self(lines.iter().map(|line| line.amount.0).sum())
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::str::FromStr for Money {
    type Err = Unpriced;

    /// Digits, and up to six decimals.
    fn from_str(text: &str) -> Result<Self, Unpriced> {
        let wrong = || {
            Unpriced(format!(
                "`{text}` is no price: digits and up to six decimals"
            ))
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 6 || whole.len() > 12 {
            return Err(wrong());
        }
        let millionths = format!("{whole}{part:0<6}");
        millionths.parse().map(Self).map_err(|_| wrong())
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, part) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if part % CENT == 0 {
            write!(f, "{whole}.{:02}", part / CENT)
        } else {
            write!(f, "{whole}.{part:06}")
        }
    }
}

impl serde::Serialize for Money {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PublicInterest => "公益 public interest",
            Self::Industrial => "产业 industrial",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::Usage;

    const FILE: &str = "currency = \"CNY\"\n[standard.industrial]\nprocessor_hour = \"3.60\"\n\
        masked_million = \"0.5\"\nexport = \"100\"\n[licence.l-2]\nclass = \"public-interest\"\n";

    fn figures() -> Figures {
        Figures {
            exported: 2,
            used: Usage {
                planner_cpu_ms: 5,
                runner_cpu_ms: 5_000,
                scanned_bytes: 1 << 40,
                values_masked: 30_000,
                cells: 9,
                register_parts: 0,
            },
            ..Figures::default()
        }
    }

    #[test]
    fn what_is_priced_is_paid_to_the_cent_and_halves_go_up() {
        let fees = Fees::read(FILE).unwrap();
        let lines = fees.lines(Class::Industrial, &figures());
        let amounts: Vec<_> = lines
            .iter()
            .map(|l| (l.item, l.amount.to_string()))
            .collect();
        // 5,005 ms at 3.60 an hour are 0.005005: a cent. 30,000 values at 0.50 a million: 0.015.
        let wanted = [
            ("processor_hour", "0.01"),
            ("masked_million", "0.02"),
            ("export", "200.00"),
        ];
        assert_eq!(
            amounts,
            wanted.map(|(item, amount)| (item, amount.to_owned()))
        );
        assert_eq!(Money::sum(&lines).to_string(), "200.03");
    }

    #[test]
    fn public_interest_is_free_and_whatever_is_not_named_is_industrial() {
        let fees = Fees::read(FILE).unwrap();
        let class = fees.class(&"l-2".parse().unwrap());
        assert_eq!(class, Class::PublicInterest);
        assert_eq!(fees.lines(class, &figures()), []);
        assert_eq!(fees.class(&"l-1".parse().unwrap()), Class::Industrial);
        assert_eq!(Fees::none().lines(Class::Industrial, &figures()), []);
    }

    #[test]
    fn a_fee_file_that_says_anything_else_is_refused() {
        for (from, to) in [
            ("3.60", "3.6000001"),
            ("3.60", "-3"),
            ("3.60", "1e3"),
            ("3.60", ""),
            ("processor_hour", "processor_minute"),
            ("standard.industrial", "standard.public-interest"),
            ("standard.industrial", "standard.free"),
            ("currency", "curency"),
        ] {
            assert!(
                Fees::read(&FILE.replace(from, to)).is_err(),
                "{from} → {to}"
            );
        }
    }
}
