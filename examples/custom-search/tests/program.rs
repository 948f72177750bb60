//! The program as its users run it.

use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn captions_begin_differently() {
    let picture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../caption/pictures/cat-and-pizza-blue.png"
    );
    let output = Command::new(env!("CARGO_BIN_EXE_custom-search"))
        .arg(picture)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Vec<&str>> = stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for (language, best) in [("en_XX", "cat"), ("de_DE", "Katze"), ("es_XX", "gato")] {
        let captions: Vec<_> = lines.iter().filter(|line| line[0] == language).collect();
        assert_eq!(captions.len(), 3);
        assert_eq!(captions[0][2], best, "{stdout}");
        let first: BTreeSet<&str> = captions.iter().map(|caption| caption[2]).collect();
        assert!(first.len() > 1, "{stdout}");
    }
}

#[test]
fn without_a_picture_the_program_says_how_it_is_called() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-search"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("name a picture"));
}
