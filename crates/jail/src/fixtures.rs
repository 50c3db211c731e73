//! A program for tests: a zygote whose children become a shell script.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Writes a program into a folder whose children run this script; `stand_in` is the crate's example
/// that is built of `fixtures/stand_in.rs`, beside its tests.
///
/// # Errors
/// What the system says of the files.
pub fn program(folder: &Path, stand_in: &str, script: &str) -> io::Result<PathBuf> {
    let tests = std::env::current_exe()?;
    let built = tests.ancestors().nth(2).unwrap_or(Path::new("."));
    let zygote = built.join("examples").join(stand_in);
    if !zygote.exists() {
        let text = format!("{}: run the tests without --lib", zygote.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    let (run, program) = (folder.join("script"), folder.join("child"));
    fs::write(&run, format!("{script}\n"))?;
    let start = format!("exec {} {} \"$@\"", zygote.display(), run.display());
    fs::write(&program, format!("#!/bin/sh\n{start}\n"))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    Ok(program)
}
