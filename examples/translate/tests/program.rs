//! The program: lines, n-best lists, JSON, tables, and what it does when it is killed.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../translation/tests/data/tiny"
);

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_translate"));
    command.args(["--model", MODEL, "--threads", "1"]);
    command
}

/// Runs the program on some lines of stdin.
fn translate(input: &[u8], arguments: &[&str]) -> Output {
    let mut command = program();
    command.args(arguments).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The program may have ended before it reads anything.
    let _ = stdin.write_all(input);
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(String::from).collect()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn lines_come_out_in_order_and_empty_lines_stay() {
    let output = translate(b"two dogs on a beach\n\nend\r\ntwo dogs on a beach", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let lines = lines(&output);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1], "");
    assert_eq!(lines[0], lines[3]);
    assert_ne!(lines[0], lines[2]);
}

#[test]
fn files_are_translated_one_after_the_other() {
    let folder = TempDir::new().unwrap();
    let paths = ["a.txt", "b.txt"].map(|name| folder.path().join(name));
    fs::write(&paths[0], "end\n").unwrap();
    fs::write(&paths[1], "two dogs\nmur\n").unwrap();
    let output = program().args(&paths).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    assert_eq!(lines(&output).len(), 3);
    let missing = program().arg(folder.path().join("c.txt")).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(errors(&missing).contains("c.txt"), "{}", errors(&missing));
}

#[test]
fn n_best_lists_have_the_number_of_the_line_and_a_score() {
    let arguments = ["--num-beams", "3", "--num-return-sequences", "2"];
    let output = translate(b"end\nmur\n", &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    let arguments = ["--num-beams", "3", "--set", "num_return_sequences=2"];
    let set = translate(b"end\nmur\n", &arguments);
    assert_eq!(output.stdout, set.stdout);
    let lines = lines(&output);
    let fields: Vec<(u32, f32)> = lines
        .iter()
        .map(|line| {
            let mut fields = line.splitn(3, ' ');
            let mut next = || fields.next().unwrap();
            (next().parse().unwrap(), next().parse().unwrap())
        })
        .collect();
    let numbers: Vec<u32> = fields.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [1, 1, 2, 2]);
    assert!(fields[0].1 >= fields[1].1);
}

#[test]
fn a_line_that_is_not_translated_is_named_and_the_exit_code_says_so() {
    let long = "e ".repeat(200);
    let input = [long.as_bytes(), b"\nend\n\xff\n"].concat();
    let output = translate(&input, &[]);
    assert_eq!(output.status.code(), Some(1));
    let found = lines(&output);
    assert_eq!((found[0].as_str(), found[2].as_str()), ("", ""));
    assert_ne!(found[1], "");
    let errors = errors(&output);
    assert!(errors.contains("line 1 is not translated"), "{errors}");
    assert!(errors.contains("line 3 is not translated"), "{errors}");

    let output = translate(&input, &["--json", "--cut"]);
    assert_eq!(output.status.code(), Some(1));
    let lines = lines(&output);
    let records: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records[0]["is_cut"], true);
    assert!(records[1]["translations"][0]["score"].is_f64());
    assert_eq!(records[2]["line"], 3);
    assert!(records[2]["error"].as_str().unwrap().contains("UTF-8"));
}

#[test]
fn what_cannot_be_used_is_refused() {
    for (arguments, message) in [
        (&["--set", "num_beam=3"][..], "num_beam"),
        (&["--num-beams", "0"], "num_beams"),
        (&["--language", "fra"], "fra"),
        (&["--to", "fr"], "--from"),
        (
            &["--from", "en", "--to", "fr", "--output", "x"],
            "one table",
        ),
        (&["--precision", "int3"], "int3"),
    ] {
        let output = translate(b"end\n", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let errors = errors(&output);
        assert!(errors.contains(message), "{arguments:?}: {errors}");
    }
}

const TABLE: &str = "image_file\tcaption\turl\tlang_id\n\
    a.png\ttwo dogs on a beach\thttps://x/a\ten_XX\n\
    a.png\tzwei Hunde\thttps://x/a\tde_DE\n\
    b.png\t\"say \"\"mur\"\"\"\t\ten_XX\n\
    c.png\t \t\ten_XX\n\
    broken\n\
    d.png\tend\t\ten_XX";

/// Translates a table in a folder.
fn table(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = program();
    command.current_dir(folder).arg("in.tsv");
    command.args(["--from", "en", "--to", "fr", "--output", "out.tsv"]);
    command.args(arguments).output().unwrap()
}

#[test]
fn rows_are_added_after_their_sources_and_everything_else_stays() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    fs::write(folder.path().join("in.tsv"), TABLE).unwrap();
    let output = table(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));

    let rows = file("out.tsv");
    let rows: Vec<&str> = rows.lines().collect();
    let old: Vec<&str> = TABLE.lines().collect();
    assert_eq!(rows.len(), old.len() + 3);
    for (place, row) in [(0, 0), (1, 1), (3, 2), (4, 3), (6, 4), (7, 5), (8, 6)] {
        assert_eq!(rows[place], old[row]);
    }
    let added = rows[2];
    assert!(added.starts_with("a.png\t"), "{added}");
    assert!(added.ends_with("\thttps://x/a\tfr_XX"), "{added}");

    let report: Value = serde_json::from_str(&file("out.tsv.report.json")).unwrap();
    assert_eq!(report["counts"]["rows"], 6);
    assert_eq!(report["counts"]["source_rows"], 3);
    assert_eq!(report["counts"]["translated"], 3);
    assert_eq!(report["counts"]["flags"]["empty_caption"], 1);
    assert_eq!(report["counts"]["flags"]["unreadable_row"], 1);
    let flagged = file("out.tsv.flagged.jsonl");
    let flagged: Vec<Value> = flagged
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(report["counts"]["flagged_rows"], flagged.len());
    let empty = flagged.iter().find(|row| row["row"] == 5).unwrap();
    assert_eq!(empty["flags"][0], "empty_caption");
    assert_eq!(empty["image_file"], "c.png");
    assert!(!folder.path().join("out.tsv.translating").exists());

    // The same command again finds the work done, another one does not overwrite it.
    assert_eq!(table(folder.path(), &["--json"]).status.code(), Some(1));
    let other = table(folder.path(), &["--num-beams", "1"]);
    assert_eq!(other.status.code(), Some(2));
    assert!(
        errors(&other).contains("out.tsv exists"),
        "{}",
        errors(&other)
    );
}

