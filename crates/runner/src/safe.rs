//! Order statistics over raw values that name no single subject: percentiles with k subjects on each
//! side, the k-th subject from below and above, each rounded down to a band.
//!
//! Source: design, "Approved aggregates"; SACRO, percentiles and extremes.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type},
};
use datafusion::{
    common::ScalarValue,
    error::{DataFusionError, Result},
    logical_expr::{
        Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};
use std::{collections::HashSet, sync::Arc};

/// Which statistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Statistic {
    /// `safe_quantile(value, subject, share, k, band)`.
    Quantile,
    /// `safe_min(value, subject, k, band)`.
    Min,
    /// `safe_max(value, subject, k, band)`.
    Max,
}

/// The aggregate as the engine calls it.
pub(crate) fn safe(statistic: Statistic) -> AggregateUDF {
    let arguments = match statistic {
        Statistic::Quantile => 5,
        Statistic::Min | Statistic::Max => 4,
    };
    let signature = Signature::any(arguments, Volatility::Immutable);
    AggregateUDF::from(Safe {
        signature,
        statistic,
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Safe {
    signature: Signature,
    statistic: Statistic,
}

/// The values of one group with their subjects, and the literal arguments as they came.
struct Values {
    statistic: Statistic,
    values: Vec<(f64, i64)>,
    share: f64,
    k: i64,
    band: f64,
}

fn broken() -> DataFusionError {
    DataFusionError::Internal("safe statistic".into())
}

impl AggregateUDFImpl for Safe {
    fn name(&self) -> &str {
        match self.statistic {
            Statistic::Quantile => "safe_quantile",
            Statistic::Min => "safe_min",
            Statistic::Max => "safe_max",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Values {
            statistic: self.statistic,
            values: Vec::new(),
            share: 0.0,
            k: i64::MAX,
            band: 0.0,
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format!("{}[values]", args.name);
        Ok(vec![Arc::new(Field::new(name, DataType::Binary, true))])
    }
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // They are personal.
        f.debug_struct("Values").finish_non_exhaustive()
    }
}

impl Values {
    /// The statistic, or none where it would speak of fewer than k.
    fn told(&self) -> Option<f64> {
        let known = self.k >= 1 && self.band > 0.0 && (0.0..=1.0).contains(&self.share);
        let k = usize::try_from(self.k).ok().filter(|_| known)?;
        let value = match self.statistic {
            Statistic::Quantile => self.quantile(k),
            Statistic::Min => self.nth_subject(k, false),
            Statistic::Max => self.nth_subject(k, true),
        }?;
        Some((value / self.band).floor() * self.band)
    }

    /// The value at a share of the way through all, if k subjects stand on each side of it.
    fn quantile(&self, k: usize) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
        let last = sorted.len().checked_sub(1)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a length is a place in it"
        )]
        let at = (self.share * last as f64).floor() as usize;
        let (value, _) = sorted.get(at)?;
        let subjects =
            |side: &[(f64, i64)]| side.iter().map(|(_, s)| *s).collect::<HashSet<_>>().len();
        let below = sorted.get(..=at).map_or(0, subjects);
        let above = sorted.get(at..).map_or(0, subjects);
        (below >= k && above >= k).then_some(*value)
    }

    /// The value of the k-th subject from below, or from above.
    fn nth_subject(&self, k: usize, from_above: bool) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
        if from_above {
            sorted.reverse();
        }
        let mut seen = HashSet::new();
        let nth = sorted
            .iter()
            .find(|(_, subject)| seen.insert(*subject) && seen.len() == k);
        nth.map(|(value, _)| *value)
    }
}

