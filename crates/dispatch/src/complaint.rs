use tokio::io::{AsyncRead, AsyncReadExt};

/// What a child wrote on its standard error: counted, not kept, for it may hold values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Lines.
    pub(crate) lines: u64,
    /// Whether one of them was the runtime's own, about memory it did not get.
    pub(crate) allocation_failed: bool,
}

/// How the runtime's own line begins.
const ALLOCATION: &[u8] = b"memory allocation of ";

/// Reads to the end, so that a child never waits for its standard error to be read.
pub(crate) async fn drained(mut from: impl AsyncRead + Unpin) -> Complaint {
    let mut complaint = Complaint::default();
    let mut chunk = vec![0; 4096];
    let mut matched = Some(0);
    while let Ok(read @ 1..) = from.read(&mut chunk).await {
        for byte in chunk.iter().take(read) {
            if *byte == b'\n' {
                complaint.lines = complaint.lines.saturating_add(1);
                matched = Some(0);
                continue;
            }
            matched = matched.and_then(|n| (ALLOCATION.get(n) == Some(byte)).then(|| n + 1));
            if matched == Some(ALLOCATION.len()) {
                complaint.allocation_failed = true;
                matched = None;
            }
        }
    }
    complaint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_counted_and_the_runtimes_own_is_told_apart() {
        let check = async |text: &str, lines, allocation_failed| {
            let expect = Complaint {
                lines,
                allocation_failed,
            };
            assert_eq!(drained(text.as_bytes()).await, expect, "{text}");
        };
        check("", 0, false).await;
        check("a\nb\n", 2, false).await;
        check("memory allocation of 8 bytes failed", 0, true).await;
        check("x\nmemory allocation of 8 bytes failed\n", 2, true).await;
        check("the memory allocation of 8 bytes failed\n", 1, false).await;
        check("memory all\nocation of \n", 2, false).await;
    }
}
