//! A call that has no value where it fails, instead of ending the statement: over protected rows an error
//! would tell that one of them makes it.
//!
//! The engine's own function is run over whole columns; only where that fails are the rows that it fails for
//! looked for, by halves.

use crate::{Failed, translate::named};
use arrow::{
    array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array},
    compute::concat,
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
};
use datafusion::{
    common::{
        DFSchema,
        tree_node::{TransformedResult, TreeNode},
    },
    error::{DataFusionError, Result},
    logical_expr::{
        ColumnarValue, Expr as E, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
        Signature, Volatility, execution_props::ExecutionProps,
        physical_planning_context::PhysicalPlanningContext,
    },
    optimizer::analyzer::type_coercion::TypeCoercionRewriter,
    physical_expr::{PhysicalExpr, create_physical_expr},
};

/// The call that `make` makes of these arguments. What is written stays in it, since the engine asks it of
/// some functions; columns and what is computed come to it as columns.
pub(crate) fn or_null(
    arguments: Vec<E>,
    make: impl FnOnce(Vec<E>) -> std::result::Result<E, Failed>,
) -> std::result::Result<E, Failed> {
    let mut passed = Vec::new();
    let inside = |argument: E| match argument {
        written @ E::Literal(..) => written,
        computed => {
            passed.push(computed);
            named(&column(passed.len() - 1))
        }
    };
    let call = make(arguments.into_iter().map(inside).collect())?;
    let signature = match passed.len() {
        0 => Signature::nullary(Volatility::Immutable),
        some => Signature::any(some, Volatility::Immutable),
    };
    let name = format!("or_null({call})");
    let udf = ScalarUDF::from(OrNull {
        name,
        call,
        signature,
    });
    Ok(udf.call(passed))
}

fn column(at: usize) -> String {
    format!("a{at}")
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OrNull {
    /// With the call in it: the engine tells columns apart by what they are called.
    name: String,
    call: E,
    signature: Signature,
}

impl ScalarUDFImpl for OrNull {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let (call, schema) = self.over(arguments)?;
        call.get_type(&schema)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = args.args.iter();
        let columns = columns.map(|column| column.to_array(args.number_rows));
        let columns: Vec<ArrayRef> = columns.collect::<Result<_>>()?;
        let types: Vec<DataType> = columns
            .iter()
            .map(|column| column.data_type().clone())
            .collect();
        let (call, schema) = self.over(&types)?;
        let physical = create_physical_expr(
            &call,
            &schema,
            &ExecutionProps::new(),
            &PhysicalPlanningContext::default(),
        )?;
        let rows = RecordBatchOptions::new().with_row_count(Some(args.number_rows));
        let batch = RecordBatch::try_new_with_options(schema.inner().clone(), columns, &rows)?;
        let data_type = args.return_field.data_type();
        Ok(ColumnarValue::Array(each(&*physical, &batch, data_type)?))
    }
}

impl OrNull {
    /// The call over columns of these types.
    fn over(&self, types: &[DataType]) -> Result<(E, DFSchema)> {
        let fields = types.iter().enumerate();
        let fields = fields.map(|(at, data_type)| Field::new(column(at), data_type.clone(), true));
        let schema = DFSchema::try_from(Schema::new(fields.collect::<Vec<_>>()))?;
        let coerced = self
            .call
            .clone()
            .rewrite(&mut TypeCoercionRewriter::new(&schema));
        let call = coerced.data()?;
        Ok((call, schema))
    }
}

/// What a call gives for each row; nothing where it fails.
fn each(call: &dyn PhysicalExpr, rows: &RecordBatch, data_type: &DataType) -> Result<ArrayRef> {
    let count = rows.num_rows();
    let why = match call
        .evaluate(rows)
        .and_then(|value| value.into_array(count))
    {
        Ok(values) => return Ok(values),
        Err(why) => why,
    };
    match count {
        _ if !is_of_values(&why) => Err(why),
        0 | 1 => Ok(new_null_array(data_type, count)),
        _ => {
            let half = count / 2;
            let first = each(call, &rows.slice(0, half), data_type)?;
            let rest = each(call, &rows.slice(half, count - half), data_type)?;
            Ok(concat(&[&*first, &*rest])?)
        }
    }
}

/// Whether an error is about the values, and not about memory or a call that is none.
fn is_of_values(why: &DataFusionError) -> bool {
    match why.find_root() {
        DataFusionError::Execution(_) => true,
        DataFusionError::ArrowError(why, _) => !matches!(
            **why,
            ArrowError::MemoryError(_) | ArrowError::OffsetOverflowError(_)
        ),
        _ => false,
    }
}
