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
    /// Where the management services are, if elsewhere than statements are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    admin: Option<String>,
    scenario: Option<String>,
}

/// A profile, read, with its paths made relative to nothing.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub endpoint: String,
    pub admin: Option<String>,
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
        admin: raw.admin,
        scenario: raw.scenario,
    })
}

impl Profile {
    /// The same person, at the management services.
    pub(crate) fn for_management(self) -> Self {
        let endpoint = self.admin.clone().unwrap_or(self.endpoint);
        Self { endpoint, ..self }
    }
}

/// Writes a profile for the domain of another, beside a certificate that was issued there.
pub(crate) fn write_like(dir: &Path, other: &Path) -> Result<(), Failure> {
    let Profile {
        endpoint, admin, ..
    } = read(other)?;
    let admin = admin.unwrap_or_else(|| endpoint.clone());
    write(dir, (&endpoint, &admin), None)
}

/// Writes the profile that stands beside a person's certificate.
pub(crate) fn write(
    dir: &Path,
    (endpoint, admin): (&str, &str),
    scenario: Option<&ScenarioId>,
) -> Result<(), Failure> {
    let raw = Raw {
        endpoint: endpoint.to_owned(),
        cert: "cert.pem".into(),
        key: "key.pem".into(),
        ca: "ca.pem".into(),
        admin: Some(admin.to_owned()),
        scenario: scenario.map(ToString::to_string),
    };
    let path = dir.join("profile.toml");
    let text = toml::to_string(&raw).map_err(|error| Failure::other(&path, error))?;
    std::fs::write(&path, text).map_err(|error| Failure::other(&path, error))
}
