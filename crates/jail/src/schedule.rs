use std::io;

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

#[cfg(test)]
mod tests {
    #[test]
    fn a_thread_comes_first_or_is_told_why_not() {
        let policy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let after_name = stat.rsplit(')').next().unwrap().to_owned();
            // Field 41 of stat; the name in parentheses is field 2.
            after_name.split_whitespace().nth(38).unwrap().to_owned()
        };
        let thread = std::thread::spawn(move || (super::schedule_first(), policy()));
        match thread.join().unwrap() {
            (Ok(()), policy) => assert_eq!(policy, "2", "round-robin"),
            (Err(error), policy) => {
                assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
                assert_eq!(policy, "0");
            }
        }
    }
}
