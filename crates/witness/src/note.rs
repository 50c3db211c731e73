use crate::Unwitnessed;
use crate::unwitnessed::malformed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::is_key_name;

/// The longest note read, in bytes.
const NOTE_BYTES_MAX: usize = 64 << 10;

/// A signed note, taken apart. Source: C2SP signed-note v1.0.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    /// What is signed, with its last line end.
    pub text: String,
    /// The signature lines, in order.
    pub lines: Vec<Line>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Whose.
    pub name: String,
    /// Which key's.
    pub key_id: [u8; 4],
    /// The signature, as its key reads it.
    pub signature: Vec<u8>,
    /// The line as it stands, without its end.
    pub text: String,
}

impl std::str::FromStr for Note {
    type Err = Unwitnessed;

    fn from_str(note: &str) -> Result<Self, Unwitnessed> {
        if note.len() > NOTE_BYTES_MAX || note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(malformed(
                "the note is too long or holds control characters",
            ));
        }
        let (text, lines) = note
            .rsplit_once("\n\n")
            .ok_or_else(|| malformed("the note has no signatures"))?;
        Ok(Self {
            text: format!("{text}\n"),
            lines: signature_lines(lines)?,
        })
    }
}

/// Reads signature lines, each with its end.
pub(crate) fn signature_lines(text: &str) -> Result<Vec<Line>, Unwitnessed> {
    let lines = text
        .strip_suffix('\n')
        .ok_or_else(|| malformed("a signature line has no end"))?;
    lines.split('\n').map(signature_line).collect()
}

fn signature_line(line: &str) -> Result<Line, Unwitnessed> {
    let refused = || malformed("a signature line is not in its form");
    let (name, blob) = line
        .strip_prefix("— ")
        .and_then(|rest| rest.split_once(' '))
        .ok_or_else(refused)?;
    let blob = STANDARD.decode(blob).map_err(|_| refused())?;
    let (key_id, signature) = blob.split_first_chunk::<4>().ok_or_else(refused)?;
    if !is_key_name(name) {
        return Err(refused());
    }
    Ok(Line {
        name: name.to_owned(),
        key_id: *key_id,
        signature: signature.to_vec(),
        text: line.to_owned(),
    })
}
