use terms::Told;
use wire::Garbled;

/// Which sort of child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worker {
    /// SQL → plan; no data, no keys.
    Planner,
    /// Confined plan → batches.
    Runner,
}

/// SIGSYS: how a process ends that makes a call to the kernel which is not on the list.
pub(crate) const FORBIDDEN_CALL: i32 = 31;

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// By itself, with this code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It closed its output and did not end.
    Lingered,
    /// With the process it was forked from.
    Orphaned,
}

/// A job that gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// All children are at work, or the licence's places rest, and none came free in time.
    #[error("no {0} came free in time")]
    Busy(Worker),
    /// Children can't be started, or end before they get a job.
    #[error("no {worker} can be started")]
    Unstartable {
        /// Which sort.
        worker: Worker,
        /// What the system said; none if children start and end at once.
        source: Option<std::io::Error>,
    },
    /// The child ended on its way.
    #[error("the {worker} {death}")]
    Died {
        /// Which sort.
        worker: Worker,
        /// How.
        death: Death,
    },
    /// The child was killed at its deadline, or used up its processor time.
    #[error("the {0} was killed at its deadline")]
    Timeout(Worker),
    /// The child needed more memory than it may have.
    #[error("the {0} needed more memory than it may have")]
    OutOfMemory(Worker),
    /// The child said what no sound child says.
    #[error("the {worker} sent what is no answer: {what}")]
    Garbled {
        /// Which sort.
        worker: Worker,
        /// What was wrong, in our own words.
        what: &'static str,
        /// The message's own fault, if there is one.
        source: Option<Garbled>,
    },
    /// The child has no answer, for a cause of the closed list.
    #[error("refused by a child: {code}")]
    Refused {
        /// The child's code.
        code: &'static str,
        /// What the caller hears.
        told: Told,
        /// The construct, or an identifier that the caller wrote; empty if there is none.
        name: String,
    },
    /// Nobody read the result.
    #[error("the result was not read in time")]
    Unread,
    /// The plan to run is not the plan that was decided.
    #[error("the plan to run is not the one on record")]
    NotDecided,
    /// The keys are not those of exactly the columns that the plan reads.
    #[error("the keys are not those of exactly the columns read")]
    WrongSources,
}

impl Failure {
    /// An answer that no sound child gives.
    pub(crate) const fn garbled(worker: Worker, what: &'static str) -> Self {
        Self::Garbled {
            worker,
            what,
            source: None,
        }
    }

    /// Whether it needed more memory than it may have: by the engine's account, or by the system's.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.code().ends_with(".out-of-memory")
    }

    /// The construct or name a child stumbled over, where there is one.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Refused { name, .. } => name,
            Self::Busy(_)
            | Self::Unstartable { .. }
            | Self::Died { .. }
            | Self::Timeout(_)
            | Self::OutOfMemory(_)
            | Self::Garbled { .. }
            | Self::Unread
            | Self::NotDecided
            | Self::WrongSources => "",
        }
    }

    /// The stable code, for machines and the ledger.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Busy(_) => "dispatch.busy",
            Self::Unstartable { .. } => "dispatch.unstartable",
            Self::Died {
                worker: Worker::Planner,
                ..
            } => "dispatch.planner-died",
            Self::Died {
                worker: Worker::Runner,
                ..
            } => "dispatch.runner-died",
            Self::Timeout(Worker::Planner) => "dispatch.planner-timeout",
            Self::Timeout(Worker::Runner) => "dispatch.runner-timeout",
            Self::OutOfMemory(_) => "dispatch.out-of-memory",
            Self::Garbled { .. } => "dispatch.child-garbled",
            Self::Refused { code, .. } => code,
            Self::Unread => "dispatch.results-unread",
            Self::NotDecided => "dispatch.not-decided",
            Self::WrongSources => "dispatch.wrong-sources",
        }
    }

    /// What the caller hears.
    #[must_use]
    pub const fn told(&self) -> Told {
        match self {
            Self::Busy(_) => Told::new(
                "too many statements are running, or came to nothing just now; try again shortly.",
                "正在执行的语句过多，或近期失败的语句过多，请稍后重试。",
            ),
            Self::Died {
                worker: Worker::Planner,
                ..
            } => Told::new(
                "the statement could not be planned; simplify it.",
                "无法为该语句生成执行计划，请简化语句。",
            ),
            Self::Died {
                worker: Worker::Runner,
                ..
            } => Told::new(
                "the statement ended without a result.",
                "语句执行中断，未产生结果。",
            ),
            Self::Timeout(_) => Told::new(
                "the statement took longer than it may; simplify it or reduce what it reads.",
                "语句执行超时，请简化语句或减少读取的数据。",
            ),
            Self::OutOfMemory(_) => Told::new(
                "the statement needs more memory than it may have; simplify it.",
                "语句所需内存超出上限，请简化语句。",
            ),
            Self::Unread => Told::new(
                "the result was not read for so long that it was dropped; ask again and read it at once.",
                "结果长时间未被读取，已丢弃；请重新查询并及时读取。",
            ),
            Self::Unstartable { .. }
            | Self::Garbled { .. }
            | Self::NotDecided
            | Self::WrongSources => Told::new(
                "the domain can't run statements at the moment; its staff have been told.",
                "运营域暂时无法执行语句，已通知运维人员。",
            ),
            Self::Refused { told, .. } => *told,
        }
    }

    /// Whether the cause lies in the statement; otherwise it is ours, and staff must hear of it.
    #[must_use]
    pub const fn is_callers(&self) -> bool {
        match self {
            Self::Died {
                death: Death::Orphaned | Death::Signalled(FORBIDDEN_CALL),
                ..
            } => false,
            Self::Busy(_)
            | Self::Timeout(_)
            | Self::OutOfMemory(_)
            | Self::Refused { .. }
            | Self::Unread
            | Self::Died { .. } => true,
            Self::Unstartable { .. }
            | Self::Garbled { .. }
            | Self::NotDecided
            | Self::WrongSources => false,
        }
    }
}

// === impl Worker ===

impl Worker {
    /// The hidden subcommand of the program.
    pub(crate) const fn subcommand(self) -> &'static str {
        match self {
            Self::Planner => "planner-child",
            Self::Runner => "runner-child",
        }
    }
}

impl std::fmt::Display for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Planner => "planner",
            Self::Runner => "runner",
        })
    }
}

// === impl Death ===

impl std::fmt::Display for Death {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "ended with code {code} before it answered"),
            Self::Signalled(signal) => write!(f, "was ended by signal {signal}"),
            Self::Lingered => f.write_str("closed its output and did not end"),
            Self::Orphaned => f.write_str("was ended with the process it was forked from"),
        }
    }
}
