//! A process that ends with the one that wants it.

use crate::{Ring, Unjailed};
use rustix::process::{Pid, Signal};

/// Has the calling process killed when its parent's thread ends.
///
/// Whoever changes its user afterwards has to ask again.
pub(crate) fn die_with(parent: Option<Pid>) -> Result<(), Unjailed> {
    let kill = Some(Signal::KILL);
    rustix::process::set_parent_process_death_signal(kill)
        .map_err(|error| Unjailed::refused(Ring::DiesWithParent, error))?;
    // A parent that ended before that line would never be heard of.
    if rustix::process::getppid() == parent {
        Ok(())
    } else {
        Err(Unjailed::Orphaned)
    }
}
