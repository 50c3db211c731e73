//! The process that children are forked from: warm, single-threaded, without a job.

use crate::{
    Inside, Limits, Ring, Rings, Unjailed,
    channel::readable,
    descriptors,
    fork::{Alone, Forked},
    landlock_domain::Landlock,
    leash::die_with,
    message::{Ending, Order, Report, Reports},
    outside,
    unsafe_calls::processor_time,
};
use rustix::{
    fd::{AsFd, OwnedFd},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions},
};
use std::{io, process::ExitCode, time::Duration};

/// A process that was forked and has not been reaped.
#[derive(Debug)]
struct Ward {
    number: u64,
    pid: Pid,
    process: OwnedFd,
    /// Whether it stands behind all that have just begun.
    gives_way: bool,
}

/// Processor time after which a child gives way to younger ones: many times what a small statement
/// takes, so that whoever asks little waits for nobody who asks much.
const YOUTH: Duration = Duration::from_millis(75);
/// The rank behind all others.
const LAST: i32 = 19;
/// How often that is looked at, while there is a child that does not give way yet.
const LOOKED_AT_EVERY: Duration = Duration::from_millis(25);

/// What a zygote needs for its children.
struct Ready<W> {
    alone: Alone,
    limits: Limits,
    landlock: Option<Landlock>,
    rings: Rings,
    warm: W,
}

/// What a process is once the walls of the zygote stand.
enum Prepared<W> {
    /// The zygote.
    Inside(Ready<W>),
    /// The one that waits for it outside.
    Outside(Pid),
}

/// What a process is once the loop has ended in it.
enum Role {
    /// The zygote, whose gateway is gone.
    Over,
    /// A child, whose pipes these are and whose parent that is.
    Child([OwnedFd; 3], Pid),
}

/// Serves orders until the gateway is gone; in each child that it forks, does one job.
///
/// Call it first thing in `main`: nothing may have begun a thread or opened a file. Standard input is
/// the gateway's order channel; `arguments` are the limits of each child and the names of the rings that
/// must stand besides those that always must. `warm` is called once, before the first order: what it
/// makes is shared by all children, copy on write, so that it must hold nothing of a job, and must not
/// start a thread. `job` is called in each child; its answer is the child's exit code.
#[must_use]
pub fn zygote<W>(
    arguments: impl IntoIterator<Item = String>,
    warm: impl FnOnce() -> W,
    job: impl FnOnce(W, Inside) -> ExitCode,
) -> ExitCode {
    live(
        arguments,
        warm,
        outside::leave,
        |warm, inside, landlock| match inside.walled(landlock) {
            Ok(inside) => job(warm, inside),
            Err(_) => ExitCode::from(3),
        },
    )
}

/// A zygote whose children have limits and no other wall: so that they may become another program.
#[cfg(feature = "fixtures")]
#[must_use]
pub fn zygote_for_test(
    arguments: impl IntoIterator<Item = String>,
    job: impl FnOnce() -> ExitCode,
) -> ExitCode {
    live(arguments, || (), |_| Ok(None), |(), _, _| job())
}

fn live<W>(
    arguments: impl IntoIterator<Item = String>,
    warm: impl FnOnce() -> W,
    leave: impl FnOnce(&mut Rings) -> Result<Option<Landlock>, Unjailed>,
    job: impl FnOnce(W, Inside, Option<Landlock>) -> ExitCode,
) -> ExitCode {
    let Ok(channel) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3) else {
        return ExitCode::from(2);
    };
    let held = descriptors::none_inherited(&channel);
    let reports = Reports::on(channel);
    let ready = match held.and_then(|()| prepared(arguments, warm, leave)) {
        Ok(Prepared::Inside(ready)) => ready,
        Ok(Prepared::Outside(inside)) => return outside::attend(reports, inside),
        Err(unjailed) => {
            let told = reports.tell(&Report::Refused(unjailed.told()));
            return ExitCode::from(if told.is_ok() { 3 } else { 4 });
        }
    };
    if reports.tell(&Report::Ready(ready.rings)).is_err() {
        return ExitCode::from(4);
    }
    match serve(&ready.alone, reports) {
        Ok(Role::Over) => ExitCode::SUCCESS,
        Ok(Role::Child(pipes, parent)) => match Inside::enter(&ready.limits, pipes, parent) {
            Ok(inside) => job(ready.warm, inside, ready.landlock),
            Err(_) => ExitCode::from(3),
        },
        Err(_) => ExitCode::from(4),
    }
}

