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
        self.verify_hash(leaf_hash(leaf), verifier)
    }

    /// Checks that the log of this key holds an entry of this hash at this proof's index.
    ///
    /// # Errors
    /// [`Breach::Unproved`] if the checkpoint's signature or the path does not verify.
    pub fn verify_hash(&self, leaf: Digest, verifier: &NoteVerifier) -> Result<Checkpoint, Breach> {
        let checkpoint = Checkpoint::open(&self.checkpoint, verifier)?;
        let size = checkpoint.head.size;
        let root = root_of_inclusion(leaf, self.index, size, &self.path);
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
        let mut line = lines.next();
        // Out-of-band data that nothing vouches for; it is read past. Source: C2SP tlog-proof, "Format".
        if let Some(extra) = line.and_then(|line| line.strip_prefix("extra ")) {
            STANDARD.decode(extra).map_err(|_| malformed())?;
            line = lines.next();
        }
        let index = line
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
        let written = proof.to_string();
        let lines = |text: &str| text.split_once("\nindex ").map(|(_, rest)| rest.to_owned());
        if lines(&written) == lines(text) {
            Ok(proof)
        } else {
            Err(malformed())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof() -> TlogProof {
        TlogProof {
            index: 10,
            path: vec![Digest::of(b"a"), Digest::of(b"b")],
            checkpoint: "bonded/x\n11\nAAAA\n\n— bonded/x AAAA\n".to_owned(),
        }
    }

    #[test]
    fn extra_data_is_read_past() {
        let text = proof().to_string();
        assert_eq!(text.parse::<TlogProof>().unwrap(), proof());
        let extra = text.replace("index", "extra YWJj\nindex");
        assert_eq!(extra.parse::<TlogProof>().unwrap(), proof());
    }

    #[test]
    fn a_proof_in_another_spelling_is_refused() {
        let text = proof().to_string();
        for other in [
            text.replace("@v1", "@v2"),
            text.replace("index 10", "index 010"),
            text.replace("index 10", "index +10"),
            text.replace("index", "Index"),
            text.replace("index", "extra !\nindex"),
            text.replace("index", "extra YWJj\nextra YWJj\nindex"),
            text.replace("index 10\n", ""),
            text.replace("=\n", "\n"),
            text.replacen("=\n", "=\r\n", 1),
            text.replacen("\n\n", "\n", 1),
        ] {
            assert!(other.parse::<TlogProof>().is_err(), "{other}");
        }
    }
}
