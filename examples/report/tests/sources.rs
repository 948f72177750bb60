//! Programs print through this crate and in no other way.

use std::fs;
use std::path::{Path, PathBuf};

/// What prints past the writer, or panics if stderr is full.
const FORBIDDEN: [&str; 9] = [
    "println!",
    "print!",
    "eprintln!",
    "eprint!",
    "dbg!",
    "stdout()",
    "stderr().lock",
    "ProgressBar::",
    ".exit()",
];

#[test]
fn no_program_prints_past_the_writer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for package in fs::read_dir(root.join("examples")).unwrap() {
        let package = package.unwrap().path();
        // Its own files are the writer.
        if !package.ends_with("report") {
            sources(&package.join("src"), &mut files);
        }
    }
    sources(&root.join("benches/src"), &mut files);
    assert!(files.len() > 40, "{files:?}");
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (line, number) in text.lines().zip(1..) {
            let is_comment = line.trim_start().starts_with("//");
            let found = FORBIDDEN.iter().find(|forbidden| line.contains(*forbidden));
            assert!(
                is_comment || found.is_none(),
                "{}:{number}: {found:?}",
                file.display()
            );
        }
    }
}

/// The Rust files below a folder, if it exists.
fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}
