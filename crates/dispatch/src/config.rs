use jail::{Limits, Ring};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// How the children are kept.
#[derive(Debug, Clone)]
pub struct PoolConfig {
    /// The program that serves the hidden subcommands `planner-child` and `runner-child`: zygotes.
    pub program: PathBuf,
    /// The planners.
    pub planner: ChildConfig,
    /// The runners.
    pub runner: ChildConfig,
    /// The memory a runner's engine may account for, in bytes; less than its address space.
    pub engine_bytes_max: u64,
    /// Bytes of results that wait for clients, over all jobs.
    pub results_bytes_max: u32,
    /// How long a result may wait of which nothing is taken. Whether others wait makes no difference: a
    /// client is told the same thing every time, and nothing of what others do.
    pub results_unread_max: Duration,
    /// Bytes of one message from a runner.
    pub frame_bytes_max: u32,
    /// Rows of one batch.
    pub batch_rows_max: u32,
    /// Bytes of one statement.
    pub sql_bytes_max: usize,
    /// Walls that must stand around every child, besides those that always must.
    pub rings_demanded: Vec<Ring>,
    /// What a domain tightens of what a statement may be, by name: [`wire::job::STATEMENT_LIMITS`].
    pub statement_limits: BTreeMap<String, u64>,
}

/// How the children of one kind are kept.
#[derive(Debug, Clone, Copy)]
pub struct ChildConfig {
    /// How many are started ahead; at least one.
    pub ready: usize,
    /// How many may be at work at a time; at least one.
    pub running_max: usize,
    /// How many of these for one licence; at least one.
    pub running_each_max: usize,
    /// What each may use.
    pub limits: Limits,
    /// How long one job may take.
    pub wall_max: Duration,
    /// How long a job waits for a child.
    pub queue_max: Duration,
}

impl PoolConfig {
    /// What suits one machine of two or more cores.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        let limits = Limits {
            memory_bytes: 0,
            cpu_seconds: 0,
            // Its pipes, and the files that may come with a job.
            files_open: 320,
            file_bytes: 0,
        };
        Self {
            program,
            planner: ChildConfig {
                ready: 2,
                running_max: 4,
                running_each_max: 3,
                limits: Limits {
                    memory_bytes: 1 << 30,
                    cpu_seconds: 4,
                    ..limits
                },
                wall_max: Duration::from_secs(2),
                queue_max: Duration::from_secs(5),
            },
            runner: ChildConfig {
                ready: 2,
                running_max: 4,
                running_each_max: 3,
                limits: Limits {
                    memory_bytes: 3 << 30,
                    cpu_seconds: 120,
                    ..limits
                },
                wall_max: Duration::from_secs(30),
                queue_max: Duration::from_secs(20),
            },
            engine_bytes_max: 3 << 29,
            results_bytes_max: 64 << 20,
            results_unread_max: Duration::from_mins(1),
            frame_bytes_max: 16 << 20,
            batch_rows_max: 8192,
            sql_bytes_max: 256 << 10,
            rings_demanded: vec![],
            statement_limits: BTreeMap::new(),
        }
    }
}
