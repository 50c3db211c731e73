use crate::{Ring, Unjailed};
use rustix::process::{Resource, Rlimit, setrlimit};

/// How much a child may use. What goes beyond is refused by the kernel, or ends the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Address space, in bytes. Mappings count, whether touched or not.
    pub memory_bytes: u64,
    /// Processor time of all its threads, in seconds.
    pub cpu_seconds: u64,
    /// Open descriptors.
    pub files_open: u64,
    /// The longest file it may write, in bytes.
    pub file_bytes: u64,
}

impl Limits {
    /// Binds the calling process and everything it becomes.
    pub(crate) fn apply(&self) -> Result<(), Unjailed> {
        let limits = [
            (Resource::As, self.memory_bytes),
            (Resource::Cpu, self.cpu_seconds),
            (Resource::Nofile, self.files_open),
            (Resource::Fsize, self.file_bytes),
            // A core file would hold rows and keys.
            (Resource::Core, 0),
        ];
        for (resource, most) in limits {
            let limit = Rlimit {
                current: Some(most),
                maximum: Some(most),
            };
            let refused = |error: rustix::io::Errno| Unjailed::Refused {
                ring: Ring::Limits,
                source: error.into(),
            };
            setrlimit(resource, limit).map_err(refused)?;
        }
        Ok(())
    }
}