#[test]
fn a_translation_back_is_compared() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("in.tsv"), TABLE).unwrap();
    let output = table(folder.path(), &["--back", MODEL, "--min-round-trip", "99"]);
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
    let report = fs::read(folder.path().join("out.tsv.report.json")).unwrap();
    let report: Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["counts"]["flags"]["round_trip"], 3);
}

#[test]
fn each_model_of_a_table_has_its_own_language() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("in.tsv"), TABLE).unwrap();
    let output = table(folder.path(), &["--back", MODEL, "--back-language", "fra"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("fra"), "{}", errors(&output));
    let output = table(folder.path(), &["--back-language", "fra"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("--back"), "{}", errors(&output));
}

#[test]
fn a_table_without_the_columns_is_refused() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("in.tsv"), "image\ttext\n").unwrap();
    let output = table(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(errors(&output).contains("lang_id"), "{}", errors(&output));
}

/// A table with many rows, of different lengths.
fn large_table(folder: &Path) {
    let words = [
        "two", "dogs", "on", "a", "beach", "red", "apple", "mur", "end",
    ];
    let mut table = String::from("image_file\tcaption\turl\tlang_id\n");
    for row in 0..240usize {
        let count = 1 + row * 7 % 5;
        let caption: Vec<&str> = (0..count).map(|i| words[(row * 5 + i * 3) % 9]).collect();
        let caption = caption.join(" ");
        let language = if row % 3 == 2 { "de_DE" } else { "en_XX" };
        table += &format!("{row}.png\t{caption}\t\t{language}\n");
    }
    fs::write(folder.join("in.tsv"), table).unwrap();
}

/// The files of a finished run.
fn results(folder: &Path) -> [Vec<u8>; 2] {
    ["out.tsv", "out.tsv.flagged.jsonl"].map(|name| fs::read(folder.join(name)).unwrap())
}

#[test]
fn a_run_that_is_killed_again_and_again_writes_the_same_bytes() {
    let arguments = ["--save-every", "8"];
    let whole = TempDir::new().unwrap();
    large_table(whole.path());
    let output = table(whole.path(), &arguments);
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}",
        errors(&output)
    );

    let killed = TempDir::new().unwrap();
    large_table(killed.path());
    // The time of its last change is part of what a run depends on, so the file stays the same.
    let mut kills = 0;
    // Much less than a run takes, on any machine.
    let mut patience = Duration::from_millis(10);
    loop {
        let mut command = program();
        command.current_dir(killed.path()).arg("in.tsv");
        command.args(["--from", "en", "--to", "fr", "--output", "out.tsv"]);
        command
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        sleep(patience);
        if let Some(status) = child.try_wait().unwrap() {
            assert!(matches!(status.code(), Some(0 | 1)), "{status}");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        // So that a slow machine comes to an end too.
        patience = patience.mul_f64(1.3);
    }
    assert!(kills >= 3, "killed only {kills} times");
    assert!(results(whole.path()) == results(killed.path()));
    let left = killed.path().join("out.tsv.translating");
    assert!(!left.exists());
}

#[test]
fn work_that_was_begun_otherwise_is_not_continued() {
    let folder = TempDir::new().unwrap();
    large_table(folder.path());
    let mut command = program();
    command.current_dir(folder.path()).arg("in.tsv");
    command.args(["--from", "en", "--to", "fr", "--output", "out.tsv"]);
    let mut child = command.args(["--save-every", "1"]).spawn().unwrap();
    let state = folder.path().join("out.tsv.translating/state.json");
    while !state.exists() && child.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(state.exists());
    let output = table(folder.path(), &["--save-every", "1", "--num-beams", "2"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        errors(&output).contains("num_beams=2"),
        "{}",
        errors(&output)
    );
}
