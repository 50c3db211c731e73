use crate::{Breach, Head, NoteVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terms::Digest;

/// The head of a log's tree under the log's name; signed as a note. Source: C2SP tlog-checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// Size and root.
    pub head: Head,
}

impl Checkpoint {
    /// The text that is signed: origin, size and root, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        let root = STANDARD.encode(self.head.root.bytes());
        format!("{}\n{}\n{root}\n", self.origin, self.head.size)
    }

    /// Reads a signed checkpoint of the log that the key belongs to.
    ///
    /// # Errors
    /// [`Breach::Unproved`] if the signature does not verify, the origin is another's, or the text
    /// has any other form than the one we write.
    pub fn open(note: &str, verifier: &NoteVerifier) -> Result<Self, Breach> {
        let text = verifier.open(note)?;
        let malformed = || Breach::Unproved {
            what: "the checkpoint is malformed".to_owned(),
        };
        let mut lines = text.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(malformed());
        };
        let root = STANDARD.decode(root).map_err(|_| malformed())?;
        let root = Digest::from_bytes(root.try_into().map_err(|_| malformed())?);
        let size = size.parse().map_err(|_| malformed())?;
        let checkpoint = Self {
            origin: origin.to_owned(),
            head: Head { size, root },
        };
        // Comparing the whole text refuses leading zeros, extension lines and anything else unusual.
        if checkpoint.text() != text || checkpoint.origin != verifier.name() {
            return Err(malformed());
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteSigner;

    /// A fixed key, so that the whole note is a known answer: Ed25519 is deterministic.
    fn signer() -> NoteSigner {
        // RFC 8032 §7.1, test 1, in PKCS #8. The expected note was made with OpenSSL.
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let pkcs8 = hex::decode(format!("302e020100300506032b657004220420{seed}")).unwrap();
        NoteSigner::new("bonded/yuecheng", &pkcs8).unwrap()
    }

    #[test]
    fn the_signed_checkpoint_is_the_known_answer() {
        let checkpoint = Checkpoint {
            origin: "bonded/yuecheng".to_owned(),
            head: Head {
                size: 0,
                root: Digest::of(b""),
            },
        };
        let text = "bonded/yuecheng\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        assert_eq!(checkpoint.text(), text);
        let note = signer().sign(text);
        assert_eq!(
            Checkpoint::open(&note, signer().verifier()).unwrap(),
            checkpoint
        );
        assert_eq!(
            signer().verifier().to_string(),
            "bonded/yuecheng+42d9c2e6+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"
        );
        assert_eq!(
            note,
            format!(
                "{text}\n— bonded/yuecheng QtnC5q2gqZQ9IDZGEjyU1djOsqyice0TjmZOR2YPQV9kBM7SQA/k6cOA7C6hgKQgl3NwQb9uYrdvTN2BlJmbRaMipws=\n"
            )
        );
    }

    #[test]
    fn a_checkpoint_of_another_form_is_refused() {
        let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        for text in [
            format!("bonded/yuecheng\n00\n{root}\n"),
            format!("bonded/yuecheng\n+1\n{root}\n"),
            format!("bonded/other\n1\n{root}\n"),
            format!("bonded/yuecheng\n1\n{root}\nextension\n"),
            "bonded/yuecheng\n1\nAAAA\n".to_owned(),
            "bonded/yuecheng\n1\n".to_owned(),
        ] {
            let note = signer().sign(&text);
            assert!(
                Checkpoint::open(&note, signer().verifier()).is_err(),
                "{text}"
            );
        }
    }
}
