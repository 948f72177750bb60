//! What a program says when it uses older files. The environment of a process can't be changed safely, so the test runs
//! itself as the program.
#![cfg(feature = "hub")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The variable that names what the program has to locate.
const NAME: &str = "LOCATE_TEST_NAME";

/// The program: it locates a model and prints its folder. Without the variable, it does nothing.
#[test]
fn program() {
    if let Ok(name) = env::var(NAME) {
        match locate::checkpoint(&report::Program::new("locate"), &name) {
            Ok(folder) => println!("folder {}", folder.display()),
            Err(error) => println!("error {error}: {:?}", std::error::Error::source(&error)),
        }
    }
}

/// Runs the program with a cache, and with a Hub that can't be reached: no program listens on port 1.
fn run(cache: &Path, name: &str, offline: &str, stderr: Stdio) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "program", "--nocapture"]);
    command
        .env(NAME, name)
        .env("HF_HUB_CACHE", cache)
        .env("HF_ENDPOINT", "http://user:s3cret@127.0.0.1:1")
        .env("HF_HUB_OFFLINE", offline)
        .env("HF_TOKEN", "hf_s3cret")
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::piped())
        .stderr(stderr);
    command.spawn().unwrap().wait_with_output().unwrap()
}

fn cache() -> tempfile::TempDir {
    let cache = tempfile::tempdir().unwrap();
    let repository = cache.path().join("models--owner--name");
    let commit = "a".repeat(40);
    let snapshot = repository.join("snapshots").join(&commit);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(repository.join("refs")).unwrap();
    fs::write(repository.join("refs/main"), commit).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::write(snapshot.join(file), "{}").unwrap();
    }
    cache
}

#[test]
fn older_files_are_used_with_one_line_that_says_so_and_has_no_secret() {
    let cache = cache();
    for name in ["owner/name", "https://huggingface.co/owner/name/tree/main"] {
        let output = run(cache.path(), name, "", Stdio::piped());
        let (stdout, stderr) = (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        assert!(
            stdout.contains(&format!("/snapshots/{}", "a".repeat(40))),
            "{stdout}"
        );
        let lines: Vec<&str> = stderr
            .lines()
            .filter(|line| line.contains("owner/name"))
            .collect();
        let [line] = lines[..] else {
            panic!("{stderr}");
        };
        assert!(
            line.contains("can't reach http://***@127.0.0.1:1"),
            "{line}"
        );
        assert!(
            !format!("{stdout}{stderr}").contains("s3cret"),
            "{stdout}{stderr}"
        );
    }
}

#[test]
fn user_and_password_of_a_proxy_are_not_shown() {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "program", "--nocapture"])
        .env(NAME, "owner/name")
        .env("HF_HUB_CACHE", tempfile::tempdir().unwrap().path())
        .env("HF_ENDPOINT", "http://hub.invalid")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    for proxy in [
        "http://user:s3cret@127.0.0.1:1",
        "http://user:s3cret@proxy.invalid:1",
        "http://user:s3/cret@127.0.0.1:1",
        "nothing://user:s3cret@127.0.0.1:1",
    ] {
        let output = command.env("ALL_PROXY", proxy).output().unwrap();
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("error "), "{text}");
        assert!(!text.contains("s3") && !text.contains("cret"), "{text}");
    }
}

#[test]
fn nothing_is_said_where_the_user_asked_for_the_cache() {
    let output = run(cache().path(), "owner/name", "1", Stdio::piped());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(!stderr.contains("owner/name"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn a_full_stderr_does_not_end_the_program() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else {
        return;
    };
    let output = run(cache().path(), "owner/name", "", full.into());
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("folder "), "{stdout}");
}

#[test]
fn an_error_has_no_secret() {
    let cache = tempfile::tempdir().unwrap();
    for name in ["owner/name", "https://user:s3cret@example.com/owner/name"] {
        let output = run(cache.path(), name, "", Stdio::piped());
        let text =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("error "), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
