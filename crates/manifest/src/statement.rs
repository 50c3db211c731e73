use crate::Manifest;
use std::collections::BTreeMap;
use terms::Digest;

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// What a statement of ours says.
pub(crate) trait Predicate {
    /// Its kind.
    const TYPE: &'static str;
}

impl Predicate for Manifest {
    const TYPE: &'static str = "https://bonded.dev/export-manifest/v1";
}

/// What is signed: digests of files, and what is said of them. Source: in-toto Statement v1.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Statement<P = Manifest> {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    pub(crate) predicate: P,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    name: String,
    digest: Sha256,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Sha256 {
    sha256: Digest,
}

impl<P: Predicate> Statement<P> {
    /// Says this of these files.
    pub(crate) fn new(files: &BTreeMap<&str, Digest>, predicate: P) -> Self {
        let subject = |(name, digest): (&&str, &Digest)| Subject {
            name: (*name).to_owned(),
            digest: Sha256 { sha256: *digest },
        };
        Self {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: files.iter().map(subject).collect(),
            predicate_type: P::TYPE.to_owned(),
            predicate,
        }
    }

    /// Whether it is a statement of our kind.
    pub(crate) fn is_ours(&self) -> bool {
        self.statement_type == STATEMENT_TYPE && self.predicate_type == P::TYPE
    }

    /// The files it speaks of, with their digests.
    pub(crate) fn files(&self) -> Vec<(&str, Digest)> {
        self.subject
            .iter()
            .map(|file| (file.name.as_str(), file.digest.sha256))
            .collect()
    }
}
