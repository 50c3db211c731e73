use crate::{Ring, Unjailed};
use std::fs;

/// Refuses descriptors besides the three pipes.
pub(crate) fn none_inherited() -> Result<(), Unjailed> {
    match listed("/proc/self/fd")?
        .into_iter()
        .find(|number| *number > 2 && is_open(*number))
    {
        Some(number) => Err(Unjailed::Inherited(number)),
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

/// The listing itself holds a descriptor while it lasts; it is not open any more when asked here.
fn is_open(number: u32) -> bool {
    fs::read_link(format!("/proc/self/fd/{number}")).is_ok()
}

fn listed(folder: &str) -> Result<Vec<u32>, Unjailed> {
    let refused = |source| Unjailed::Refused {
        ring: Ring::Descriptors,
        source,
    };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let name = entry.map_err(refused)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    Ok(numbers)
}
