use arrow::{array::AsArray, datatypes::DataType};
use datafusion::{
    error::{DataFusionError, Result},
    logical_expr::{
        ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    },
};
use std::sync::Arc;

/// `witness_subjects(witness)`: how many subjects it counted. The engine's own field access is pushed
/// about by its optimiser, which this is not.
pub(crate) fn subjects() -> ScalarUDF {
    ScalarUDF::from(Subjects {
        signature: Signature::any(1, Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Subjects {
    signature: Signature,
}

impl ScalarUDFImpl for Subjects {
    fn name(&self) -> &str {
        "witness_subjects"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let broken = || DataFusionError::Internal("witness".into());
        let [witness] = args.args.as_slice() else {
            return Err(broken());
        };
        let witness = witness.to_array(args.number_rows)?;
        let whole = witness.as_struct_opt().ok_or_else(broken)?;
        let counts = whole.column_by_name("subjects").ok_or_else(broken)?;
        // A missing witness has no count, whatever stands beneath.
        let nulls = arrow::compute::is_null(&witness)?;
        let counts = arrow::compute::nullif(counts, &nulls)?;
        Ok(ColumnarValue::Array(Arc::clone(&counts)))
    }
}
