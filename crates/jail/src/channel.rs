use rustix::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::{io, mem, ptr, time::Duration};

/// The most descriptors one message carries; the kernel's own bound.
pub(crate) const DESCRIPTORS_MAX: usize = 253;
/// The longest message, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4096;
/// Room for a header and that many descriptors, in words.
const CONTROL_WORDS: usize = 136;

/// One end of a local socket that keeps messages apart and carries descriptors.
#[derive(Debug)]
pub(crate) struct Channel(OwnedFd);

impl Channel {
    /// Two ends, neither of which survives exec.
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        socketpair(libc::SOCK_SEQPACKET).map(|(one, other)| (Self(one), Self(other)))
    }

    /// The end that is open as this descriptor.
    pub(crate) const fn from_descriptor(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }

    pub(crate) fn into_descriptor(self) -> OwnedFd {
        self.0
    }

    /// Sends one message.
    pub(crate) fn send(&self, message: &[u8], with: &[BorrowedFd<'_>]) -> io::Result<()> {
        let sent = send(self.0.as_fd(), message, with)?;
        if sent == message.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }

    /// Takes one message; an empty one is the other end's end.
    pub(crate) fn receive(&self) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
        let mut message = vec![0; MESSAGE_BYTES_MAX];
        let (length, with) = receive(self.0.as_fd(), &mut message)?;
        message.truncate(length);
        Ok((message, with))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Channel {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[expect(
    unsafe_code,
    reason = "nothing safe makes a socket that keeps messages apart"
)]
fn socketpair(kind: libc::c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends: [RawFd; 2] = [-1; 2];
    // SAFETY: `ends` has room for the two numbers that the call writes, and outlives it.
    // JUSTIFICATION: the standard library offers streams and datagrams alone; a stream does not keep
    // messages apart, and a datagram socket does not tell that its other end is gone.
    let made = unsafe {
        libc::socketpair(
            libc::AF_UNIX,
            kind | libc::SOCK_CLOEXEC,
            0,
            ends.as_mut_ptr(),
        )
    };
    if made != 0 {
        return Err(io::Error::last_os_error());
    }
    let [one, other] = ends;
    // SAFETY: the call succeeded, so both are open and nobody else's.
    // JUSTIFICATION: they come as numbers.
    Ok(unsafe { (OwnedFd::from_raw_fd(one), OwnedFd::from_raw_fd(other)) })
}

/// Writes what the socket takes of the bytes, with descriptors beside the first of them.
///
/// # Errors
/// What the system said; `InvalidInput` for more descriptors than [`DESCRIPTORS_MAX`].
#[expect(unsafe_code, reason = "nothing safe sends descriptors")]
pub fn send(socket: BorrowedFd<'_>, bytes: &[u8], with: &[BorrowedFd<'_>]) -> io::Result<usize> {
    if with.len() > DESCRIPTORS_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let numbers: Vec<RawFd> = with.iter().map(AsRawFd::as_raw_fd).collect();
    let carried = u32::try_from(size_of_val(numbers.as_slice())).unwrap_or(u32::MAX);
    let mut control = [0_u64; CONTROL_WORDS];
    let mut part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: `message` points to `part`, which points to `bytes`, and to `control`; all outlive the
    // call, which writes none of them. `control` is aligned for a header and has room for one with
    // DESCRIPTORS_MAX numbers (16 + 4 × 253 ≤ 8 × 136), which is what is written here.
    // JUSTIFICATION: the standard library has no stable way to pass descriptors.
    let sent = unsafe {
        let mut message: libc::msghdr = mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        if !numbers.is_empty() {
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = libc::CMSG_SPACE(carried) as usize;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(carried) as usize;
            let room = libc::CMSG_DATA(header).cast::<RawFd>();
            ptr::copy_nonoverlapping(numbers.as_ptr(), room, numbers.len());
        }
        libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Reads what there is, with the descriptors that came along; they do not survive exec.
#[expect(unsafe_code, reason = "nothing safe receives descriptors")]
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut control = [0_u64; CONTROL_WORDS];
    let mut part = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    let mut came = Vec::new();
    // SAFETY: `message` points to `part`, which points to `bytes`, and to `control`, with their true
    // lengths; all outlive the call and the walk over the headers. The kernel wrote the headers, the
    // walk stays within what it says it wrote, and each number in an SCM_RIGHTS header is a new
    // descriptor of this process that nobody else owns.
    // JUSTIFICATION: the standard library has no stable way to take descriptors.
    let (length, flags) = unsafe {
        let mut message: libc::msghdr = mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        let length = libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_CMSG_CLOEXEC);
        let mut header = if length < 0 {
            ptr::null_mut()
        } else {
            libc::CMSG_FIRSTHDR(&raw const message)
        };
        while !header.is_null() {
            if (*header).cmsg_level == libc::SOL_SOCKET && (*header).cmsg_type == libc::SCM_RIGHTS {
                let empty = libc::CMSG_LEN(0) as usize;
                let carried = ((*header).cmsg_len).saturating_sub(empty) / size_of::<RawFd>();
                let numbers = libc::CMSG_DATA(header).cast::<RawFd>();
                for at in 0..carried {
                    came.push(OwnedFd::from_raw_fd(ptr::read_unaligned(numbers.add(at))));
                }
            }
            header = libc::CMSG_NXTHDR(&raw const message, header);
        }
        (length, message.msg_flags)
    };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    if flags & (libc::MSG_CTRUNC | libc::MSG_TRUNC) == 0 {
        Ok((length, came))
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

/// Waits until one of them can be read, or its other end is gone, or for so long at most; says which.
#[expect(
    unsafe_code,
    reason = "nothing safe that is at hand waits for several descriptors"
)]
pub(crate) fn readable(of: &[BorrowedFd<'_>], wait: Option<Duration>) -> io::Result<Vec<bool>> {
    let mut watched: Vec<libc::pollfd> = of
        .iter()
        .map(|descriptor| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let number = libc::nfds_t::try_from(watched.len()).unwrap_or_default();
    let wait = wait.map_or(-1, |wait| {
        i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)
    });
    // SAFETY: `watched` has that many entries and outlives the call.
    // JUSTIFICATION: rustix has it behind a feature that would rebuild the engine for one call.
    let ready = unsafe { libc::poll(watched.as_mut_ptr(), number, wait) };
    let error = io::Error::last_os_error();
    if ready < 0 && error.kind() != io::ErrorKind::Interrupted {
        return Err(error);
    }
    Ok(watched.iter().map(|one| one.revents != 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs::File, io::Read};

    #[test]
    fn descriptors_travel_and_an_end_is_told() {
        let (here, there) = Channel::pair().unwrap();
        let zero = File::open("/dev/zero").unwrap();
        here.send(b"one", &[]).unwrap();
        here.send(b"two", &[zero.as_fd(), zero.as_fd()]).unwrap();
        drop((here, zero));
        assert_eq!(there.receive().unwrap().0, b"one");
        let (message, with) = there.receive().unwrap();
        assert_eq!((message.as_slice(), with.len()), (&b"two"[..], 2));
        let mut byte = [1];
        for file in with {
            File::from(file).read_exact(&mut byte).unwrap();
        }
        assert_eq!(byte, [0]);
        assert_eq!(readable(&[there.as_fd()], None).unwrap(), [true]);
        assert!(there.receive().unwrap().0.is_empty());
    }

    #[test]
    fn more_descriptors_than_the_kernel_takes_are_refused() {
        let (here, _there) = Channel::pair().unwrap();
        let too_many = [here.as_fd(); DESCRIPTORS_MAX + 1];
        let refused = here.send(b"x", &too_many).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        here.send(b"x", &[here.as_fd(); DESCRIPTORS_MAX]).unwrap();
    }
}
