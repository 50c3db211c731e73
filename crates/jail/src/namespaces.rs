//! What a zygote can reach: its own user, network, processes, files, memory and name.

use crate::{Ring, Rings, unsafe_calls};
use rustix::{
    fd::OwnedFd,
    fs::{Mode, OFlags},
    io::Errno,
    process::DumpableBehavior,
    thread::{CapabilitySet, CapabilitySets, UnshareFlags},
};

/// Who a zygote is that was started as root: by custom `nobody`.
const NOBODY: u32 = 65534;
/// Where the empty file system is put before it becomes the root; any folder there is.
const PLACES: [&str; 4] = ["/tmp", "/run", "/dev", "/proc"];

/// The namespaces that need no more than to be asked for.
const PLAIN: [(Ring, UnshareFlags); 4] = [
    (Ring::Network, UnshareFlags::NEWNET),
    (Ring::Ipc, UnshareFlags::NEWIPC),
    (Ring::HostName, UnshareFlags::NEWUTS),
    (Ring::Processes, UnshareFlags::NEWPID),
];

/// Leaves the host's namespaces as far as the system lets it, and every privilege.
///
/// From then on, the next process that is forked begins the namespace of processes, if that ring stands.
///
/// # Errors
/// A privilege that could not be given up.
pub(crate) fn leave(rings: &mut Rings) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let own = rustix::fs::open("/proc/self", flags, Mode::empty())?;
    let root = rustix::process::geteuid().is_root();
    if !root {
        rings.note(Ring::User, user(&own));
    }
    for (ring, flag) in PLAIN {
        rings.note(ring, unsafe_calls::unshare(flag).map(|()| ""));
    }
    rings.note(Ring::Mounts, empty_root().map(|()| "empty, read-only"));
    if root {
        become_nobody()?;
        rings.note(Ring::User, user(&own));
    }
    drop(own);
    let none = CapabilitySet::empty();
    let none = CapabilitySets {
        effective: none,
        permitted: none,
        inheritable: none,
    };
    rustix::thread::set_capabilities(None, none)
}

fn become_nobody() -> Result<(), Errno> {
    let (user, group) = (
        rustix::fs::Uid::from_raw(NOBODY),
        rustix::fs::Gid::from_raw(NOBODY),
    );
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)
}

/// A namespace of users in which there is but this one.
fn user(own: &OwnedFd) -> Result<String, Errno> {
    // Its own files below /proc are its own only so.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    unsafe_calls::unshare(UnshareFlags::NEWUSER)?;
    let write = |file: &str, text: String| {
        let file = rustix::fs::openat(own, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::io::write(&file, text.as_bytes()).map(drop)
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("{0} {0} 1", user.as_raw()))?;
    write("gid_map", format!("{0} {0} 1", group.as_raw()))?;
    Ok(format!("uid {}", user.as_raw()))
}

/// Makes an empty file system that can't be written the root of all.
fn empty_root() -> Result<(), Errno> {
    unsafe_calls::unshare(UnshareFlags::NEWNS)?;
    unsafe_calls::mount_private()?;
    let place = PLACES
        .into_iter()
        .find(|place| unsafe_calls::mount_empty(place).is_ok())
        .ok_or(Errno::PERM)?;
    rustix::process::chdir(place)?;
    rustix::process::pivot_root(".", ".")?;
    unsafe_calls::unmount_here()?;
    rustix::process::chdir("/")?;
    unsafe_calls::remount_read_only()
}
