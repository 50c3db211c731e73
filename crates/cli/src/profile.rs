//! A profile: where a person's gateway is and with which certificate they come.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use terms::ScenarioId;

/// The file as `person enrol` and `init --from` write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    endpoint: String,
    cert: PathBuf,
    key: PathBuf,
    ca: PathBuf,
    scenario: Option<String>,
}

/// A profile, read, with its paths made relative to nothing.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub endpoint: String,
    pub cert_pem: Vec<u8>,
    pub key_pem: Vec<u8>,
    pub ca_pem: Vec<u8>,
    pub scenario: Option<String>,
}

/// Reads a profile and the files it names.
pub(crate) fn read(path: &Path) -> Result<Profile, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::usage(path, error))?;
    let raw: Raw = toml::from_str(&text).map_err(|error| Failure::usage(path, error.message()))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    let file = |name: &Path| {
        let at = dir.join(name);
        std::fs::read(&at).map_err(|error| Failure::usage(&at, error))
    };
    Ok(Profile {
        cert_pem: file(&raw.cert)?,
        key_pem: file(&raw.key)?,
        ca_pem: file(&raw.ca)?,
        endpoint: raw.endpoint,
        scenario: raw.scenario,
    })
}

/// Writes the profile that stands beside a person's certificate.
pub(crate) fn write(
    dir: &Path,
    endpoint: &str,
    scenario: Option<&ScenarioId>,
) -> Result<(), Failure> {
    let raw = Raw {
        endpoint: endpoint.to_owned(),
        cert: "cert.pem".into(),
        key: "key.pem".into(),
        ca: "ca.pem".into(),
        scenario: scenario.map(ToString::to_string),
    };
    let path = dir.join("profile.toml");
    let text = toml::to_string(&raw).map_err(|error| Failure::other(&path, error))?;
    std::fs::write(&path, text).map_err(|error| Failure::other(&path, error))
}
