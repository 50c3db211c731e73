//! The `bonded` binary.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    cli::run()
}
