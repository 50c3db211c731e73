use crate::{Ring, Unjailed};
use rustix::fd::{AsRawFd, OwnedFd};
use std::fs;

/// Closes what was inherited besides the three pipes and `known`, and refuses what is open even so.
///
/// Standard input, which `known` is a copy of, becomes empty.
pub(crate) fn none_inherited(known: &OwnedFd) -> Result<(), Unjailed> {
    let refused = |source| Unjailed::Refused {
        ring: Ring::Descriptors,
        source,
    };
    let nothing = fs::File::open("/dev/null").map_err(refused)?;
    rustix::stdio::dup2_stdin(&nothing).map_err(|error| refused(error.into()))?;
    drop(nothing);
    for number in open_besides_pipes()? {
        if survived_exec(number) {
            close(number);
        }
    }
    let known = known.as_raw_fd();
    let open = open_besides_pipes()?;
    match open.iter().find(|number| **number != known) {
        Some(number) => Err(Unjailed::Inherited(*number)),
        None => Ok(()),
    }
}

/// Refuses threads besides the calling one.
pub(crate) fn no_threads() -> Result<(), Unjailed> {
    match listed("/proc/self/task")?.len() {
        1 => Ok(()),
        more => Err(Unjailed::Threads(more)),
    }
}

/// Whether a descriptor lacks close-on-exec. All that this program opens have it.
fn survived_exec(number: i32) -> bool {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & rustix::fs::OFlags::CLOEXEC.bits() == 0)
}

#[expect(
    unsafe_code,
    reason = "nothing safe closes a descriptor that no value owns"
)]
fn close(number: i32) {
    // SAFETY: the descriptor came through exec, since it lacks close-on-exec, which everything opened
    // by this program has; so no value of this program owns it, and no thread runs beside this one.
    // JUSTIFICATION: shells and supervisors leave descriptors open; a child must not hold them, and
    // the gateway can't mark what it does not own either.
    unsafe { rustix::io::close(number) }
}

/// The listing itself holds a descriptor while it lasts; it is not open any more when asked again.
fn open_besides_pipes() -> Result<Vec<i32>, Unjailed> {
    let open =
        |number: &i32| *number > 2 && fs::read_link(format!("/proc/self/fd/{number}")).is_ok();
    Ok(listed("/proc/self/fd")?.into_iter().filter(open).collect())
}

fn listed(folder: &str) -> Result<Vec<i32>, Unjailed> {
    let refused = |source| Unjailed::Refused {
        ring: Ring::Descriptors,
        source,
    };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let name = entry.map_err(refused)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(numbers)
}
