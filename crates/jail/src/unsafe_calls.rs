//! Calls to the kernel that have no safe form at hand, one function each.
#![expect(
    unsafe_code,
    reason = "each is one call to the kernel whose arguments are right by the look of them"
)]

use rustix::{
    fd::{AsRawFd, BorrowedFd},
    io::Errno,
    process::Pid,
    thread::UnshareFlags,
};
use std::{ffi::CString, io, ptr, time::Duration};

/// How a file system is mounted on which nothing is.
const BARE: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;

/// Leaves one namespace of the host's.
pub(crate) fn unshare(flag: UnshareFlags) -> Result<(), Errno> {
    // SAFETY: none of the flags that are used here is CLONE_FILES, the one that could close descriptors
    // under somebody's hands; and there is one thread.
    // JUSTIFICATION: rustix marks the call unsafe for the sake of that one flag.
    unsafe { rustix::thread::unshare_unsafe(flag) }
}

/// Keeps what is mounted from now on from the host.
pub(crate) fn mount_private() -> Result<(), Errno> {
    mount(None, "/", None, libc::MS_REC | libc::MS_PRIVATE, None)
}

/// Mounts an empty file system over a folder.
pub(crate) fn mount_empty(place: &str) -> Result<(), Errno> {
    let room = "size=4096,nr_inodes=2,mode=0555";
    mount(Some("none"), place, Some("tmpfs"), BARE, Some(room))
}

/// Makes the root unwritable.
pub(crate) fn remount_read_only() -> Result<(), Errno> {
    let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | BARE;
    mount(None, "/", None, flags, None)
}

/// Lets go of what is mounted on the working folder.
pub(crate) fn unmount_here() -> Result<(), Errno> {
    // SAFETY: the path is a C string that lives for ever.
    // JUSTIFICATION: rustix has it behind a feature that would rebuild the engine.
    checked(unsafe { libc::umount2(c".".as_ptr(), libc::MNT_DETACH) })
}

fn mount(
    source: Option<&str>,
    target: &str,
    kind: Option<&str>,
    flags: libc::c_ulong,
    data: Option<&str>,
) -> Result<(), Errno> {
    let text = |text: &str| CString::new(text).map_err(|_| Errno::INVAL);
    let source = source.map(text).transpose()?;
    let target = text(target)?;
    let kind = kind.map(text).transpose()?;
    let data = data.map(text).transpose()?;
    let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
    // SAFETY: each pointer is null, which the call takes, or to a C string that outlives it.
    // JUSTIFICATION: rustix has it behind a feature that would rebuild the engine.
    checked(unsafe {
        libc::mount(
            pointer(&source),
            target.as_ptr(),
            pointer(&kind),
            flags,
            pointer(&data).cast(),
        )
    })
}

/// Closes every descriptor from this number on.
pub(crate) fn close_from(first: u32) -> Result<(), Errno> {
    // SAFETY: called in a child that owns nothing but its three pipes, whose numbers are below.
    // JUSTIFICATION: whatever a library had opened while it was warmed up must not reach a job.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
    checked(i32::try_from(closed).unwrap_or(-1))
}

/// Processor time in microseconds and the largest resident size in bytes of this process so far.
#[must_use]
pub fn usage() -> (u64, u64) {
    // SAFETY: a `rusage` is numbers, of which zero is one each; the call writes it and nothing else.
    // JUSTIFICATION: what /proc says of a process can't be read behind the walls, and rustix lacks it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let micros = |time: libc::timeval| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let micros = u64::try_from(time.tv_usec).unwrap_or_default();
        seconds.saturating_mul(1_000_000).saturating_add(micros)
    };
    let time = micros(usage.ru_utime).saturating_add(micros(usage.ru_stime));
    let peak = u64::try_from(usage.ru_maxrss).unwrap_or_default();
    (time, peak.saturating_mul(1024))
}

/// Gives a pipe room for so many bytes, so that who writes and who reads wait for each other less often.
/// Where the system refuses, the pipe stays as it is.
pub fn widen(pipe: BorrowedFd<'_>, bytes: i32) {
    // SAFETY: the call takes a number for an argument, and changes nothing but the pipe's own buffer.
    // JUSTIFICATION: rustix has it behind a feature that would rebuild the engine.
    unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) };
}

/// Keeps up to 16 MiB of what each of the C library's heaps lets go, and takes blocks of up to 4 MiB from
/// there: results pass through a gateway in blocks of a quarter of a MiB, and each that goes back to the
/// system costs the next one a fault a page. Elsewhere than with glibc, nothing changes.
pub fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: the calls take numbers and change the allocator's own bounds, under its own lock.
    // JUSTIFICATION: it can be told so by the environment too, but only before a process begins.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 4 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 16 << 20);
    }
}

/// Processor time that all threads of a process have used so far.
pub(crate) fn processor_time(of: Pid) -> Result<Duration, Errno> {
    let mut clock = 0;
    // SAFETY: the call writes a number, for which there is room, and nothing else.
    // JUSTIFICATION: rustix knows no other process's clock, and /proc is not there behind the walls.
    let none = unsafe { libc::clock_getcpuclockid(of.as_raw_nonzero().get(), &raw mut clock) };
    if none != 0 {
        return Err(Errno::from_raw_os_error(none));
    }
    let mut used = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `used` is a whole `timespec` that outlives the call, which writes it and nothing else.
    // JUSTIFICATION: as above.
    checked(unsafe { libc::clock_gettime(clock, &raw mut used) })?;
    let seconds = u64::try_from(used.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(used.tv_nsec).unwrap_or_default();
    Ok(Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds))
}

fn checked(result: libc::c_int) -> Result<(), Errno> {
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    Err(Errno::from_io_error(&error).unwrap_or(Errno::IO))
}
