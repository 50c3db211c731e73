//! Ways out of a child, each tried from inside by a child of its own, behind the walls of a planner (one
//! thread) and of a runner (more threads, a file that came with the job). A probe that the system lets
//! through is an escape; how many of them it lets through without the walls says that they are probes.
//!
//! This program runs itself again: as a zygote, and, if it is root, as `nobody` too.
#![expect(
    clippy::unwrap_used,
    unsafe_code,
    reason = "this whole program is a test, and a way out is a raw call to the kernel"
)]

mod probes {
    pub(crate) mod calls;
    pub(crate) mod gateway;
}

use jail::{Ending, Inside};
use probes::{
    calls::{PROBES, Probe},
    gateway::Gateway,
};
use std::{
    fs::File,
    io::Read,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
    sync::mpsc,
};

/// The user that is not root.
const NOBODY: u32 = 65534;
/// How many probes there must be at least, and how many of them must be able to succeed.
const PROBES_MIN: usize = 100;
const SOUND_MIN: usize = 40;

/// What became of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It succeeded.
    Through,
    /// The system refused, with this error.
    Refused(i32),
    /// The process was ended, by this signal.
    Ended(i32),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let probe = |name: &String| PROBES.iter().find(|probe| probe.name == *name);
    match arguments.first().map(String::as_str) {
        Some("--list") => {
            println!("probes: test");
            ExitCode::SUCCESS
        }
        Some("planner") => jail::zygote(limits(), || (), |(), inside| planner(inside)),
        Some("runner") => jail::zygote(limits(), || (), |(), inside| runner(inside)),
        Some("open") => jail::zygote_for_test(limits(), || ordered(&mut std::io::stdin(), None)),
        Some("table") => table(),
        Some(other) if probe(&other.to_owned()).is_some() || other.starts_with("--") => both(),
        Some(_) | None => both(),
    }
}

/// The table as this user, and, if that is root, as `nobody`.
fn both() -> ExitCode {
    let mut failed = false;
    let again = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("table").env_clear();
        command
    };
    failed |= !again().status().unwrap().success();
    if rustix::process::geteuid().is_root() {
        let nobody = again().uid(NOBODY).gid(NOBODY).status();
        match nobody {
            Ok(status) => failed |= !status.success(),
            Err(error) => {
                println!("as nobody: NOT RUN, {error}; the program's folder is closed to it")
            }
        }
    }
    ExitCode::from(u8::from(failed))
}

fn table() -> ExitCode {
    let user = rustix::process::geteuid().as_raw();
    let mut worlds = ["open", "planner", "runner"].map(Gateway::start);
    println!("as uid {user}:");
    for gateway in &worlds {
        println!("  {:8} {}", gateway.kind, gateway.rings);
    }
    let (mut escapes, mut sound) = (0, 0);
    for (number, probe) in PROBES.iter().enumerate() {
        let fates = worlds.each_mut().map(|gateway| fate(gateway, number));
        let [open, planner, runner] = fates;
        sound += usize::from(open == Fate::Through);
        let escaped = [planner, runner].contains(&Fate::Through);
        escapes += usize::from(escaped);
        let told = fates.map(told);
        let mark = if escaped { "ESCAPED" } else { "" };
        println!(
            "  {:3} {:44} {:14} {:14} {:14} {mark}",
            number + 1,
            probe.name,
            told[0],
            told[1],
            told[2]
        );
    }
    for left in ["", "-link", "-moved", "-hard", "-fifo"] {
        std::fs::remove_file(format!("/tmp/bonded-probe{left}")).ok();
    }
    println!(
        "as uid {user}: {} probes, {sound} succeed without walls, {escapes} escaped",
        PROBES.len()
    );
    let enough = PROBES.len() >= PROBES_MIN && sound >= SOUND_MIN;
    ExitCode::from(u8::from(escapes > 0 || !enough))
}

fn told(fate: Fate) -> String {
    match fate {
        Fate::Through => "succeeded".to_owned(),
        Fate::Refused(error) => format!("errno {error}"),
        Fate::Ended(31) => "ended".to_owned(),
        Fate::Ended(signal) => format!("signal {signal}"),
    }
}

/// Has one child try one probe.
fn fate(gateway: &mut Gateway, number: usize) -> Fate {
    let (told, ending) = gateway.tried(u32::try_from(number).unwrap());
    // A probe may have written before.
    match (ending, told.last_chunk::<4>()) {
        (Ending::Exited(0), Some(error)) => match i32::from_le_bytes(*error) {
            0 => Fate::Through,
            error => Fate::Refused(error),
        },
        // It became another program.
        (Ending::Exited(0), None) => Fate::Through,
        (Ending::Exited(_), _) => panic!("probe {} was not tried", number + 1),
        (Ending::Signalled(signal), _) => Fate::Ended(signal),
    }
}

fn limits() -> Vec<String> {
    ["4294967296", "5", "320", "0"].map(str::to_owned).into()
}

/// One thread, and no file.
fn planner(inside: Inside) -> ExitCode {
    match inside.seal() {
        Ok((mut input, _)) => ordered(&mut input, None),
        Err(_) => ExitCode::from(9),
    }
}

/// A thread that began before the last wall does the probe; a file came along.
fn runner(inside: Inside) -> ExitCode {
    let (order, orders) = mpsc::channel::<u32>();
    let (runs, running) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        runs.send(()).ok();
        orders
            .recv()
            .map_or(ExitCode::from(9), |number| done(number, None))
    });
    running.recv().ok();
    let Ok((mut input, _)) = inside.seal() else {
        return ExitCode::from(9);
    };
    let mut number = [0; 4];
    if input.read_exact(&mut number).is_err() {
        return ExitCode::from(9);
    }
    let files = input.files();
    order.send(u32::from_le_bytes(number)).ok();
    let ended = thread.join().unwrap_or(ExitCode::from(9));
    drop(files);
    ended
}

fn ordered(input: &mut impl Read, file: Option<File>) -> ExitCode {
    let mut number = [0; 4];
    match input.read_exact(&mut number) {
        Ok(()) => done(u32::from_le_bytes(number), file),
        Err(_) => ExitCode::from(9),
    }
}

/// Tries a probe and says with what error the system answered; 0 if it let it through.
fn done(number: u32, _file: Option<File>) -> ExitCode {
    let probe = usize::try_from(number).ok().and_then(|at| PROBES.get(at));
    let Some(Probe { attempt, .. }) = probe else {
        return ExitCode::from(9);
    };
    let result = attempt();
    let error = std::io::Error::last_os_error().raw_os_error();
    let error = if result < 0 { error.unwrap_or(-1) } else { 0 };
    let told = error.to_le_bytes();
    // SAFETY: `told` outlives the call.
    let written = unsafe { libc::write(1, told.as_ptr().cast(), told.len()) };
    // At once: the probe may have changed what an orderly end needs.
    // SAFETY: nothing of this process is wanted any more.
    unsafe { libc::_exit(if written == 4 { 0 } else { 9 }) }
}
