//! Models that are named: they are downloaded from the test Hub of `hub/tests/downloads`.
#![cfg(feature = "hub")]
#![allow(dead_code)] // these tests use only a part of the test Hub

#[path = "../../../hub/tests/downloads/repository.rs"]
mod repository;
#[path = "../../../hub/tests/downloads/server.rs"]
mod server;
#[path = "../../../hub/tests/downloads/test_hub.rs"]
mod test_hub;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use repository::{Files, Repository, Storage, stored};
use test_hub::TestHub;

/// Files of the embedded model, each under another name.
fn files(names: &[(&str, &str)]) -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../captioning/model");
    let file = |(from, to): &(&str, &str)| {
        let storage = match from.ends_with(".json") {
            true => Storage::Git,
            false => Storage::Large,
        };
        let content = fs::read(folder.join(from)).unwrap();
        ((*to).to_owned(), stored(&content, storage))
    };
    names.iter().map(file).collect()
}

/// A checkpoint without a tokenizer in a subfolder of its repository, and a tokenizer in another repository.
fn hub() -> TestHub {
    let checkpoint = files(&[
        ("config.json", "ckpt-51999/config.json"),
        (
            "generation_config.json",
            "ckpt-51999/generation_config.json",
        ),
        (
            "preprocessor_config.json",
            "ckpt-51999/preprocessor_config.json",
        ),
        ("model.safetensors", "ckpt-51999/model.safetensors"),
    ]);
    let tokenizer = files(&[("sentencepiece.bpe.model", "sentencepiece.bpe.model")]);
    let hub = TestHub::new(Repository::default().with_revision("main", 'a', checkpoint));
    hub.put(
        "other/words",
        Repository::default().with_revision("main", 'b', tokenizer),
    );
    hub
}

const MODEL: &str = "owner/name:ckpt-51999";

fn caption(hub: &TestHub, offline: bool, arguments: &[&str]) -> Output {
    let picture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/pictures/cat-and-pizza-blue.png"
    );
    Command::new(env!("CARGO_BIN_EXE_caption"))
        .args([picture, "--lang", "de"])
        .args(arguments)
        .env("HF_ENDPOINT", hub.endpoint())
        .env("HF_HUB_CACHE", hub.cache())
        .env("HF_HUB_OFFLINE", if offline { "1" } else { "0" })
        .env_remove("HF_TOKEN")
        .output()
        .unwrap()
}

#[test]
fn a_checkpoint_and_the_tokenizer_of_another_repository_are_downloaded_once() {
    let hub = hub();
    let arguments = ["--model", MODEL, "--tokenizer", "other/words"];
    for offline in [false, false, true] {
        let output = caption(&hub, offline, &arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(
            stdout.contains("Katze und Pizza auf blauem Hintergrund"),
            "{stdout}"
        );
        assert_eq!(stderr, "", "nothing is printed if stderr is not a terminal");
    }
    let log = hub.take_log();
    let transfers = log.iter().filter(|(_, request)| {
        request.method == "GET" && request.target.contains("model.safetensors")
    });
    // A redirect of the Hub and the content from the storage, both in the first run.
    assert_eq!(transfers.count(), 2);
    assert!(!log.is_empty());
}

#[test]
fn an_error_names_what_was_not_found() {
    let hub = hub();
    for (arguments, expected) in [
        (
            vec!["--model", "owner/absent"],
            "owner/absent is not a folder",
        ),
        (vec!["--model", "owner/name"], "config.json"),
        (vec!["--model", MODEL], "sentencepiece.bpe.model"),
        (
            vec!["--model", MODEL, "--tokenizer", "owner/absent"],
            "owner/absent",
        ),
        (vec!["--model", "owner/name@v2"], "v2"),
    ] {
        let output = caption(&hub, false, &arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
}
