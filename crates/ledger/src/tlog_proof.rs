use crate::merkle::leaf_hash;
use crate::proof::root_of_inclusion;
use crate::{Breach, Checkpoint, NoteVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terms::Digest;

/// The first line of the format.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The proof that a log holds an entry, to be verified offline. Source: C2SP tlog-proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The entry's place in the log.
    pub index: u64,
    /// The audit path, from the leaf up.
    pub path: Vec<Digest>,
    /// The signed checkpoint of the tree the path leads to.
    pub checkpoint: String,
}

impl TlogProof {
    /// Checks that the log of this key holds these bytes at this proof's index.
    ///
    /// # Errors
    /// [`Breach::Unproved`] if the checkpoint's signature or the path does not verify.
    pub fn verify(&self, leaf: &[u8], verifier: &NoteVerifier) -> Result<Checkpoint, Breach> {
        let checkpoint = Checkpoint::open(&self.checkpoint, verifier)?;
        let size = checkpoint.head.size;
        let root = root_of_inclusion(leaf_hash(leaf), self.index, size, &self.path);
        if root == Some(checkpoint.head.root) {
            Ok(checkpoint)
        } else {
            Err(Breach::Unproved {
                what: "the entry is not in the log at its index".to_owned(),
            })
        }
    }
}

impl std::fmt::Display for TlogProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}\nindex {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", STANDARD.encode(hash.bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl std::str::FromStr for TlogProof {
    type Err = Breach;

    fn from_str(text: &str) -> Result<Self, Breach> {
        let malformed = || Breach::Unproved {
            what: "the tlog-proof is malformed".to_owned(),
        };
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(malformed)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(malformed());
        }
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(|number| number.parse().ok())
            .ok_or_else(malformed)?;
        let hash = |line: &str| {
            let bytes = STANDARD.decode(line).map_err(|_| malformed())?;
            Ok(Digest::from_bytes(
                bytes.try_into().map_err(|_| malformed())?,
            ))
        };
        let path = lines.map(hash).collect::<Result<Vec<_>, Breach>>()?;
        let proof = Self {
            index,
            path,
            checkpoint: checkpoint.to_owned(),
        };
        // INVARIANT (one spelling per proof): what we would not write the same way is refused.
        if proof.to_string() == text {
            Ok(proof)
        } else {
            Err(malformed())
        }
    }
}
