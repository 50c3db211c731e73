//! Messages from a child's standard output; the asynchronous twin of `wire::frame`.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use wire::Garbled;

/// The announced length of the next message; none if the child closed its output between messages.
pub(crate) async fn next_length(
    from: &mut (impl AsyncRead + Unpin),
    bytes_max: u32,
) -> Result<Option<u32>, Garbled> {
    let mut prefix = BytesMut::with_capacity(4);
    while prefix.len() < 4 {
        let missing = u64::try_from(4 - prefix.len()).unwrap_or_default();
        if (&mut *from).take(missing).read_buf(&mut prefix).await? == 0 {
            return if prefix.is_empty() {
                Ok(None)
            } else {
                Err(Garbled::Cut)
            };
        }
    }
    let mut bytes = [0; 4];
    bytes
        .iter_mut()
        .zip(&prefix)
        .for_each(|(to, from)| *to = *from);
    let length = wire::frame::length(bytes)?;
    if length > bytes_max {
        Err(Garbled::TooLong(length.into()))
    } else {
        Ok(Some(length))
    }
}

/// The message's bytes. The caller made sure that there is room for so many.
pub(crate) async fn body(
    from: &mut (impl AsyncRead + Unpin),
    length: u32,
) -> Result<Bytes, Garbled> {
    let length = usize::try_from(length).map_err(|_| Garbled::TooLong(length.into()))?;
    let mut bytes = BytesMut::with_capacity(length);
    while let missing @ 1.. = length.saturating_sub(bytes.len()) {
        let missing = u64::try_from(missing).unwrap_or_default();
        if (&mut *from).take(missing).read_buf(&mut bytes).await? == 0 {
            return Err(Garbled::Cut);
        }
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(bytes: &[u8]) -> Result<Option<Bytes>, Garbled> {
        let mut from = bytes;
        match next_length(&mut from, 8).await? {
            Some(length) => body(&mut from, length).await.map(Some),
            None => Ok(None),
        }
    }

    #[tokio::test]
    async fn a_message_is_read_and_a_cut_or_long_one_is_refused() {
        assert_eq!(read(b"\x02\0\0\0ab").await.unwrap().unwrap(), "ab");
        assert!(read(b"").await.unwrap().is_none());
        assert!(matches!(read(b"\x02\0").await, Err(Garbled::Cut)));
        assert!(matches!(read(b"\x02\0\0\0a").await, Err(Garbled::Cut)));
        assert!(matches!(
            read(b"\x09\0\0\0").await,
            Err(Garbled::TooLong(9))
        ));
        assert!(matches!(
            read(b"\xff\xff\xff\xff").await,
            Err(Garbled::TooLong(_))
        ));
    }
}
