//! A run that is killed, at whichever call to the operating system, and started again writes the same bytes as one that
//! was not, and does not look again at pictures that it has noted. `report/tests/killer.c` kills it.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{clean, content, data, stderr};
use tempfile::TempDir;

/// Kills after this many calls are tried at most; a run makes fewer.
const MOST_CALLS: usize = 2000;

/// Builds the killer, unless there is no C compiler.
fn killer(place: &Path) -> Option<PathBuf> {
    let killer = place.join("killer.so");
    let built = Command::new("cc")
        .args(["-DTORN_WRITES", "-shared", "-fPIC", "-o"])
        .arg(&killer)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../report/tests/killer.c"
        ))
        .arg("-ldl")
        .status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("skipped, because there is no C compiler");
        return None;
    }
    Some(killer)
}

fn command(place: &Path, output: &str, options: &[&str]) -> Command {
    let mut command = clean();
    command.current_dir(place).args([
        "table.tsv",
        "--min-side=8",
        "--validation=0.2",
        "--output",
        output,
    ]);
    command.args(options);
    command
}

/// Runs until the n-th call. `None` if it ended before, as it should.
fn run_until(call: usize, killer: &Path, command: &mut Command) -> Option<Output> {
    let output = command
        .env("KILL_AT", call.to_string())
        .env("LD_PRELOAD", killer)
        .output()
        .unwrap();
    if output.status.signal() != Some(9) {
        assert!(output.status.success(), "{output:?}");
        return None;
    }
    Some(output)
}

/// How many pictures a run did not look at, as it says.
fn known(output: &Output) -> usize {
    let message = stderr(output);
    match message.split_once(" of ") {
        Some((start, _)) => start
            .rsplit(' ')
            .next()
            .unwrap()
            .replace(',', "")
            .parse()
            .unwrap(),
        None => 0,
    }
}

#[test]
fn a_run_that_is_killed_anywhere_and_started_again_writes_the_same_bytes() {
    let place = TempDir::new().unwrap();
    let Some(killer) = killer(place.path()) else {
        return;
    };
    for (pictures, options, step, least) in [(700, &[][..], 1, 30), (60, &["--copy-images"], 5, 30)]
    {
        data(place.path(), pictures);
        let _ = fs::remove_dir_all(place.path().join("whole"));
        assert!(
            command(place.path(), "whole", options)
                .output()
                .unwrap()
                .status
                .success()
        );
        let expected = content(&place.path().join("whole"));
        assert!(expected["train.tsv"].len() > 1000);
        let out = place.path().join("out");
        let (mut kills, mut seen) = (0, [false; 3]);
        for call in (1..MOST_CALLS).step_by(step) {
            let _ = fs::remove_dir_all(&out);
            if run_until(call, &killer, &mut command(place.path(), "out", options)).is_none() {
                break;
            }
            kills += 1;
            // Whoever reads the folder finds all of the new files or is told that they are not complete.
            if out.join("report.json").exists() {
                assert_eq!(content(&out), expected, "call {call}");
            }
            let output = command(place.path(), "out", options).output().unwrap();
            assert!(output.status.success(), "call {call}: {output:?}");
            assert_eq!(content(&out), expected, "call {call}");
            let known = known(&output);
            seen[usize::from(known > 0) + usize::from(known == pictures as usize)] = true;
        }
        assert!(kills >= least, "{kills}");
        // Killed before anything was noted, when all was, and in a longer run in between.
        assert!(
            seen[0] && seen[2] && (seen[1] || pictures < 256),
            "{seen:?}"
        );
    }
}

#[test]
fn a_run_that_is_killed_again_and_again_comes_to_its_end() {
    let place = TempDir::new().unwrap();
    let Some(killer) = killer(place.path()) else {
        return;
    };
    data(place.path(), 600);
    assert!(
        command(place.path(), "whole", &[])
            .output()
            .unwrap()
            .status
            .success()
    );
    let mut call = 8;
    while run_until(call, &killer, &mut command(place.path(), "out", &[])).is_some() {
        call += 1;
    }
    assert!(call > 20);
    assert_eq!(
        content(&place.path().join("out")),
        content(&place.path().join("whole"))
    );
}

#[test]
fn pictures_that_were_noted_are_not_decoded_again() {
    let place = TempDir::new().unwrap();
    let Some(killer) = killer(place.path()) else {
        return;
    };
    data(place.path(), 700);
    assert!(
        command(place.path(), "whole", &[])
            .output()
            .unwrap()
            .status
            .success()
    );
    let expected = content(&place.path().join("whole"));
    let noted = (1..MOST_CALLS).find_map(|call| {
        let _ = fs::remove_dir_all(place.path().join("out"));
        run_until(call, &killer, &mut command(place.path(), "out", &[])).unwrap();
        let length =
            fs::metadata(place.path().join("out/pictures.journal")).map_or(0, |file| file.len());
        // A block of 256 records, and nothing of the next.
        (length > 6000).then_some(256)
    });
    let noted = noted.unwrap();
    // As long and as old as before, so that only whoever reads them could notice.
    for number in 0..noted {
        let path = place.path().join(format!("pictures/{number}.ppm"));
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        fs::write(&path, vec![b'x'; metadata.len() as usize]).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(metadata.modified().unwrap()).unwrap();
    }
    let output = command(place.path(), "out", &[]).output().unwrap();
    assert_eq!(known(&output), noted, "{}", stderr(&output));
    let found = content(&place.path().join("out"));
    for name in ["train.tsv", "validation.tsv", "dropped.tsv", "report.json"] {
        assert_eq!(found[name], expected[name], "{name}");
    }
}
