//! A machine that is short of something is an error, and not a fault of pictures.
#![cfg(target_os = "linux")]

use std::env;
use std::fs::File;
use std::process::Command;

use datasets::cleaning::{Cleaner, CleaningConfig, Verdict};
use datasets::{Caption, Example, ImageSource, Origin};

#[test]
fn too_many_open_files_are_no_fault_of_a_picture() {
    let test = env::current_exe().unwrap();
    let script = "ulimit -n 40; exec \"$0\" --exact --ignored without_handles";
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(test)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Run by the other test, in a process that may have few files open.
#[test]
#[ignore = "takes all handles of its process"]
fn without_handles() {
    let picture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../preprocess/tests/data/images/jpeg-420.jpg"
    );
    let example = Example {
        image: ImageSource::File(picture.into()),
        captions: vec![Caption {
            language: preprocess::text::language("en").unwrap(),
            text: "a harbour".to_owned(),
        }],
        url: None,
        origin: Origin {
            file: "table.tsv".into(),
            row: 2,
        },
    };
    let mut config = CleaningConfig::default();
    config.pictures.min_side = 1;
    let mut cleaner = Cleaner::new(config).unwrap();
    let mut handles = Vec::new();
    while let Ok(handle) = File::open("/dev/null") {
        handles.push(handle);
        assert!(handles.len() < 1000, "there is no limit");
    }
    let error = cleaner.clean(example.clone()).unwrap_err();
    drop(handles);
    assert!(error.to_string().contains("jpeg-420.jpg"), "{error}");
    assert!(matches!(cleaner.clean(example).unwrap(), Verdict::Kept(_)));
}
