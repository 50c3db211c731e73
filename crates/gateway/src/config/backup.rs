use backup::{S3, Shelf, Unbacked, shelf_at};
use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Where backups go, as it is written.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBackup {
    /// A folder, or `s3://bucket/prefix`.
    to: String,
    /// Older ones are removed; 0 keeps all.
    kept_max: u64,
    s3_endpoint: String,
    s3_region: String,
    s3_credentials_file: String,
    s3_authorities: String,
}

impl Default for RawBackup {
    fn default() -> Self {
        Self {
            to: String::new(),
            kept_max: 30,
            s3_endpoint: String::new(),
            s3_region: "us-east-1".to_owned(),
            s3_credentials_file: String::new(),
            s3_authorities: String::new(),
        }
    }
}

/// Where backups of a domain's data go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackupConfig {
    /// The place; none where none is set.
    pub to: Option<PathBuf>,
    /// How many are kept; none for all.
    pub kept_max: Option<u64>,
    /// The address of an S3-compatible store; the region's own where it is empty.
    pub s3_endpoint: String,
    /// Its region.
    pub s3_region: String,
    /// A file with `access_key_id` and `secret_access_key`, that its owner alone may read.
    pub s3_credentials_file: Option<PathBuf>,
    /// Further authorities that vouch for the store, in PEM.
    pub s3_authorities: Option<PathBuf>,
}

/// What the file of credentials says.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
}

impl From<&RawBackup> for BackupConfig {
    fn from(raw: &RawBackup) -> Self {
        let file = |text: &str| Some(PathBuf::from(text)).filter(|file| *file != PathBuf::new());
        Self {
            to: file(&raw.to),
            kept_max: Some(raw.kept_max).filter(|kept| *kept > 0),
            s3_endpoint: raw.s3_endpoint.clone(),
            s3_region: raw.s3_region.clone(),
            s3_credentials_file: file(&raw.s3_credentials_file),
            s3_authorities: file(&raw.s3_authorities),
        }
    }
}

// === impl BackupConfig ===

impl BackupConfig {
    /// The shelf at an address, or where the configuration says; names of files are of this folder.
    ///
    /// # Errors
    /// [`Unbacked::NoShelf`] where none is said, or the store's settings cannot be used.
    pub fn shelf(&self, dir: &Path, to: Option<&Path>) -> Result<Box<dyn Shelf>, Unbacked> {
        let wrong = |what: String| Unbacked::NoShelf {
            address: to
                .or(self.to.as_deref())
                .map_or_else(String::new, |to| to.display().to_string()),
            what,
        };
        let to = to.or(self.to.as_deref());
        let to = to.ok_or_else(|| wrong("none is set: [backup] to in bonded.toml".to_owned()))?;
        if !to.starts_with("s3:") {
            return shelf_at(&dir.join(to), &S3::default());
        }
        let file = self.s3_credentials_file.as_deref();
        let file = file.ok_or_else(|| wrong("set [backup] s3_credentials_file".to_owned()))?;
        let file = dir.join(file);
        let unread = |error: std::io::Error| wrong(format!("{}: {error}", file.display()));
        if std::fs::metadata(&file).map_err(unread)?.mode() & 0o077 != 0 {
            let what = format!("`{}` may be read by others: chmod 600 it", file.display());
            return Err(wrong(what));
        }
        let text = Zeroizing::new(std::fs::read_to_string(&file).map_err(unread)?);
        let read = toml::from_str::<Credentials>(&text);
        let credentials = read.map_err(|error| wrong(error.message().to_owned()))?;
        let authorities = self.s3_authorities.as_deref();
        let authorities = authorities.map(|file| std::fs::read(dir.join(file)));
        let s3 = S3 {
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone(),
            access_key_id: credentials.access_key_id,
            secret_access_key: Zeroizing::new(credentials.secret_access_key),
            authorities: authorities.transpose().map_err(unread)?,
        };
        shelf_at(to, &s3)
    }
}
