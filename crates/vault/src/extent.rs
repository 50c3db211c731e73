use crate::{ROW_COLUMN, SUBJECT_COLUMN, SourceKeys, Unkept, sealed_file};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::encryption::decrypt::FileDecryptionProperties;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// How much of a snapshot some columns are, as it lies on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Rows of the snapshot.
    pub rows: u64,
    /// Bytes of the items' columns, compressed and sealed.
    pub bytes: u64,
}

/// The most extents kept; beyond it all are forgotten and read anew.
const KEPT_MAX: usize = 4096;

/// A file, and the columns of it that were asked for.
type Asked = (PathBuf, Vec<String>);

/// Extents read already: a stored file never changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extents(Arc<Mutex<BTreeMap<Asked, Extent>>>);

impl Extents {
    /// The extent of the items of a source.
    pub(crate) fn of(&self, source: &SourceKeys) -> Result<Extent, Unkept> {
        let names = source.columns.iter().map(|(name, _)| name.clone());
        let key = (source.path.clone(), names.collect());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(extent) = kept.get(&key) {
            return Ok(*extent);
        }
        let extent = read(source)?;
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, extent);
        Ok(extent)
    }
}

fn read(source: &SourceKeys) -> Result<Extent, Unkept> {
    let unreadable = || Unkept::Unreadable {
        path: source.path.clone(),
    };
    let mut properties = FileDecryptionProperties::builder(source.footer_key.bytes().to_vec());
    for (name, key) in &source.columns {
        properties = properties.with_column_key(name, key.bytes().to_vec());
    }
    let properties = properties.build().map_err(|_| unreadable())?;
    let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
    let file = sealed_file::opened(&source.path).map_err(|_| unreadable())?;
    let metadata = ArrowReaderMetadata::load(&file, options).map_err(|_| unreadable())?;
    let is_item = |name: &str| {
        let ours = name == ROW_COLUMN || name == SUBJECT_COLUMN;
        !ours && source.columns.iter().any(|(asked, _)| asked == name)
    };
    let mut extent = Extent { rows: 0, bytes: 0 };
    for group in metadata.metadata().row_groups() {
        extent.rows += u64::try_from(group.num_rows()).map_err(|_| unreadable())?;
        for column in group.columns() {
            if is_item(&column.column_path().string()) {
                let bytes = u64::try_from(column.compressed_size());
                extent.bytes += bytes.map_err(|_| unreadable())?;
            }
        }
    }
    Ok(extent)
}
