use rustix::fd::{AsRawFd, BorrowedFd};
use std::{collections::HashSet, io};

/// How often the threads of a process are looked for at most.
const LOOKS_MAX: usize = 8;

/// Puts the calling thread before everything that is not real-time, if this process may do that.
///
/// For a thread that others wait for and that itself mostly waits for the disk: under a busy machine
/// it would else wait for its turn longer than for the disk. It keeps the rank until it ends; threads
/// and processes it starts do not inherit it. The kernel bounds what such threads use together.
///
/// # Errors
/// What the system said, as a rule that the process lacks `CAP_SYS_NICE` and `RLIMIT_RTPRIO`.
#[expect(unsafe_code, reason = "nothing safe sets a thread's scheduling policy")]
pub fn schedule_first() -> io::Result<()> {
    // The lowest real-time rank stands above all that is not real-time; nothing else here has one.
    let rank = libc::sched_param { sched_priority: 1 };
    // SAFETY: 0 means the calling thread; `rank` is a whole `sched_param` that outlives the call, which
    // only reads it.
    // JUSTIFICATION: neither the standard library nor rustix offers this call.
    let result = unsafe {
        libc::sched_setscheduler(
            0,
            libc::SCHED_RR | libc::SCHED_RESET_ON_FORK,
            &raw const rank,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Has all threads of a process run only while nothing else wants to: whatever wakes takes the processor from
/// them at once, where a thread of the last rank (nice 19) would keep it to the end of its turn.
///
/// The threads it starts later inherit that. A process that has ended needs it no more, and is no error.
///
/// # Errors
/// What the system said, as a rule that `/proc` does not show the process, or that it is another user's.
pub fn schedule_last(process: BorrowedFd<'_>) -> io::Result<()> {
    let mut last = HashSet::new();
    // A thread that was begun meanwhile by one that was not last yet is found by looking again.
    for _ in 0..LOOKS_MAX {
        let Some(pid) = pid(process)? else {
            return Ok(());
        };
        let threads = match std::fs::read_dir(format!("/proc/{pid}/task")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            threads => threads?,
        };
        let mut found = false;
        for thread in threads {
            let Ok(thread) = thread?.file_name().to_string_lossy().parse() else {
                continue;
            };
            if last.insert(thread) {
                found = true;
                thread_last(thread)?;
            }
        }
        if !found {
            break;
        }
    }
    Ok(())
}

/// The number of a process; none if it has ended.
fn pid(process: BorrowedFd<'_>) -> io::Result<Option<i32>> {
    let about = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", process.as_raw_fd()))?;
    let pid = about.lines().find_map(|line| line.strip_prefix("Pid:"));
    let pid = pid.and_then(|pid| pid.trim().parse().ok());
    let pid: i32 = pid.ok_or(io::ErrorKind::InvalidInput)?;
    // 0 of one that this /proc does not show, -1 of one that has ended.
    match pid {
        0 => Err(io::ErrorKind::NotFound.into()),
        ended if ended < 0 => Ok(None),
        pid => Ok(Some(pid)),
    }
}

#[expect(unsafe_code, reason = "nothing safe sets a thread's scheduling policy")]
fn thread_last(thread: i32) -> io::Result<()> {
    let rank = libc::sched_param { sched_priority: 0 };
    // SAFETY: `rank` is a whole `sched_param` that outlives the call, which only reads it.
    // JUSTIFICATION: neither the standard library nor rustix offers this call.
    let result = unsafe { libc::sched_setscheduler(thread, libc::SCHED_IDLE, &raw const rank) };
    if result == 0 {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    // It has ended since it was found.
    let is_gone = error.raw_os_error() == Some(libc::ESRCH);
    if is_gone { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use rustix::{
        fd::AsFd,
        process::{Pid, PidfdFlags, pidfd_open},
    };
    use std::{
        io,
        path::Path,
        process::{Command, Stdio},
    };

    /// The scheduling policy of a thread, by its folder in `/proc`.
    fn policy(thread: &Path) -> io::Result<String> {
        let stat = std::fs::read_to_string(thread.join("stat"))?;
        let after_name = stat.rsplit(')').next().unwrap();
        // Field 41 of stat; the name in parentheses is field 2.
        Ok(after_name.split_whitespace().nth(38).unwrap().to_owned())
    }

    /// Set where [`threads_of_another_process`] is another process.
    const ANOTHER: &str = "BONDED_TEST_ANOTHER_PROCESS";

    /// Threads that go on and on, each of which begins others; not a test where it is run as one.
    #[test]
    fn threads_of_another_process() {
        if std::env::var_os(ANOTHER).is_none() {
            return;
        }
        for _ in 0..3 {
            std::thread::spawn(|| {
                loop {
                    std::thread::spawn(|| std::hint::black_box(0))
                        .join()
                        .unwrap();
                }
            });
        }
        // Its input ends with who started it.
        io::stdin().read_line(&mut String::new()).unwrap();
    }

    #[test]
    fn no_thread_of_a_process_is_left_before_others() {
        let mut another = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "schedule::tests::threads_of_another_process"])
            .env(ANOTHER, "")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&another);
        let process = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let tasks = format!("/proc/{}/task", pid.as_raw_nonzero());
        // The harness, its test, and the three.
        while std::fs::read_dir(&tasks).unwrap().count() < 5 {
            std::thread::yield_now();
        }
        super::schedule_last(process.as_fd()).unwrap();
        let mut looked_at = 0;
        for task in std::fs::read_dir(&tasks).unwrap() {
            // A thread may have ended since.
            if let Ok(policy) = policy(&task.unwrap().path()) {
                assert_eq!(policy, "5", "SCHED_IDLE");
                looked_at += 1;
            }
        }
        assert!(looked_at >= 5, "{looked_at}");
        drop(another.stdin.take());
        assert!(another.wait().unwrap().success());
        super::schedule_last(process.as_fd()).unwrap();
    }

    #[test]
    fn a_thread_comes_first_or_is_told_why_not() {
        let own = || policy("/proc/thread-self".as_ref()).unwrap();
        let thread = std::thread::spawn(move || (super::schedule_first(), own()));
        match thread.join().unwrap() {
            (Ok(()), policy) => assert_eq!(policy, "2", "round-robin"),
            (Err(error), policy) => {
                assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
                assert_eq!(policy, "0");
            }
        }
    }
}
