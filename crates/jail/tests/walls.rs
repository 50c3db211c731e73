//! The walls, each tried from inside by a process of its own: this program runs itself again.
#![expect(clippy::unwrap_used, reason = "this whole program is a test")]

use jail::{Limits, Unjailed, enter};
use std::{
    io::Read,
    os::unix::process::ExitStatusExt,
    process::{Command, ExitCode, Stdio},
};

const LIMITS: Limits = Limits {
    memory_bytes: 1 << 30,
    cpu_seconds: 1,
    files_open: 16,
    file_bytes: 0,
};

/// Name, what happens inside, and how the process must end: an exit code or a signal.
type Case = (&'static str, fn() -> u8, Result<i32, i32>);

const CASES: &[Case] = &[
    (
        "a_clean_child_enters",
        || u8::from(enter(&LIMITS).is_err()),
        Ok(0),
    ),
    ("an_inherited_descriptor_is_closed", inherited, Ok(0)),
    (
        "a_descriptor_opened_too_early_is_refused",
        opened_early,
        Ok(0),
    ),
    ("a_second_thread_is_refused", threaded, Ok(0)),
    ("memory_beyond_the_limit_is_not_given", starved, Ok(0)),
    (
        "processor_time_beyond_the_limit_ends_the_child",
        spinning,
        Err(24),
    ),
    ("a_file_beyond_the_limit_ends_the_child", writing, Err(25)),
    ("descriptors_beyond_the_limit_are_not_given", opening, Ok(0)),
    ("the_walls_are_seen_by_the_kernel", seen, Ok(0)),
];

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if let Some(inside) = wanted.strip_prefix("inside:") {
        let case = CASES.iter().find(|case| case.0 == inside);
        return case.map_or(ExitCode::from(99), |case| ExitCode::from(case.1()));
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

fn run(name: &str) -> Result<i32, i32> {
    let left_open = std::fs::File::open("/dev/null").unwrap();
    rustix::io::fcntl_setfd(&left_open, rustix::io::FdFlags::empty()).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg(format!("inside:{name}"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    let status = child.wait().unwrap();
    print!("{told}");
    status
        .code()
        .ok_or_else(|| status.signal().unwrap_or_default())
}

/// Every case inherits the descriptor that [`run`] leaves open.
fn inherited() -> u8 {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = open();
    enter(&LIMITS).unwrap();
    // The three pipes, and the listing itself.
    u8::from(before < 5 || open() != 4)
}

fn opened_early() -> u8 {
    let kept = std::fs::File::open("/dev/null").unwrap();
    let refused = matches!(enter(&LIMITS), Err(Unjailed::Inherited(_)));
    drop(kept);
    u8::from(!refused)
}

fn threaded() -> u8 {
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || wait.recv().ok());
    let refused = matches!(enter(&LIMITS), Err(Unjailed::Threads(2)));
    drop(end);
    thread.join().ok();
    u8::from(!refused)
}

fn starved() -> u8 {
    enter(&LIMITS).unwrap();
    let mut wanted: Vec<u8> = Vec::new();
    u8::from(wanted.try_reserve_exact(2 << 30).is_ok())
}

fn spinning() -> u8 {
    enter(&LIMITS).unwrap();
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

fn writing() -> u8 {
    let path = std::env::temp_dir().join(format!("bonded-jail-{}", std::process::id()));
    enter(&LIMITS).unwrap();
    u8::from(std::fs::write(path, b"x").is_ok())
}

fn opening() -> u8 {
    enter(&LIMITS).unwrap();
    let opened: Vec<_> = (0..32)
        .map_while(|_| std::fs::File::open("/dev/null").ok())
        .collect();
    u8::from(opened.len() >= 16)
}

fn seen() -> u8 {
    enter(&LIMITS).unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    u8::from(!status.contains("NoNewPrivs:\t1"))
}
