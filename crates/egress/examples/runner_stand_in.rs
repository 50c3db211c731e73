//! A zygote whose children become a shell script: what these tests run instead of an engine.
//!
//! Usage: `runner_stand_in SCRIPT SUBCOMMAND LIMITS…`

use std::{
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let script = std::env::args_os().nth(1).unwrap_or_default();
    let become_script = || {
        let error = Command::new("/bin/sh").arg(&script).exec();
        eprintln!("{error}");
        ExitCode::from(127)
    };
    jail::zygote_for_test(std::env::args().skip(3), become_script)
}
