//! What all children of a kind use together: so much memory, so many processes.

use std::{fs, io, path::Path};

/// Where control groups are mounted by custom.
const MOUNTED: &str = "/sys/fs/cgroup";
/// How the name of every group of ours begins.
const NAME: &str = "bonded-";
/// Processes and threads of a zygote and its children.
const PROCESSES_MAX: u64 = 512;
/// The share of the machine's memory that they may have together: four fifths.
const MEMORY_SHARE: (u64, u64) = (4, 5);

/// Puts this process into a group of its own; says in which form.
///
/// Groups of processes that ended are removed first, since those who live in one can't do it.
pub(crate) fn join() -> Result<String, io::Error> {
    let memory = fs::read_to_string("/proc/meminfo")?;
    let total = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let total = total.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
    let (part, of) = MEMORY_SHARE;
    let bytes = total.unwrap_or_default().saturating_mul(1024) / of * part;
    let own = fs::read_to_string("/proc/self/cgroup")?;
    let unified = |line: &str| line.strip_prefix("0::/").map(str::to_owned);
    let legacy = |controller: &str| {
        own.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let known = parts.next()?.split(',').any(|name| name == controller);
            parts
                .next()
                .filter(|_| known)
                .map(|path| path.trim_start_matches('/'))
        })
    };
    if let (Some(memory), Some(pids)) = (legacy("memory"), legacy("pids")) {
        let memory = group(&Path::new(MOUNTED).join("memory").join(memory))?;
        fs::write(memory.join("memory.limit_in_bytes"), bytes.to_string())?;
        let pids = group(&Path::new(MOUNTED).join("pids").join(pids))?;
        fs::write(pids.join("pids.max"), PROCESSES_MAX.to_string())?;
        fs::write(memory.join("cgroup.procs"), "0")?;
        fs::write(pids.join("cgroup.procs"), "0")?;
        return Ok(format!("v1, {bytes} bytes, {PROCESSES_MAX} processes"));
    }
    let own = own.lines().find_map(unified);
    let own = own.ok_or_else(|| io::Error::other("no control group is mounted"))?;
    let parent = Path::new(MOUNTED).join(own);
    fs::write(parent.join("cgroup.subtree_control"), "+memory +pids")?;
    let group = group(&parent)?;
    fs::write(group.join("memory.max"), bytes.to_string())?;
    fs::write(group.join("memory.swap.max"), "0").ok();
    fs::write(group.join("pids.max"), PROCESSES_MAX.to_string())?;
    fs::write(group.join("cgroup.procs"), "0")?;
    Ok(format!("v2, {bytes} bytes, {PROCESSES_MAX} processes"))
}

/// A new group below this one.
fn group(parent: &Path) -> io::Result<std::path::PathBuf> {
    for entry in fs::read_dir(parent)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(NAME) {
            // Refused while somebody is in it.
            fs::remove_dir(entry.path()).ok();
        }
    }
    let group = parent.join(format!("{NAME}{}", std::process::id()));
    fs::create_dir(&group)?;
    Ok(group)
}
