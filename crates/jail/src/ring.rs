use std::{fmt, str::FromStr};

/// One wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ring {
    /// Nothing is open but what a job is done with.
    Descriptors,
    /// Memory, processor time, files and core files are bounded.
    Limits,
    /// No program it starts gains privileges.
    NoNewPrivileges,
    /// No process of the same user may look into it.
    Undumpable,
    /// It is killed when its parent ends.
    DiesWithParent,
    /// No call to the kernel but those of a list.
    Seccomp,
    /// No file, no port, no abstract socket and no process outside may be reached.
    Landlock,
    /// A user of no rights, without capabilities, in a namespace of users of its own.
    User,
    /// A network of its own, in which nothing is.
    Network,
    /// Processes of the same zygote alone.
    Processes,
    /// A file system of its own, which is empty and can't be written.
    Mounts,
    /// Shared memory and message queues of its own.
    Ipc,
    /// A host name of its own.
    HostName,
    /// Memory and number of all children of a kind are bounded together.
    ControlGroup,
}

impl Ring {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 14] = [
        Self::Descriptors,
        Self::DiesWithParent,
        Self::NoNewPrivileges,
        Self::Undumpable,
        Self::Limits,
        Self::Seccomp,
        Self::Landlock,
        Self::User,
        Self::Network,
        Self::Processes,
        Self::Mounts,
        Self::Ipc,
        Self::HostName,
        Self::ControlGroup,
    ];

    /// As written in configuration and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Descriptors => "descriptors",
            Self::Limits => "limits",
            Self::NoNewPrivileges => "no-new-privileges",
            Self::Undumpable => "undumpable",
            Self::DiesWithParent => "dies-with-parent",
            Self::Seccomp => "seccomp",
            Self::Landlock => "landlock",
            Self::User => "user",
            Self::Network => "net",
            Self::Processes => "pid",
            Self::Mounts => "mount",
            Self::Ipc => "ipc",
            Self::HostName => "uts",
            Self::ControlGroup => "cgroup",
        }
    }

    /// What a host needs so that it can be put up.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Descriptors
            | Self::Limits
            | Self::NoNewPrivileges
            | Self::Undumpable
            | Self::DiesWithParent => "run on Linux 5.11 or later with /proc mounted",
            Self::Seccomp => "use a kernel with CONFIG_SECCOMP_FILTER, on x86_64 or aarch64",
            Self::Landlock => {
                "use a kernel of 5.13 or later with CONFIG_SECURITY_LANDLOCK and `landlock` in lsm="
            }
            Self::User
            | Self::Network
            | Self::Processes
            | Self::Mounts
            | Self::Ipc
            | Self::HostName => {
                "start as root, or allow user namespaces (user.max_user_namespaces, \
                 kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)"
            }
            Self::ControlGroup => {
                "start as root, or in a delegated cgroup (systemd: Delegate=memory pids)"
            }
        }
    }
}

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No wall has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no ring `{0}`")]
pub struct NoSuchRing(String);

impl FromStr for Ring {
    type Err = NoSuchRing;
    fn from_str(name: &str) -> Result<Self, NoSuchRing> {
        let known = Self::ALL.into_iter().find(|ring| ring.name() == name);
        known.ok_or_else(|| NoSuchRing(name.to_owned()))
    }
}
