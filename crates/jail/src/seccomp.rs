//! The calls to the kernel that a child may make: those of a list, each for a reason. Any other ends it.

use crate::{Ring, Unjailed};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};
use std::{collections::BTreeMap, io};

/// A call that is allowed, if its arguments meet the conditions.
struct Rule {
    call: libc::c_long,
    conditions: Vec<(u8, Op, u64)>,
    #[expect(dead_code, reason = "a rule without a reason must not compile")]
    reason: &'static str,
}

/// Which calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Threads begin, and the next stage is entered.
    Starting,
    /// A job is done.
    Working,
}

/// What makes a thread, and not a process: all that a thread shares.
const THREAD: i32 = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM;
/// What would leave the namespaces.
const NEW: i32 = libc::CLONE_NEWNS
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// Calls that libraries make, and go on without.
const ANSWERED: [(libc::c_long, i32); 2] = [
    // Its flags lie in memory, where no filter sees them; the C library then uses `clone`.
    (libc::SYS_clone3, libc::ENOSYS),
    // The C library and the runtime ask /proc how much memory and how many processors there are.
    (libc::SYS_openat, libc::EACCES),
];

/// Puts the calling thread, or all of them, behind a stage; a stage can't be left, only narrowed.
///
/// # Errors
/// The system refused, or this machine has no list.
pub(crate) fn enter(stage: Stage, all_threads: bool) -> Result<(), Unjailed> {
    let refused = |error: &dyn std::fmt::Display| {
        Unjailed::refused(Ring::Seccomp, io::Error::other(error.to_string()))
    };
    let programs = programs(stage).map_err(|error| refused(&error))?;
    for program in &programs {
        if all_threads {
            seccompiler::apply_filter_all_threads(program).map_err(|error| refused(&error))?;
        } else {
            seccompiler::apply_filter(program).map_err(|error| refused(&error))?;
        }
    }
    Ok(())
}