/// Warms up and puts up the walls of all children.
fn prepared<W>(
    arguments: impl IntoIterator<Item = String>,
    warm: impl FnOnce() -> W,
    leave: impl FnOnce(&mut Rings) -> Result<Option<Landlock>, Unjailed>,
) -> Result<Prepared<W>, Unjailed> {
    let mut arguments = arguments.into_iter();
    let limits = Limits::from_arguments(arguments.by_ref().take(4)).ok_or(Unjailed::Arguments)?;
    let demanded: Vec<Ring> = arguments
        .map(|name| name.parse())
        .collect::<Result<_, _>>()
        .map_err(|_| Unjailed::Arguments)?;
    die_with(rustix::process::getppid())?;
    let warm = warm();
    let alone = Alone::proved()?;
    let mut rings = Rings::default();
    let landlock = leave(&mut rings)?;
    rings.demanded(&demanded)?;
    if let Some(inside) = outside::forked(&alone, &rings)? {
        return Ok(Prepared::Outside(inside));
    }
    Ok(Prepared::Inside(Ready {
        alone,
        limits,
        landlock,
        rings,
        warm,
    }))
}

/// The loop; a child leaves it with nothing but its own pipes.
fn serve(alone: &Alone, reports: Reports) -> io::Result<Role> {
    let parent = rustix::process::getpid();
    let mut wards: Vec<Ward> = Vec::new();
    loop {
        let ends = wards.iter().map(|ward| ward.process.as_fd());
        let awaited: Vec<_> = std::iter::once(reports.as_fd()).chain(ends).collect();
        let young = wards.iter().any(|ward| !ward.gives_way);
        let wait = young.then_some(LOOKED_AT_EVERY);
        let ordered = readable(&awaited, wait)?.first() == Some(&true);
        reap(&mut wards, &reports)?;
        for ward in &mut wards {
            if ward.age() {
                reports.tell(&Report::Old(ward.number))?;
            }
        }
        if !ordered {
            continue;
        }
        let Some(Order { number, pipes }) = reports.order()? else {
            return Ok(Role::Over);
        };
        let report = match alone.fork() {
            Ok(Forked::Child) => return Ok(Role::Child(pipes, parent)),
            Ok(Forked::Parent(pid)) => match known(number, pid) {
                Ok((ward, process)) => {
                    wards.push(ward);
                    Report::Born(number, process)
                }
                Err(error) => {
                    end_group(pid);
                    Report::Unborn(number, error.raw_os_error())
                }
            },
            Err(error) => Report::Unborn(number, error.raw_os_error().unwrap_or_default()),
        };
        drop(pipes);
        reports.tell(&report)?;
    }
}

/// A descriptor of a new process for us, and one for the gateway.
fn known(number: u64, pid: Pid) -> Result<(Ward, OwnedFd), Errno> {
    // The child does so too; whoever comes first. It may have ended already.
    rustix::process::setpgid(Some(pid), Some(pid)).ok();
    let process = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    let sent = rustix::io::fcntl_dupfd_cloexec(&process, 3)?;
    let ward = Ward {
        number,
        pid,
        process,
        gives_way: false,
    };
    Ok((ward, sent))
}

// === impl Ward ===

impl Ward {
    /// Puts it behind the young once it is old, and says whether that is now. It runs on whenever nobody
    /// else wants to.
    fn age(&mut self) -> bool {
        if self.gives_way {
            return false;
        }
        // One that has ended meanwhile has no clock, and needs none.
        let used = processor_time(self.pid).unwrap_or_default();
        self.gives_way = used >= YOUTH;
        if self.gives_way {
            // All threads of its group. Where the system refuses, nothing is lost but this courtesy. It is what
            // can be done from in here, and little: a thread of this rank keeps its turn while others wake.
            rustix::process::setpriority_pgrp(Some(self.pid), LAST).ok();
        }
        self.gives_way
    }
}

/// Tells of all that ended. Whatever a child started is killed before its number can be another's.
fn reap(wards: &mut Vec<Ward>, reports: &Reports) -> io::Result<()> {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        let mut ended = None;
        for (at, ward) in wards.iter().enumerate() {
            if rustix::process::waitid(WaitId::Pid(ward.pid), look)?.is_some() {
                ended = Some(at);
                break;
            }
        }
        let Some(at) = ended else { return Ok(()) };
        let ward = wards.swap_remove(at);
        if let Some(ending) = end_group(ward.pid) {
            reports.tell(&Report::Ended(ward.number, ending))?;
        }
    }
}

/// Kills a child with all of its group and takes its status.
fn end_group(pid: Pid) -> Option<Ending> {
    // The group is gone if the child was its last.
    rustix::process::kill_process_group(pid, Signal::KILL).ok();
    rustix::process::kill_process(pid, Signal::KILL).ok();
    waited_for(pid)
}

/// Waits until a child has ended, and takes its status.
pub(crate) fn waited_for(pid: Pid) -> Option<Ending> {
    let (_, status) = rustix::process::waitpid(Some(pid), WaitOptions::empty()).ok()??;
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(Ending::Exited(code)),
        (None, Some(signal)) => Some(Ending::Signalled(signal)),
        (None, None) => None,
    }
}
