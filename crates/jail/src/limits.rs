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
    /// As a child's command-line arguments; [`Self::from_arguments`] reads them back.
    #[must_use]
    pub fn arguments(&self) -> [String; 4] {
        [
            self.memory_bytes,
            self.cpu_seconds,
            self.files_open,
            self.file_bytes,
        ]
        .map(|number| number.to_string())
    }

    /// What a parent said on the command line; none if it is not exactly four numbers.
    pub fn from_arguments(arguments: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let mut number = || arguments.next()?.parse::<u64>().ok();
        let limits = Self {
            memory_bytes: number()?,
            cpu_seconds: number()?,
            files_open: number()?,
            file_bytes: number()?,
        };
        arguments.next().is_none().then_some(limits)
    }

    /// Binds the calling process and everything it becomes.
    pub(crate) fn apply(&self) -> Result<(), Unjailed> {
        let limits = [
            (Resource::As, self.memory_bytes, self.memory_bytes),
            // The signal of the lower limit says which limit it was; that of the upper does not.
            (
                Resource::Cpu,
                self.cpu_seconds,
                self.cpu_seconds.saturating_add(1),
            ),
            (Resource::Nofile, self.files_open, self.files_open),
            (Resource::Fsize, self.file_bytes, self.file_bytes),
            // A core file would hold rows and keys.
            (Resource::Core, 0, 0),
        ];
        for (resource, current, most) in limits {
            let limit = Rlimit {
                current: Some(current),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_come_back_from_the_command_line_and_anything_else_is_none() {
        let limits = Limits {
            memory_bytes: 1 << 30,
            cpu_seconds: 5,
            files_open: 32,
            file_bytes: 0,
        };
        assert_eq!(Limits::from_arguments(limits.arguments()), Some(limits));
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(Limits::from_arguments(words("1 2 3")), None);
        assert_eq!(Limits::from_arguments(words("1 2 3 4 5")), None);
        assert_eq!(Limits::from_arguments(words("1 2 3 -4")), None);
    }
}
