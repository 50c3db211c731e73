use crate::Unwitnessed;
use crate::unwitnessed::malformed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use terms::Digest;

/// The most lines a proof may have. Source: C2SP tlog-witness, "add-checkpoint".
const PATH_MAX: usize = 63;

/// What is asked of a witness: that it cosign a checkpoint, with the proof that it continues the last
/// one. The same text travels over HTTP and as a file across an air gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The size the witness cosigned last; 0 if none.
    pub old: u64,
    /// The consistency proof from there.
    pub path: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.path {
            writeln!(f, "{}", STANDARD.encode(hash.bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl std::str::FromStr for Request {
    type Err = Unwitnessed;

    fn from_str(text: &str) -> Result<Self, Unwitnessed> {
        let refused = || malformed("the request is no `old`, proof and checkpoint");
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(refused)?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(|number| number.parse().ok())
            .ok_or_else(refused)?;
        let hash = |line: &str| {
            let bytes = STANDARD.decode(line).map_err(|_| refused())?;
            let bytes = bytes.try_into().map_err(|_| refused())?;
            Ok(Digest::from_bytes(bytes))
        };
        let path = lines.map(hash).collect::<Result<Vec<_>, Unwitnessed>>()?;
        let request = Self {
            old,
            path,
            checkpoint: checkpoint.to_owned(),
        };
        // One spelling alone: no leading zero or sign, no second form of base64.
        if request.path.len() > PATH_MAX || request.to_string() != text {
            return Err(refused());
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_back_from_its_text() {
        let request = Request {
            old: 5,
            path: vec![Digest::of(b"a"), Digest::of(b"b")],
            checkpoint: "log\n6\nAAAA\n\n— log AAAAAAAA\n".to_owned(),
        };
        assert_eq!(request.to_string().parse::<Request>().unwrap(), request);
    }

    #[test]
    fn a_request_has_one_spelling() {
        let hash = STANDARD.encode(Digest::of(b"a").bytes());
        for text in [
            "old 05\n\nlog\n".to_owned(),
            "old +5\n\nlog\n".to_owned(),
            "old -1\n\nlog\n".to_owned(),
            "Old 5\n\nlog\n".to_owned(),
            "old 5\nAAAA\n\nlog\n".to_owned(),
            format!("old 5\n{}\n\nlog\n", hash.trim_end_matches('=')),
            format!("old 5\r\n{hash}\n\nlog\n"),
            format!("old 5\n{}\nlog\n", format!("{hash}\n").repeat(64)),
            "old 5\n".to_owned(),
        ] {
            assert!(text.parse::<Request>().is_err(), "{text:?}");
        }
    }
}
