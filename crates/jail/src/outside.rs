//! The walls that a zygote puts up around itself, and so around all its children.

use crate::{
    Ring, Rings, Unjailed, control_group,
    fork::{Alone, Forked},
    landlock_domain::Landlock,
    leash::die_with,
    message::{Ending, Reports},
    namespaces, seccomp,
    zygote::waited_for,
};
use rustix::process::{DumpableBehavior, Pid};
use std::process::ExitCode;

/// Puts up what this system can have, and notes what it can't; finds out what children will have.
///
/// # Errors
/// One of the walls that every system has.
pub(crate) fn leave(rings: &mut Rings) -> Result<Option<Landlock>, Unjailed> {
    rings.note(Ring::ControlGroup, control_group::join());
    namespaces::leave(rings).map_err(|error| Unjailed::refused(Ring::User, error))?;
    rustix::thread::set_no_new_privs(true)
        .map_err(|error| Unjailed::refused(Ring::NoNewPrivileges, error))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|error| Unjailed::refused(Ring::Undumpable, error))?;
    // A change of users undid it.
    die_with(rustix::process::getppid())?;
    for ring in [
        Ring::Descriptors,
        Ring::DiesWithParent,
        Ring::NoNewPrivileges,
        Ring::Undumpable,
        Ring::Limits,
    ] {
        rings.note(ring, Ok::<_, &str>(""));
    }
    rings.note(Ring::Seccomp, seccomp::probed());
    let landlock = Landlock::probed();
    let form = landlock.map(Landlock::form).ok_or("the kernel has none");
    rings.note(Ring::Landlock, form);
    rings.demanded(&[Ring::Seccomp])?;
    Ok(landlock)
}

/// Goes into the namespace of processes: the one that waits outside gets the number of the one inside.
///
/// # Errors
/// The system refused.
pub(crate) fn forked(alone: &Alone, rings: &Rings) -> Result<Option<Pid>, Unjailed> {
    if !rings.up().contains(&Ring::Processes) {
        return Ok(None);
    }
    let refused = |error| Unjailed::refused(Ring::Processes, error);
    match alone.fork().map_err(refused)? {
        Forked::Parent(inside) => Ok(Some(inside)),
        Forked::Child => {
            die_with(rustix::process::getppid())?;
            Ok(None)
        }
    }
}

/// Waits for the process inside, which is the gateway's from now on, and ends as it does.
pub(crate) fn attend(reports: Reports, inside: Pid) -> ExitCode {
    drop(reports);
    match waited_for(inside) {
        Some(Ending::Exited(code)) => ExitCode::from(u8::try_from(code).unwrap_or(4)),
        Some(Ending::Signalled(_)) | None => ExitCode::from(4),
    }
}
