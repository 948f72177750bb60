//! A program that is killed while it converts onto a folder leaves all old files, all new files or no weights, at
//! whichever call to the operating system it is killed. `report/tests/killer.c` kills it.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;

use checkpoint::{WeightsForm, open_weights};
use tempfile::TempDir;

const TIED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pretrained/tests/data");

/// Kills after this many calls are tried at most; a conversion makes fewer.
const MOST_CALLS: usize = 500;

fn convert(source: &str, destination: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_convert"));
    command.arg(source).arg(destination).args(options);
    command
}

/// The files of a folder and their contents, without what a save that was interrupted has left.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| !name.starts_with(".saving"))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

fn copy(content: &BTreeMap<String, Vec<u8>>, folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in content {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Whether a file is a part of weights.
fn is_weights(name: &str) -> bool {
    name.contains("-of-") || WeightsForm::ALL.iter().any(|form| form.file() == name)
}

fn has_weights(content: &BTreeMap<String, Vec<u8>>) -> bool {
    WeightsForm::ALL
        .iter()
        .any(|form| content.contains_key(form.file()))
}

#[test]
fn a_folder_is_old_or_new_or_without_weights_wherever_a_conversion_is_killed() {
    let place = TempDir::new().unwrap();
    let killer = place.path().join("killer.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&killer)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../report/tests/killer.c"
        ))
        .arg("-ldl")
        .status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("skipped, because there is no C compiler");
        return;
    }
    let old = format!("{TIED}/forms/safetensors");
    let flax = format!("{TIED}/forms/flax");
    let new = format!("{TIED}/tied/tied-head-differs");
    const WHOLE: &[&str] = &[];
    const SHARDS: &[&str] = &["--max-shard-size", "150KB"];
    const SMALL_SHARDS: &[&str] = &["--max-shard-size", "6KB"];
    const PACKED: &[&str] = &["--packed", "--precision", "int8"];
    for (old, before, after) in [
        (&old, Some(WHOLE), WHOLE),
        (&old, Some(WHOLE), PACKED),
        (&old, Some(PACKED), WHOLE),
        (&old, Some(SMALL_SHARDS), SHARDS),
        (&flax, None, WHOLE),
    ] {
        let folder = |name: &str| place.path().join(name);
        let before = match before {
            Some(options) => {
                let _ = fs::remove_dir_all(folder("old"));
                assert!(
                    convert(old, &folder("old"), options)
                        .output()
                        .unwrap()
                        .status
                        .success()
                );
                content(&folder("old"))
            }
            None => content(Path::new(old)),
        };
        let mut before = before;
        before.insert("other".into(), b"kept".to_vec());
        let _ = fs::remove_dir_all(folder("new"));
        assert!(
            convert(&new, &folder("new"), after)
                .output()
                .unwrap()
                .status
                .success()
        );
        let mut expected = content(&folder("new"));
        for (name, bytes) in before.iter().filter(|(name, _)| !is_weights(name)) {
            expected
                .entry(name.clone())
                .or_insert_with(|| bytes.clone());
        }
        let mut seen = [0; 3];
        let destination = folder("destination");
        let is_over = (1..MOST_CALLS).any(|call| {
            copy(&before, &destination);
            let output = convert(&new, &destination, after)
                .env("KILL_AT", call.to_string())
                .env("LD_PRELOAD", &killer)
                .output()
                .unwrap();
            let found = content(&destination);
            if output.status.signal() != Some(9) {
                assert!(output.status.success(), "{output:?}");
                assert_eq!(found, expected);
                return true;
            }
            let state = if found == before {
                0
            } else if found == expected {
                1
            } else {
                let names: Vec<_> = found.keys().collect();
                assert!(!has_weights(&found), "call {call}: {names:?}");
                2
            };
            seen[state] += 1;
            // Whoever reads the folder next completes what was interrupted.
            open_weights(&destination).unwrap();
            let found = content(&destination);
            assert!(found == before || found == expected, "call {call}");
            assert!(state == 0 || found == expected, "call {call}");
            false
        });
        assert!(is_over);
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }
}

#[test]
fn a_second_program_is_refused_while_the_first_saves() {
    let place = TempDir::new().unwrap();
    let source = format!("{TIED}/forms/safetensors");
    for name in ["new", "new"] {
        let destination = place.path().join(name);
        let staged = checkpoint::StagedFolder::new(&destination).unwrap();
        let output = convert(&source, &destination, &[]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(
            message.contains("another program is saving to"),
            "{message}"
        );
        drop(staged);
        assert!(
            convert(&source, &destination, &[])
                .output()
                .unwrap()
                .status
                .success()
        );
    }
}
