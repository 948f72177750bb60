//! Arguments, inputs and outputs that can't be used, and runs that can't go on.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::{clean, content, data, run, stderr};
use tempfile::TempDir;

#[test]
fn what_can_not_be_used_is_refused_before_anything_is_written() {
    let place = TempDir::new().unwrap();
    data(place.path(), 3);
    let file = |name: &str, content: &str| fs::write(place.path().join(name), content).unwrap();
    file("columns.tsv", "image\ttext\nx\ty\n");
    file("empty.tsv", "");
    file("rules.json", r#"{"min_side": 3}"#);
    for (arguments, expected) in [
        ("columns.tsv -o out", "image_file"),
        ("empty.tsv -o out", "empty.tsv"),
        ("none.tsv -o out", "none.tsv"),
        ("table.tsv -o out --config rules.json", "min_side"),
        ("table.tsv -o out --languages en,klingon", "klingon"),
        ("table.tsv -o out --require-all-languages", "languages"),
        ("table.tsv -o out --validation 2", "validation"),
        ("table.tsv -o out --tokenizer none", "none"),
        ("table.tsv -o out --language klingon", "klingon"),
        ("table.tsv -o out --min-side x", "--min-side"),
        ("table.tsv pictures -o out", "pictures"),
        ("table.tsv -o .", "output folder"),
        ("table.tsv -o table.tsv", "table.tsv"),
    ] {
        let output = run(place.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {output:?}");
        assert!(
            stderr(&output).contains(expected),
            "{arguments}: {}",
            stderr(&output)
        );
        assert!(!place.path().join("out").exists(), "{arguments}");
    }
}

#[test]
fn a_folder_with_other_files_is_left_alone_even_if_they_are_named_like_ours() {
    let place = TempDir::new().unwrap();
    data(place.path(), 3);
    let out = place.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("train.tsv"), "mine").unwrap();
    let output = run(place.path(), "table.tsv -o out --min-side 8");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("train.tsv"), "{}", stderr(&output));
    assert_eq!(fs::read(out.join("train.tsv")).unwrap(), b"mine");
    fs::remove_file(out.join("train.tsv")).unwrap();
    assert_eq!(
        run(place.path(), "table.tsv -o out --min-side 8")
            .status
            .code(),
        Some(0)
    );
    fs::write(out.join("thesis.doc"), "mine").unwrap();
    let output = run(place.path(), "table.tsv -o out --min-side 8");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("(thesis.doc)"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_second_run_into_a_folder_is_refused_while_the_first_writes() {
    let place = TempDir::new().unwrap();
    data(place.path(), 3);
    let out = place.path().join("out");
    fs::create_dir(&out).unwrap();
    let rules = whole_files::Rules {
        marks: |_| false,
        replaced: |_, _| false,
    };
    let first = whole_files::StagedFolder::new(&out, rules).unwrap();
    let output = run(place.path(), "table.tsv -o out --min-side 8");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("another program"),
        "{}",
        stderr(&output)
    );
    drop(first);
    assert_eq!(
        run(place.path(), "table.tsv -o out --min-side 8")
            .status
            .code(),
        Some(0)
    );
}

/// Runs the program with limits that a shell sets.
#[cfg(unix)]
fn limited(folder: &Path, limits: &str, arguments: &str) -> Output {
    let command = format!("{limits}; exec {} {arguments}", env!("CARGO_BIN_EXE_clean"));
    Command::new("sh")
        .current_dir(folder)
        .args(["-c", &command])
        .output()
        .unwrap()
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_the_same_command_goes_on() {
    let place = TempDir::new().unwrap();
    data(place.path(), 600);
    let arguments = "table.tsv -o out --min-side 8";
    // Files may not become longer than some blocks of 512 bytes, as if the disk were full then.
    let output = limited(place.path(), "trap '' XFSZ; ulimit -f 30", arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let message = stderr(&output);
    assert!(
        message.contains("can't write") && message.contains("goes on"),
        "{message}"
    );
    assert!(!place.path().join("out/report.json").exists());
    let output = run(place.path(), arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        stderr(&output).contains("checked by an earlier run"),
        "{}",
        stderr(&output)
    );
    run(place.path(), "table.tsv -o whole --min-side 8");
    assert_eq!(
        content(&place.path().join("out")),
        content(&place.path().join("whole"))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn too_many_open_files_end_the_work_and_are_no_fault_of_pictures() {
    let place = TempDir::new().unwrap();
    data(place.path(), 40);
    run(place.path(), "table.tsv -o whole --min-side 8");
    let expected = content(&place.path().join("whole"));
    // With few handles the program may fail in many places, but never finds other facts.
    for handles in 4..30 {
        let _ = fs::remove_dir_all(place.path().join("out"));
        let arguments = "table.tsv -o out --min-side 8 --threads 16";
        let output = limited(place.path(), &format!("ulimit -n {handles}"), arguments);
        match output.status.code() {
            Some(0) => {}
            code => {
                assert_ne!(code, Some(101), "{output:?}");
                let output = run(place.path(), "table.tsv -o out --min-side 8");
                assert_eq!(output.status.code(), Some(0), "{output:?}");
            }
        }
        assert_eq!(content(&place.path().join("out")), expected, "{handles}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn control_c_stops_with_a_message_and_the_same_command_goes_on() {
    let place = TempDir::new().unwrap();
    data(place.path(), 3000);
    let mut command = clean();
    command.current_dir(place.path()).args([
        "table.tsv",
        "-o",
        "out",
        "--min-side=8",
        "--threads=1",
    ]);
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    while !place.path().join("out/pictures.journal").exists() {
        std::thread::yield_now();
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    // It may have been at its end.
    assert!(
        [Some(0), Some(130)].contains(&output.status.code()),
        "{output:?}"
    );
    if output.status.code() == Some(130) {
        assert!(
            stderr(&output).contains("the same command goes on"),
            "{}",
            stderr(&output)
        );
        assert!(!place.path().join("out/report.json").exists());
    }
    assert_eq!(
        run(place.path(), "table.tsv -o out --min-side 8")
            .status
            .code(),
        Some(0)
    );
    run(place.path(), "table.tsv -o whole --min-side 8");
    assert_eq!(
        content(&place.path().join("out")),
        content(&place.path().join("whole"))
    );
}