impl Accumulator for Values {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let (values, subjects, share, k, band) = match columns {
            [values, subjects, share, k, band] => (values, subjects, Some(share), k, band),
            [values, subjects, k, band] => (values, subjects, None, k, band),
            _ => return Err(broken()),
        };
        let float = |column: &ArrayRef| column.as_primitive_opt::<Float64Type>().cloned();
        let whole = |column: &ArrayRef| column.as_primitive_opt::<Int64Type>().cloned();
        let (values, subjects) = (float(values).zip(whole(subjects))).ok_or_else(broken)?;
        if values.is_empty() {
            return Ok(());
        }
        self.k = whole(k).ok_or_else(broken)?.value(0);
        self.band = float(band).ok_or_else(broken)?.value(0);
        if let Some(share) = share {
            self.share = float(share).ok_or_else(broken)?.value(0);
        }
        for at in 0..values.len() {
            if values.is_valid(at) && subjects.is_valid(at) {
                self.values.push((values.value(at), subjects.value(at)));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.told()))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * 16
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut bytes = Vec::with_capacity(24 + self.values.len() * 16);
        bytes.extend(self.share.to_le_bytes());
        bytes.extend(self.k.to_le_bytes());
        bytes.extend(self.band.to_le_bytes());
        for (value, subject) in &self.values {
            bytes.extend(value.to_le_bytes());
            bytes.extend(subject.to_le_bytes());
        }
        Ok(vec![ScalarValue::Binary(Some(bytes))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let states = states.first().and_then(|s| s.as_binary_opt::<i32>());
        for state in states.ok_or_else(broken)?.iter().flatten() {
            let mut words = state
                .chunks_exact(8)
                .filter_map(|word| word.try_into().ok());
            let (Some(share), Some(k), Some(band)) = (words.next(), words.next(), words.next())
            else {
                return Err(broken());
            };
            let k = i64::from_le_bytes(k);
            if k != i64::MAX {
                (self.share, self.k) = (f64::from_le_bytes(share), k);
                self.band = f64::from_le_bytes(band);
            }
            while let (Some(value), Some(subject)) = (words.next(), words.next()) {
                let pair = (f64::from_le_bytes(value), i64::from_le_bytes(subject));
                self.values.push(pair);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(statistic: Statistic, values: &[(f64, i64)], share: f64) -> Option<f64> {
        let (k, band) = (3, 10.0);
        let values = values.to_vec();
        Values {
            statistic,
            values,
            share,
            k,
            band,
        }
        .told()
    }

    #[test]
    fn a_median_needs_k_subjects_on_each_side() {
        let many: Vec<(f64, i64)> = (0..10)
            .map(|n| (f64::from(n) * 7.0, i64::from(n)))
            .collect();
        assert_eq!(
            of(Statistic::Quantile, &many, 0.5),
            Some(20.0),
            "28 in its band"
        );
        assert_eq!(
            of(Statistic::Quantile, &many, 0.1),
            None,
            "one subject below"
        );
        let one_person: Vec<(f64, i64)> = (0..10).map(|n| (f64::from(n), 1)).collect();
        assert_eq!(
            of(Statistic::Quantile, &one_person, 0.5),
            None,
            "rows are not subjects"
        );
        assert_eq!(of(Statistic::Quantile, &[], 0.5), None);
    }

    #[test]
    fn extremes_are_those_of_the_k_th_subject() {
        let values = [
            (1.0, 1),
            (2.0, 1),
            (11.0, 2),
            (25.0, 3),
            (99.0, 4),
            (98.0, 4),
        ];
        assert_eq!(of(Statistic::Min, &values, 0.0), Some(20.0));
        assert_eq!(of(Statistic::Max, &values, 0.0), Some(10.0));
        assert_eq!(of(Statistic::Max, &values[..3], 0.0), None);
    }

    #[test]
    fn a_state_says_all() {
        let values: Vec<(f64, i64)> = (0..9)
            .map(|n| (f64::from(n) * 10.0, i64::from(n)))
            .collect();
        let make = |part: &[(f64, i64)]| Values {
            statistic: Statistic::Quantile,
            values: part.to_vec(),
            share: 0.5,
            k: 3,
            band: 10.0,
        };
        let mut whole = Values {
            k: i64::MAX,
            share: 0.0,
            band: 0.0,
            ..make(&[])
        };
        for part in values.chunks(4) {
            let state = make(part).state().unwrap();
            whole.merge_batch(&[state[0].to_array().unwrap()]).unwrap();
        }
        assert_eq!(whole.told(), make(&values).told());
        assert_eq!(whole.told(), Some(40.0));
    }
}
