//! The walls, each tried from inside by the child of a zygote: this program runs itself again.
#![expect(
    clippy::unwrap_used,
    unsafe_code,
    reason = "this whole program is a test, and asks the kernel what is open"
)]

use jail::{Ending, Inside, Limits, Orders, Report, zygote};
use std::{
    io::{ErrorKind, Read},
    os::fd::{AsFd, AsRawFd, OwnedFd},
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

const LIMITS: Limits = Limits {
    memory_bytes: 1 << 30,
    cpu_seconds: 1,
    files_open: 16,
    file_bytes: 0,
};

/// Name, what happens inside a child, and how it must end.
type Case = (&'static str, fn() -> u8, Outcome);

const CASES: &[Case] = &[
    ("a_child_does_its_job", || 7, Outcome::Exited(7)),
    (
        "an_inherited_descriptor_is_closed",
        inherited,
        Outcome::Exited(0),
    ),
    (
        "a_descriptor_opened_too_early_is_refused",
        || 0,
        Outcome::Refused,
    ),
    (
        "a_zygote_with_a_second_thread_is_refused",
        || 0,
        Outcome::Refused,
    ),
    (
        "memory_beyond_the_limit_is_not_given",
        starved,
        Outcome::Exited(0),
    ),
    (
        "processor_time_beyond_the_limit_ends_the_child",
        spinning,
        Outcome::Signalled(24),
    ),
    (
        "a_child_that_works_long_gives_way",
        spinning,
        Outcome::Signalled(24),
    ),
    ("a_path_is_not_opened", opening, Outcome::Exited(0)),
    (
        "a_thread_that_begins_late_ends_the_child",
        late,
        Outcome::Signalled(31),
    ),
    (
        "what_an_abort_does_is_an_abort",
        || std::process::abort(),
        Outcome::Signalled(6),
    ),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if let Some(inside) = wanted.strip_prefix("inside:") {
        return zygote_for(inside);
    }
    // What test runners ask of a test program.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = |word: &str| arguments.iter().any(|argument| argument == word);
    let named = CASES.iter().any(|case| asked(case.0));
    let wanted = CASES
        .iter()
        .filter(|case| !asked("--ignored") && (!named || asked(case.0)));
    let mut failed = 0;
    for (name, _, expected) in wanted {
        if asked("--list") {
            println!("{name}: test");
            continue;
        }
        let outcome = run(name);
        let verdict = if outcome == *expected { "ok" } else { "FAILED" };
        failed += usize::from(outcome != *expected);
        println!("test {name} ... {verdict} ({outcome:?})");
    }
    ExitCode::from(u8::from(failed > 0))
}

/// A zygote whose children are one case.
fn zygote_for(name: &str) -> ExitCode {
    let early = (name == "a_descriptor_opened_too_early_is_refused")
        .then(|| std::fs::File::open("/dev/null"));
    let case = CASES.iter().find(|case| case.0 == name);
    let inside = |(), inside: Inside| match (inside.seal(), case) {
        (Ok(_), Some(case)) => ExitCode::from(case.1()),
        (Err(_), _) | (_, None) => ExitCode::from(99),
    };
    let warm = || {
        if name == "a_zygote_with_a_second_thread_is_refused" {
            let (begun, wait) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                begun.send(()).ok();
                std::thread::park();
            });
            wait.recv().ok();
        }
    };
    let ended = zygote(LIMITS.arguments(), warm, inside);
    drop(early);
    ended
}

/// How a child ended, or that there was none.
#[derive(Debug, PartialEq)]
enum Outcome {
    Exited(i32),
    Signalled(i32),
    Refused,
}

/// Starts a zygote, orders one child of it, and hears how it ended.
fn run(name: &str) -> Outcome {
    let left_open = std::fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&left_open, rustix::io::FdFlags::empty()).unwrap();
    let (orders, theirs) = Orders::pair().unwrap();
    let mut zygote = Command::new(std::env::current_exe().unwrap())
        .arg(format!("inside:{name}"))
        .env_clear()
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let next = || loop {
        match orders.report() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(1));
            }
            other => return other.unwrap(),
        }
    };
    if let Report::Refused(_) = next() {
        assert_eq!(zygote.wait().unwrap().code(), Some(3));
        return Outcome::Refused;
    }
    let nothing = std::fs::File::open("/dev/null").unwrap();
    let (mut output, theirs) = std::io::pipe().unwrap();
    let error = std::io::stderr();
    let pipes = [nothing.as_fd(), theirs.as_fd(), error.as_fd()];
    orders.order(1, pipes).unwrap();
    drop(theirs);
    let Report::Born(1, process) = next() else {
        panic!("no child")
    };
    if name == "a_child_that_works_long_gives_way" {
        assert_eq!(last_rank(&process), Some(19), "behind all others");
        assert!(matches!(next(), Report::Old(1)));
        jail::schedule_last(process.as_fd()).unwrap();
        // 5 is SCHED_IDLE; field 41.
        assert_eq!(
            stat(&process, 38).as_deref(),
            Some("5"),
            "and in nobody's way"
        );
    }
    let mut told = String::new();
    output.read_to_string(&mut told).unwrap();
    print!("{told}");
    let mut ended = next();
    if matches!(ended, Report::Old(1)) {
        ended = next();
    }
    let outcome = match ended {
        Report::Ended(1, Ending::Exited(code)) => Outcome::Exited(code),
        Report::Ended(1, Ending::Signalled(signal)) => Outcome::Signalled(signal),
        other @ (Report::Ready(_)
        | Report::Refused(_)
        | Report::Born(..)
        | Report::Unborn(..)
        | Report::Old(_)
        | Report::Ended(..)) => panic!("{other:?}"),
    };
    drop(orders);
    assert_eq!(
        zygote.wait().unwrap().code(),
        Some(0),
        "it ends with its gateway"
    );
    outcome
}

/// The rank of a process before it ended: 0 as it began, 19 behind all others.
fn last_rank(process: &OwnedFd) -> Option<i64> {
    let mut last = None;
    loop {
        let rank = stat(process, 16).map(|rank| rank.parse().unwrap());
        if rank.is_none() || last == Some(19) {
            return last;
        }
        last = rank;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What stands so many fields after the name in a process's `stat`; none of one that has ended.
fn stat(process: &OwnedFd, after_name: usize) -> Option<String> {
    let about = format!("/proc/self/fdinfo/{}", process.as_raw_fd());
    let about = std::fs::read_to_string(about).unwrap();
    let pid = about.lines().find_map(|line| line.strip_prefix("Pid:"));
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.unwrap().trim())).ok()?;
    // The name in parentheses is field 2.
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let is_there = fields.first() != Some(&"Z");
    let field = fields.get(after_name).filter(|_| is_there);
    field.map(|field| (*field).to_owned())
}

/// Every zygote inherits the descriptor that [`run`] leaves open.
fn inherited() -> u8 {
    let open = |number: &i32| {
        // SAFETY: nothing of this process is used after the last of these calls.
        unsafe { libc::close(*number) == 0 }
    };
    let besides_output = (0..100).filter(|number| *number != 1);
    u8::from(besides_output.filter(open).count() != 2)
}

fn starved() -> u8 {
    let mut wanted: Vec<u8> = Vec::new();
    u8::from(wanted.try_reserve_exact(2 << 30).is_ok())
}

fn spinning() -> u8 {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn opening() -> u8 {
    u8::from(std::fs::File::open("/dev/null").is_ok())
}

fn late() -> u8 {
    u8::from(std::thread::spawn(|| ()).join().is_ok())
}