/// Whether there is a list for this machine.
pub(crate) fn probed() -> Result<String, String> {
    let starting = programs(Stage::Starting).map_err(|error| error.to_string())?;
    programs(Stage::Working).map_err(|error| error.to_string())?;
    let calls = |stage| {
        rules(stage)
            .iter()
            .map(|rule| rule.call)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    debug_assert!(!starting.is_empty());
    Ok(format!(
        "{} calls, {} at work",
        calls(Stage::Starting),
        calls(Stage::Working)
    ))
}

fn programs(stage: Stage) -> Result<Vec<BpfProgram>, seccompiler::BackendError> {
    let machine = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut allowed: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for Rule {
        call, conditions, ..
    } in rules(stage)
    {
        let known = allowed.entry(call).or_default();
        if !conditions.is_empty() {
            let condition = |(at, op, value)| SeccompCondition::new(at, Width::Qword, op, value);
            let conditions = conditions.into_iter().map(condition);
            known.push(SeccompRule::new(conditions.collect::<Result<_, _>>()?)?);
        }
    }
    let end = SeccompAction::KillProcess;
    let mut programs = Vec::new();
    if stage == Stage::Starting {
        // Filters stay, and the strictest of all counts: where the list lets one of these calls pass,
        // it is answered with an error all the same, and never made.
        for (call, error) in ANSWERED {
            let error = SeccompAction::Errno(error.unsigned_abs());
            let answered = BTreeMap::from([(call, vec![])]);
            let filter = SeccompFilter::new(answered, SeccompAction::Allow, error, machine)?;
            programs.push(filter.try_into()?);
        }
    }
    let filter = SeccompFilter::new(allowed, end, SeccompAction::Allow, machine)?;
    programs.push(filter.try_into()?);
    Ok(programs)
}

fn rules(stage: Stage) -> Vec<Rule> {
    let mut rules = working();
    if stage == Stage::Starting {
        rules.extend(starting());
    }
    rules
}

fn rule(call: libc::c_long, reason: &'static str) -> Rule {
    Rule {
        call,
        conditions: vec![],
        reason,
    }
}

impl Rule {
    /// Only if this argument is this number.
    fn only(self, at: u8, value: i32) -> Self {
        self.masked(at, i32::MAX, value)
    }

    /// Only if these bits of this argument are those.
    fn masked(mut self, at: u8, mask: i32, value: i32) -> Self {
        let bits = |number: i32| u64::from(number.unsigned_abs());
        let condition = (at, Op::MaskedEq(bits(mask)), bits(value));
        self.conditions.push(condition);
        self
    }
}

/// What a job is done with: its own memory, its threads, its pipes, its open files.
fn working() -> Vec<Rule> {
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    vec![
        rule(libc::SYS_recvmsg, "the job, and answers to questions").only(0, 0),
        rule(libc::SYS_write, "the result").only(0, 1),
        rule(libc::SYS_write, "the runtime's own complaint").only(0, 2),
        rule(libc::SYS_pread64, "the sealed files that came with the job"),
        rule(libc::SYS_lseek, "how long such a file is"),
        rule(libc::SYS_close, "what is open may be let go of"),
        rule(
            libc::SYS_fcntl,
            "a debug build asks whether a file is open before it closes it",
        )
        .only(1, libc::F_GETFD),
        rule(
            libc::SYS_mmap,
            "memory, of which none comes from a file and none can be executed",
        )
        .masked(2, libc::PROT_EXEC, 0)
        .masked(3, libc::MAP_ANONYMOUS, libc::MAP_ANONYMOUS),
        rule(libc::SYS_mprotect, "memory, of which none can be executed").masked(
            2,
            libc::PROT_EXEC,
            0,
        ),
        rule(libc::SYS_munmap, "memory is given back"),
        rule(libc::SYS_mremap, "memory grows"),
        rule(libc::SYS_madvise, "memory is given back"),
        rule(libc::SYS_brk, "memory"),
        rule(libc::SYS_futex, "threads wait for each other"),
        rule(libc::SYS_sched_yield, "threads wait for each other"),
        rule(libc::SYS_clock_nanosleep, "threads wait for each other"),
        rule(libc::SYS_nanosleep, "threads wait for each other"),
        rule(
            libc::SYS_restart_syscall,
            "a wait that was interrupted goes on",
        ),
        rule(
            libc::SYS_sched_getaffinity,
            "where a thread's stack lies is asked with it",
        ),
        rule(
            libc::SYS_clock_gettime,
            "the time, where it is not read from memory",
        ),
        rule(libc::SYS_getrandom, "seeds of hash tables"),
        rule(
            libc::SYS_getrusage,
            "what the job used is told with its result",
        ),
        rule(libc::SYS_gettid, "an abort names its thread"),
        rule(libc::SYS_getpid, "an abort names its process"),
        rule(libc::SYS_tgkill, "an abort, of this process alone").only(0, own),
        rule(
            libc::SYS_rt_sigprocmask,
            "an abort, and the start of a thread",
        ),
        rule(
            libc::SYS_rt_sigaction,
            "an abort, and a stack that overflowed",
        ),
        rule(libc::SYS_rt_sigreturn, "a stack that overflowed"),
        rule(libc::SYS_sigaltstack, "a thread begins and ends"),
        rule(libc::SYS_exit, "a thread ends"),
        rule(libc::SYS_openat, "answered by a filter before: may not"),
        rule(libc::SYS_exit_group, "the process ends"),
    ]
}

/// What is needed besides until all threads run.
fn starting() -> Vec<Rule> {
    vec![
        rule(
            libc::SYS_clone,
            "a thread, never a process, never out of a namespace",
        )
        .masked(0, THREAD | NEW, THREAD),
        rule(libc::SYS_clone3, "answered by a filter before: not known"),
        rule(libc::SYS_set_robust_list, "a thread begins"),
        rule(libc::SYS_rseq, "a thread begins"),
        rule(libc::SYS_prctl, "a thread gets its name").only(0, libc::PR_SET_NAME),
        rule(libc::SYS_prctl, "the next stage is entered").only(0, libc::PR_SET_NO_NEW_PRIVS),
        rule(libc::SYS_seccomp, "the next stage is entered").only(
            0,
            i32::try_from(libc::SECCOMP_SET_MODE_FILTER).unwrap_or_default(),
        ),
    ]
}
