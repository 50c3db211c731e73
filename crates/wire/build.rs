//! Compiles every file under `proto/`, without a system `protoc`.

use prost::Message;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Asked when it runs: a target directory may serve several checkouts.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?;
    let root = Path::new(&here).join("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files)?;
    let descriptors = compiler.file_descriptor_set();
    // For reflection: what callers outside speak, and nothing of the jobs.
    let mut told = descriptors.clone();
    told.file.retain(|file| file.package() != "bonded.job.v1");
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    std::fs::write(Path::new(&out).join("services.bin"), told.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".bonded.job.v1.RunFrame.batch")
        .bytes(".bonded.job.v1.Cells.sets")
        .skip_debug([
            ".bonded.job.v1.RunJob",
            ".bonded.job.v1.Source",
            ".bonded.job.v1.ColumnKey",
            ".bonded.job.v1.PlanJob",
        ])
        .compile_fds(descriptors)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    Ok(())
}
