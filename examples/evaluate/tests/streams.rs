//! Outputs that are closed, full or missing.
#![cfg(unix)]

#[path = "../../report/tests/streams/mod.rs"]
mod streams;

use std::fs;

use streams::{Sink, assert_survives, head, run};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_evaluate");
const SAMPLES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../captioning/tests/samples"
);

/// A table of one picture.
fn table(folder: &TempDir) -> String {
    let path = folder.path().join("data.tsv");
    let rows = "image_file\tcaption\turl\tlang_id\n02-fluent-emoji-1f40e.png\ta horse\t\ten\n";
    fs::write(&path, rows).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn broken_outputs_end_the_program_with_the_right_code() {
    let folder = TempDir::new().unwrap();
    let table = table(&folder);
    let fast = [
        "--data",
        &table,
        "--image-folder",
        SAMPLES,
        "--num-beams",
        "1",
    ];
    for format in [&[][..], &["--json"]] {
        let good = [&fast, format].concat();
        assert_survives(PROGRAM, &good, 0, &["--data", "/nowhere.tsv"]);
    }
    let (read, code, message) = head(PROGRAM, &fast, 1);
    assert_eq!((read.len(), code, message.as_str()), (1, Some(0), ""));
}

#[test]
fn captions_and_page_are_written_although_nobody_reads_the_table() {
    let folder = TempDir::new().unwrap();
    let table = table(&folder);
    let path = |name: &str| folder.path().join(name);
    let (captions, page) = (path("captions.jsonl"), path("page.html"));
    let arguments = [
        "--data",
        &table,
        "--image-folder",
        SAMPLES,
        "--captions",
        captions.to_str().unwrap(),
        "--html",
        page.to_str().unwrap(),
    ];
    let output = run(PROGRAM, &arguments, Sink::ClosedPipe, Sink::Read);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fs::read_to_string(captions).unwrap().lines().count(), 1);
    assert!(fs::read_to_string(page).unwrap().ends_with("</main>"));
}
