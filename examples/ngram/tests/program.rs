//! The program as its users run it.

use std::process::{Command, Output};

fn ngram(arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_ngram"))
        .args(arguments)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    output
}

fn lines(arguments: &[&str]) -> Vec<String> {
    let output = ngram(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    stdout.lines().map(str::to_owned).collect()
}

#[test]
fn all_strategies_write_sentences() {
    for options in [
        &[][..],
        &["--set", "num_beams=4", "--set", "num_return_sequences=3"],
        &["--set", "do_sample=true", "--set", "num_return_sequences=5"],
        &["--set", "do_sample=true", "--set", "num_beams=3"],
        &[
            "--set",
            "num_beams=4",
            "--set",
            "num_beam_groups=2",
            "--set",
            "diversity_penalty=1.5",
        ],
        &[
            "--set",
            "num_beams=4",
            "--require",
            "fox",
            "--forbid",
            "the",
        ],
    ] {
        for line in lines(options) {
            assert!(line.split_whitespace().count() > 2, "{options:?}: {line}");
        }
    }
}

#[test]
fn words_come_or_do_not_come_as_asked() {
    let beams = ["--set", "num_beams=6", "--prefix", "a"];
    let required = lines(&[&beams[..], &["--require", "fox", "--require", "small bird"]].concat());
    assert!(required[0].contains(" a "), "{required:?}");
    assert!(required[0].contains("fox") && required[0].contains("small bird"));
    let forbidden = lines(&[&beams[..], &["--forbid", "the", "--forbid", "bird"]].concat());
    let mut words = forbidden[0].split_whitespace();
    assert!(
        words.all(|word| word != "the" && word != "bird"),
        "{forbidden:?}"
    );
}

#[test]
fn what_streams_is_what_is_written() {
    for options in [&[][..], &["--set", "num_beams=5"]] {
        let written = lines(options);
        let streamed = lines(&[options, &["--stream"]].concat());
        assert!(
            written[0].ends_with(&streamed[0]),
            "{written:?} {streamed:?}"
        );
    }
}

#[test]
fn wrong_options_are_named() {
    for (arguments, expected) in [
        (&["--set", "num_beams"][..], "expected NAME=VALUE"),
        (
            &["--set", "num_beams=many"],
            "num_beams is \"many\", expected an integer",
        ),
        (&["--set", "guidance_scale=3"], "guidance_scale"),
        (&["--set", "top_p=2"], "top_p is 2"),
        (&["--prefix", "unicorn"], "not in the corpus"),
        (&["--require", "fox"], "num_beams above 1"),
        (&["/nowhere"], "can't read /nowhere"),
        (&["/dev/null"], "the corpus has no words"),
        (
            &[
                "--stream",
                "--set",
                "num_beams=3",
                "--set",
                "num_return_sequences=2",
            ],
            "--stream shows one text",
        ),
    ] {
        let output = ngram(arguments);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}

#[test]
fn the_documentation_names_every_option() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/generation.md");
    let page = std::fs::read_to_string(page).unwrap();
    for option in generation::OPTIONS {
        assert!(page.contains(&format!("`{option}`")), "{option}");
    }
}
