//! One message on a pipe: its length, 4 bytes little-endian, then its bytes.

use crate::{Garbled, job::Message};
use bytes::Bytes;
use std::io::{ErrorKind, Read, Write};

/// The longest message that is written or looked at, in bytes.
pub const BYTES_MAX: u32 = 64 << 20;

/// Puts a message into the form it has on a pipe.
///
/// # Errors
/// [`Garbled::TooLong`].
pub fn sealed(message: &impl Message) -> Result<Vec<u8>, Garbled> {
    let mut framed = vec![0; 4];
    message.encode_into(&mut framed);
    let body = framed.len().saturating_sub(4);
    let too_long = || Garbled::TooLong(body.try_into().unwrap_or(u64::MAX));
    let length = u32::try_from(body)
        .ok()
        .filter(|l| *l <= BYTES_MAX)
        .ok_or_else(too_long)?;
    framed
        .iter_mut()
        .zip(length.to_le_bytes())
        .for_each(|(to, from)| *to = from);
    Ok(framed)
}

/// Checks a length before anything is kept for it.
///
/// # Errors
/// [`Garbled::TooLong`].
pub fn length(prefix: [u8; 4]) -> Result<u32, Garbled> {
    let length = u32::from_le_bytes(prefix);
    if length <= BYTES_MAX {
        Ok(length)
    } else {
        Err(Garbled::TooLong(length.into()))
    }
}

/// Writes one message and flushes it.
///
/// # Errors
/// [`Garbled::TooLong`], or [`Garbled::Pipe`] when the other side went away.
pub fn write(to: &mut impl Write, message: &impl Message) -> Result<(), Garbled> {
    to.write_all(&sealed(message)?)?;
    Ok(to.flush()?)
}

/// Reads one message; none if the other side closed its end between messages.
///
/// # Errors
/// What makes the bytes no message.
pub fn read<M: Message>(from: &mut impl Read) -> Result<Option<M>, Garbled> {
    let mut prefix = [0; 4];
    let mut rest = prefix.as_mut_slice();
    loop {
        match from.read(rest) {
            Ok(0) if rest.len() == 4 => return Ok(None),
            Ok(0) => return Err(Garbled::Cut),
            Ok(n) => rest = rest.get_mut(n..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if rest.is_empty() {
            break;
        }
    }
    let length = u64::from(length(prefix)?);
    // The buffer grows with what arrives, not with what was announced.
    let mut body = Vec::new();
    let arrived = from.take(length).read_to_end(&mut body)?;
    if u64::try_from(arrived) == Ok(length) {
        M::decode(Bytes::from(body)).map(Some)
    } else {
        Err(Garbled::Cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Done, PlanJob, PlanReply, RunFrame};

    fn reply() -> PlanReply {
        PlanReply::Draft {
            plan: vec![1, 2, 3],
            cpu_us: 9,
        }
    }

    #[test]
    fn what_is_written_is_read_and_the_end_is_told_apart_from_a_cut() {
        let mut pipe = Vec::new();
        write(&mut pipe, &reply()).unwrap();
        write(&mut pipe, &reply()).unwrap();
        let mut from = pipe.as_slice();
        assert_eq!(read::<PlanReply>(&mut from).unwrap(), Some(reply()));
        assert_eq!(read::<PlanReply>(&mut from).unwrap(), Some(reply()));
        assert_eq!(read::<PlanReply>(&mut from).unwrap(), None);
        for cut in 1..pipe.len() / 2 {
            assert!(
                matches!(read::<PlanReply>(&mut &pipe[..cut]), Err(Garbled::Cut)),
                "{cut}"
            );
        }
    }

    #[test]
    fn an_announced_length_above_the_bound_is_refused_unread() {
        let mut pipe = (BYTES_MAX + 1).to_le_bytes().to_vec();
        pipe.push(0);
        assert!(matches!(
            read::<PlanReply>(&mut pipe.as_slice()),
            Err(Garbled::TooLong(_))
        ));
    }

    #[test]
    fn an_empty_or_foreign_message_is_garbled() {
        assert!(matches!(
            read::<PlanReply>(&mut &[0_u8; 4][..]),
            Err(Garbled::Missing(_))
        ));
        assert!(matches!(
            read::<RunFrame>(&mut &[0_u8; 4][..]),
            Err(Garbled::Missing(_))
        ));
        assert!(read::<PlanJob>(&mut &[1_u8, 0, 0, 0, 0xff][..]).is_err());
    }

    #[test]
    fn a_frame_keeps_its_numbers() {
        let done = Done {
            rows: 7,
            groups_withheld: 2,
            cpu_us: 11,
            memory_peak_bytes: u64::MAX,
        };
        let mut pipe = Vec::new();
        write(&mut pipe, &RunFrame::Done(done)).unwrap();
        assert_eq!(
            read::<RunFrame>(&mut pipe.as_slice()).unwrap(),
            Some(RunFrame::Done(done))
        );
    }
}
