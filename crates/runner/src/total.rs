//! Division and remainder that have no value where there is none, instead of ending the statement: over
//! protected rows an error would tell that one of them makes it.

use arrow::{
    array::{ArrayRef, AsArray, Float64Array, Int64Array},
    datatypes::{DataType, Float64Type, Int64Type},
};
use datafusion::{
    error::{DataFusionError, Result},
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};
use std::sync::Arc;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Of {
    /// `divide_or_null(left, right)`.
    Quotient,
    /// `modulo_or_null(left, right)`.
    Remainder,
}

/// The function as the engine calls it, over two whole numbers or two floats.
pub(crate) fn total(of: Of) -> ScalarUDF {
    let signature = Signature::any(2, Volatility::Immutable);
    ScalarUDF::from(Total { signature, of })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Total {
    signature: Signature,
    of: Of,
}

fn broken() -> DataFusionError {
    DataFusionError::Internal("total function".into())
}

impl ScalarUDFImpl for Total {
    fn name(&self) -> &str {
        match self.of {
            Of::Quotient => "divide_or_null",
            Of::Remainder => "modulo_or_null",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        arguments.first().cloned().ok_or_else(broken)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return Err(broken());
        };
        let left = left.to_array(args.number_rows)?;
        let right = right.to_array(args.number_rows)?;
        Ok(ColumnarValue::Array(self.of.over(&left, &right)?))
    }
}

impl Of {
    fn over(self, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
        let whole = |column: &ArrayRef| column.as_primitive_opt::<Int64Type>().cloned();
        if let Some((left, right)) = whole(left).zip(whole(right)) {
            let one = |left: i64, right: i64| match self {
                Self::Quotient => left.checked_div(right),
                Self::Remainder => left.checked_rem(right),
            };
            let pairs = left.iter().zip(right.iter());
            let results = pairs.map(|(left, right)| one(left?, right?));
            return Ok(Arc::new(results.collect::<Int64Array>()));
        }
        let float = |column: &ArrayRef| column.as_primitive_opt::<Float64Type>().cloned();
        let (left, right) = float(left).zip(float(right)).ok_or_else(broken)?;
        let one = |left: f64, right: f64| match self {
            _ if right == 0.0 => None,
            Self::Quotient => Some(left / right),
            Self::Remainder => Some(left % right),
        };
        let pairs = left.iter().zip(right.iter());
        let results = pairs.map(|(left, right)| one(left?, right?));
        Ok(Arc::new(results.collect::<Float64Array>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_quotient_has_no_value() {
        let whole =
            |values: &[Option<i64>]| Arc::new(Int64Array::from(values.to_vec())) as ArrayRef;
        let left = whole(&[Some(7), Some(-7), Some(i64::MIN), None, Some(1)]);
        let right = whole(&[Some(2), Some(0), Some(-1), Some(1), None]);
        let of = |of: Of| of.over(&left, &right).unwrap();
        assert_eq!(
            &of(Of::Quotient),
            &whole(&[Some(3), None, None, None, None])
        );
        assert_eq!(
            &of(Of::Remainder),
            &whole(&[Some(1), None, None, None, None])
        );
        let float = |values: &[f64]| Arc::new(Float64Array::from(values.to_vec())) as ArrayRef;
        let halves = Of::Quotient.over(&float(&[1.0, 1.0]), &float(&[2.0, -0.0]));
        assert_eq!(
            halves.unwrap().as_primitive::<Float64Type>(),
            &Float64Array::from(vec![Some(0.5), None])
        );
    }
}
