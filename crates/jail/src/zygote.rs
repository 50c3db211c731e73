//! The process that children are forked from: warm, single-threaded, without a job.

use crate::{
    Limits,
    channel::readable,
    descriptors,
    fork::{Alone, Forked},
    message::{Ending, Order, Report, Reports},
    rings::{enter, prepare},
};
use rustix::{
    fd::{AsFd, OwnedFd},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitOptions},
};
use std::{io, process::ExitCode};

/// A process that was forked and has not been reaped.
#[derive(Debug)]
struct Ward {
    number: u64,
    pid: Pid,
    process: OwnedFd,
}

/// Serves orders until the gateway is gone; in each child that it forks, does one job.
///
/// Call it first thing in `main`: nothing may have begun a thread or opened a file. Standard input is
/// the gateway's order channel, `arguments` are the limits of each child. `warm` is called once, before
/// the first order: what it makes is shared by all children, copy on write, so that it must hold nothing
/// of a job, and must not start a thread. `job` is called in each child, with the job on its own
/// standard input; its answer is the child's exit code.
#[must_use]
pub fn zygote<W>(
    arguments: impl IntoIterator<Item = String>,
    warm: impl FnOnce() -> W,
    job: impl FnOnce(W) -> ExitCode,
) -> ExitCode {
    let Some(limits) = Limits::from_arguments(arguments) else {
        return ExitCode::from(2);
    };
    let Ok(channel) = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3) else {
        return ExitCode::from(2);
    };
    let held = descriptors::none_inherited(&channel);
    let reports = Reports::on(channel);
    let warmed = held.and_then(|()| prepare()).and_then(|rings| {
        let warm = warm();
        Alone::proved().map(|alone| (alone, rings, warm))
    });
    let (alone, rings, warm) = match warmed {
        Ok(warmed) => warmed,
        Err(unjailed) => {
            let told = reports.tell(&Report::Refused(unjailed.told()));
            return ExitCode::from(if told.is_ok() { 3 } else { 4 });
        }
    };
    if reports.tell(&Report::Ready(rings.listed())).is_err() {
        return ExitCode::from(4);
    }
    match serve(&alone, reports) {
        Ok(Role::Over) => ExitCode::SUCCESS,
        Ok(Role::Child(pipes, parent)) => match enter(&limits, pipes, parent) {
            Ok(()) => job(warm),
            Err(_) => ExitCode::from(3),
        },
        Err(_) => ExitCode::from(4),
    }
}

/// What a process is once the loop has ended in it.
enum Role {
    /// The zygote, whose gateway is gone.
    Over,
    /// A child, whose pipes these are and whose parent that is.
    Child([OwnedFd; 3], Pid),
}

/// The loop; a child leaves it with nothing but its own pipes.
fn serve(alone: &Alone, reports: Reports) -> io::Result<Role> {
    let parent = rustix::process::getpid();
    let mut wards: Vec<Ward> = Vec::new();
    loop {
        let ends = wards.iter().map(|ward| ward.process.as_fd());
        let awaited: Vec<_> = std::iter::once(reports.as_fd()).chain(ends).collect();
        let ordered = readable(&awaited)?.first() == Some(&true);
        reap(&mut wards, &reports)?;
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
    Ok((
        Ward {
            number,
            pid,
            process,
        },
        sent,
    ))
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
    let (_, status) = rustix::process::waitpid(Some(pid), WaitOptions::empty()).ok()??;
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Some(Ending::Exited(code)),
        (None, Some(signal)) => Some(Ending::Signalled(signal)),
        (None, None) => None,
    }
}
