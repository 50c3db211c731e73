//! What the gateway and a zygote say to each other: a tag, a number, a rest.

use crate::{
    Rings,
    channel::{Channel, MESSAGE_BYTES_MAX},
};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::io;

/// The gateway's end: it orders children and hears of them.
#[derive(Debug)]
pub struct Orders(Channel);

/// A zygote's end.
#[derive(Debug)]
pub(crate) struct Reports(Channel);

/// What becomes a child's standard input, output and error.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) number: u64,
    pub(crate) pipes: [OwnedFd; 3],
}

/// What a zygote says.
#[derive(Debug)]
pub enum Report {
    /// It waits for orders, behind these walls.
    Ready(Rings),
    /// It can't put a wall up, and ends.
    Refused(String),
    /// A child was born, by the number of its order; the descriptor is the process's.
    Born(u64, OwnedFd),
    /// None was born, and this is the system's error.
    Unborn(u64, i32),
    /// A child has worked so long that it stands behind all others: [`crate::schedule_last`].
    Old(u64),
    /// A child ended.
    Ended(u64, Ending),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
}

const READY: u8 = 0;
const REFUSED: u8 = 1;
const BORN: u8 = 2;
const UNBORN: u8 = 3;
const EXITED: u8 = 4;
const SIGNALLED: u8 = 5;
const OLD: u8 = 6;

// === impl Orders ===

impl Orders {
    /// The gateway's end, which does not block, and the zygote's, to be its standard input.
    ///
    /// # Errors
    /// What the system said.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (here, there) = Channel::pair()?;
        let flags = rustix::fs::fcntl_getfl(&here)? | rustix::fs::OFlags::NONBLOCK;
        rustix::fs::fcntl_setfl(&here, flags)?;
        Ok((Self(here), there.into_descriptor()))
    }

    /// Orders a child with these as standard input, output and error.
    ///
    /// # Errors
    /// What the system said; `WouldBlock` if it can't be sent at once.
    pub fn order(&self, number: u64, pipes: [BorrowedFd<'_>; 3]) -> io::Result<()> {
        self.0.send(&number.to_le_bytes(), &pipes)
    }

    /// What the zygote says next.
    ///
    /// # Errors
    /// `WouldBlock` if it says nothing yet, `UnexpectedEof` if it is gone.
    pub fn report(&self) -> io::Result<Report> {
        let (message, with) = self.0.receive()?;
        if message.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Report::read(&message, with).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl AsFd for Orders {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Orders {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

// === impl Reports ===

impl Reports {
    pub(crate) const fn on(descriptor: OwnedFd) -> Self {
        Self(Channel::from_descriptor(descriptor))
    }

    /// The next order; none once the gateway is gone.
    pub(crate) fn order(&self) -> io::Result<Option<Order>> {
        let (message, with) = self.0.receive()?;
        if message.is_empty() {
            return Ok(None);
        }
        let number = message.try_into().ok().map(u64::from_le_bytes);
        let pipes = <[OwnedFd; 3]>::try_from(with).ok();
        match (number, pipes) {
            (Some(number), Some(pipes)) => Ok(Some(Order { number, pipes })),
            (None, _) | (_, None) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    pub(crate) fn tell(&self, report: &Report) -> io::Result<()> {
        let mut message = Vec::new();
        let mut with = Vec::new();
        let (tag, number) = match report {
            Report::Ready(_) => (READY, 0),
            Report::Refused(_) => (REFUSED, 0),
            Report::Born(number, _) => (BORN, *number),
            Report::Unborn(number, _) => (UNBORN, *number),
            Report::Old(number) => (OLD, *number),
            Report::Ended(number, Ending::Exited(_)) => (EXITED, *number),
            Report::Ended(number, Ending::Signalled(_)) => (SIGNALLED, *number),
        };
        message.push(tag);
        message.extend(number.to_le_bytes());
        match report {
            Report::Ready(rings) => message.extend(rings.listed().as_bytes()),
            Report::Refused(text) => message.extend(text.as_bytes()),
            Report::Born(_, process) => with.push(process.as_fd()),
            Report::Old(_) => {}
            Report::Unborn(_, value)
            | Report::Ended(_, Ending::Exited(value) | Ending::Signalled(value)) => {
                message.extend(value.to_le_bytes());
            }
        }
        message.truncate(MESSAGE_BYTES_MAX);
        self.0.send(&message, &with)
    }
}

impl AsFd for Reports {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

// === impl Report ===

impl Report {
    fn read(message: &[u8], with: Vec<OwnedFd>) -> Option<Self> {
        let (tag, rest) = message.split_first()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let number = u64::from_le_bytes(*number);
        let text = || String::from_utf8_lossy(rest).into_owned();
        let value = || rest.try_into().ok().map(i32::from_le_bytes);
        Some(match *tag {
            READY => Self::Ready(Rings::read(&text())),
            REFUSED => Self::Refused(text()),
            BORN => Self::Born(number, with.into_iter().next()?),
            UNBORN => Self::Unborn(number, value()?),
            OLD => Self::Old(number),
            EXITED => Self::Ended(number, Ending::Exited(value()?)),
            SIGNALLED => Self::Ended(number, Ending::Signalled(value()?)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_and_reports_arrive_as_they_were_sent() {
        let (orders, there) = Orders::pair().unwrap();
        let reports = Reports::on(there);
        assert_eq!(
            orders.report().unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        orders.order(7, [orders.as_fd(); 3]).unwrap();
        assert_eq!(reports.order().unwrap().unwrap().number, 7);
        let told = [
            Report::Ready(Rings::read("+limits \n-user no\n")),
            Report::Refused("no".to_owned()),
            Report::Unborn(1, 11),
            Report::Old(6),
            Report::Ended(2, Ending::Exited(3)),
            Report::Ended(4, Ending::Signalled(9)),
        ];
        for report in told {
            reports.tell(&report).unwrap();
            assert_eq!(
                format!("{:?}", orders.report().unwrap()),
                format!("{report:?}")
            );
        }
        let process = rustix::io::fcntl_dupfd_cloexec(&orders, 3).unwrap();
        reports.tell(&Report::Born(5, process)).unwrap();
        assert!(matches!(orders.report().unwrap(), Report::Born(5, _)));
        drop(reports);
        assert_eq!(
            orders.report().unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for message in [
            &b"\x02\0\0\0\0\0\0\0\0"[..],
            b"\x09\0\0\0\0\0\0\0\0",
            b"\x04",
            b"\x04\0\0\0\0\0\0\0\0\x01",
        ] {
            assert!(Report::read(message, vec![]).is_none(), "{message:?}");
        }
    }
}
