//! The public clients of OpenAI and Ollama against a running server.
//!
//! They are installed from PyPI into a folder of this test's own, once, so the test runs only if it is asked for:
//! `cargo test -p serve --test clients -- --ignored`.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::Server;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients");
const PICTURE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../captioning/tests/samples/02-fluent-emoji-1f40e.png"
);
const KEY: &str = "a-key-for-the-public-clients";

#[test]
#[ignore = "installs packages from PyPI"]
fn the_public_clients_of_openai_and_ollama_work() {
    let python = python().unwrap_or_else(|reason| panic!("{reason}"));
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, KEY).unwrap();
    let server = Server::start(&["--log-level", "warn", "--keys", keys.to_str().unwrap()]);
    for client in ["openai_client.py", "ollama_client.py"] {
        let script = format!("{FOLDER}/{client}");
        let output = Command::new(&python)
            .args([&script, &server.address, PICTURE, KEY])
            .env_remove("OLLAMA_API_KEY")
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{client}: {stdout}{stderr}");
        assert!(stdout.ends_with(": ok\n"), "{stdout}");
        print!("{stdout}");
    }
}

/// A Python that has the clients.
fn python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    let python = folder.join("bin/python");
    let requirements = format!("{FOLDER}/requirements.txt");
    // Written last, so that an installation that was interrupted is done again.
    let complete = folder.join("complete");
    let wanted = std::fs::read_to_string(&requirements).unwrap();
    if std::fs::read_to_string(&complete).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r", &requirements]))?;
    std::fs::write(&complete, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}
