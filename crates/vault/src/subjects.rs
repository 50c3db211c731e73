use crate::{SUBJECT_COLUMN, SourceKeys, Unkept, sealed_file};
use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::encryption::decrypt::FileDecryptionProperties;

/// Reads the one column that says which rows have the same subject.
pub(crate) fn read(source: &SourceKeys) -> Result<Vec<Option<u32>>, Unkept> {
    let unreadable = || Unkept::Unreadable {
        path: source.path.clone(),
    };
    let key = source
        .columns
        .iter()
        .find(|(name, _)| name == SUBJECT_COLUMN);
    let (_, key) = key.ok_or_else(unreadable)?;
    let properties = FileDecryptionProperties::builder(source.footer_key.bytes().to_vec())
        .with_column_key(SUBJECT_COLUMN, key.bytes().to_vec())
        .build()
        .map_err(|_| unreadable())?;
    let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
    let file = sealed_file::opened(&source.path).map_err(|_| unreadable())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(|_| unreadable())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [SUBJECT_COLUMN]);
    let reader = builder
        .with_projection(mask)
        .build()
        .map_err(|_| unreadable())?;
    let mut numbers = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|_| unreadable())?;
        let column = batch.columns().first().ok_or_else(unreadable)?;
        let column = column
            .as_primitive_opt::<Int64Type>()
            .ok_or_else(unreadable)?;
        for row in 0..column.len() {
            let number = column
                .is_valid(row)
                .then(|| u32::try_from(column.value(row)));
            numbers.push(number.transpose().map_err(|_| unreadable())?);
        }
    }
    Ok(numbers)
}
