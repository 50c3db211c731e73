use crate::Broken;
use ledger::NoteVerifier;

/// The logs that a verifier trusts, as a text of its own. Source: C2SP tlog-policy.
///
/// Understood are `log <key> [<address>]` and `quorum none`, comments, and a bare verifier key. A
/// policy that asks for witnesses is refused until witnesses are checked.
pub(crate) fn trusted_logs(text: &str) -> Result<Vec<NoteVerifier>, Broken> {
    let mut logs = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let refused = || Broken::Policy {
            line: line.chars().take(80).collect(),
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [comment, ..] if comment.starts_with('#') => {}
            ["quorum", "none"] => {}
            ["log", key] | ["log", key, _] | [key] => {
                logs.push(key.parse().map_err(|_| refused())?);
            }
            _ => return Err(refused()),
        }
    }
    Ok(logs)
}
