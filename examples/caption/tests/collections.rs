//! Collections: shards and lists go in, files in a folder come out, and a run that was killed goes on.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{caption, fails_with, picture, text};
use serde_json::Value;
use tempfile::TempDir;

const SAMPLES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../captioning/tests/samples"
);

/// Some pictures of this repository, in order.
fn pictures() -> Vec<PathBuf> {
    let entries = fs::read_dir(SAMPLES).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "png"));
    paths.sort();
    paths
}

/// Writes a shard of pictures as img2dataset does, and returns its path.
fn shard(folder: &Path, name: &str, pictures: &[PathBuf]) -> PathBuf {
    let path = folder.join(name);
    let mut archive = tar::Builder::new(fs::File::create(&path).unwrap());
    let mut add = |name: String, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content).unwrap();
    };
    for (number, picture) in pictures.iter().enumerate() {
        add(format!("{number:09}.png"), &fs::read(picture).unwrap());
        add(
            format!("{number:09}.json"),
            br#"{"url": "https://example.org", "caption": 5}"#,
        );
    }
    archive.into_inner().unwrap();
    path
}

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The files of a folder with their contents, but not hidden ones.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let named = entries.map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    });
    named.collect()
}

fn path_text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn shards_and_lists_give_the_captions_of_their_pictures() {
    let folder = TempDir::new().unwrap();
    let pictures = pictures();
    let shard = shard(folder.path(), "00000.tar", &pictures[..4]);
    let list = folder.path().join("list.txt");
    let listed = pictures[4..]
        .iter()
        .map(|path| format!("{}\n", path.display()));
    fs::write(&list, listed.collect::<String>()).unwrap();
    let output = caption(&["--json", "--list", path_text(&list), path_text(&shard)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found = lines(&text(&output.stdout));
    // One at a time.
    for (line, picture) in found.iter().zip(&pictures) {
        let alone = caption(&["--json", path_text(picture)]);
        assert_eq!(line["captions"], lines(&text(&alone.stdout))[0]["captions"]);
    }
    assert_eq!(found.len(), pictures.len());
    assert_eq!(found[0]["shard"], path_text(&shard));
    assert_eq!(
        (&found[1]["image"], &found[1]["row"]),
        (&"000000001.png".into(), &3.into())
    );
    assert!(found[4].get("shard").is_none());
}

#[test]
fn every_format_has_each_picture_once() {
    let folder = TempDir::new().unwrap();
    let pictures = pictures();
    let broken = folder.path().join("broken.png");
    fs::write(&broken, "not a picture").unwrap();
    let shard = shard(
        folder.path(),
        "a shard.tar",
        &[pictures[0].clone(), broken.clone()],
    );
    let inputs = [
        path_text(&shard),
        path_text(&broken),
        path_text(&pictures[1]),
    ];
    let expected = lines(&text(&caption(&[&["--json"], &inputs[..]].concat()).stdout));
    let write = |format: &str| {
        let out = folder.path().join(format);
        let arguments = ["--output", path_text(&out), "--format", format];
        let output = caption(&[&arguments[..], &inputs[..]].concat());
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr).matches("broken.png").count(), 1);
        assert!(output.stdout.is_empty());
        let files = files(&out);
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert!(
            names[0].starts_with("a_shard-") && names[1].starts_with("pictures-"),
            "{names:?}"
        );
        (out, files)
    };

    let (_, json) = write("jsonl");
    let found: Vec<Value> = json.values().flat_map(|file| lines(&text(file))).collect();
    assert_eq!(found.len(), 4);
    for (found, expected) in found.iter().zip(&expected) {
        for key in ["image", "captions", "error", "shard", "row"] {
            assert_eq!(found.get(key), expected.get(key), "{key}");
        }
        assert!(found.get("encode_ms").is_none());
    }

    let (_, csv) = write("csv");
    let rows: Vec<String> = csv.values().map(|file| text(file)).collect();
    let head =
        "image,shard,row,caption_en_XX,caption_fr_XX,caption_de_DE,caption_es_XX,score_en_XX,";
    assert!(
        rows.iter()
            .all(|file| file.starts_with(head) && file.lines().count() == 3),
        "{rows:?}"
    );

    // What was written can be captioned again.
    let (out, _) = write("tar");
    let again = caption(&["--json", path_text(&out)]);
    let again = lines(&text(&again.stdout));
    assert_eq!(again.len(), 4);
    for (again, expected) in again.iter().zip(&expected) {
        assert_eq!(again["captions"], expected["captions"]);
    }
}

#[test]
fn a_killed_run_goes_on_and_writes_what_an_unbroken_one_writes() {
    let folder = TempDir::new().unwrap();
    let pictures = pictures();
    let shards = (0..8).map(|number| {
        let mut some = pictures.clone();
        some.rotate_left(number);
        some.truncate(2 + number % 3);
        path_text(&shard(folder.path(), &format!("{number:05}.tar"), &some)).to_owned()
    });
    let mut inputs: Vec<String> = shards.collect();
    inputs.extend(pictures.iter().map(|path| path_text(path).to_owned()));
    for format in ["jsonl", "tar"] {
        let command = |out: &Path| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_caption"));
            command.args([
                "--pictures-per-output",
                "3",
                "--lang",
                "en",
                "--format",
                format,
            ]);
            command
                .arg("--resume")
                .arg("--output")
                .arg(out)
                .args(&inputs);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let whole = folder.path().join(format!("{format}-whole"));
        let begun = Instant::now();
        assert!(command(&whole).status().unwrap().success());
        let time = begun.elapsed();
        let expected = files(&whole);
        assert_eq!(expected.len(), 8 + pictures.len().div_ceil(3));

        let mut random = fastrand::Rng::with_seed(7);
        let (mut kills, mut round, mut partial) = (0, 0, 0);
        while kills < 15 {
            let out = folder.path().join(format!("{format}-{round}"));
            loop {
                let mut child = command(&out).spawn().unwrap();
                // Sometimes later than it needs, so that every round ends.
                let delay = time.mul_f64(random.f64() * 1.1);
                let begun = Instant::now();
                let ended = loop {
                    match child.try_wait().unwrap() {
                        Some(status) => break Some(status),
                        None if begun.elapsed() >= delay => break None,
                        None => thread::sleep(Duration::from_millis(1)),
                    }
                };
                match ended {
                    Some(status) => {
                        assert!(status.success());
                        break;
                    }
                    None => {
                        child.kill().unwrap();
                        child.wait().unwrap();
                        kills += 1;
                        partial += usize::from(out.exists() && !files(&out).is_empty());
                    }
                }
            }
            assert!(
                files(&out) == expected,
                "round {round} of {format} wrote something else"
            );
            round += 1;
        }
        assert!(
            partial > 0,
            "every run was killed before it had written anything"
        );
    }
}

#[test]
fn two_runs_into_one_folder_and_other_inputs_are_refused() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let (camera, penguin) = (picture("camera-red.png"), picture("penguin-blue.png"));
    let arguments = ["--output", path_text(&out), "--lang", "en"];
    let with = |more: &[&'static str], image: &str| {
        let more: Vec<&str> = more.iter().copied().chain([image]).collect();
        [&arguments[..], &more]
            .concat()
            .iter()
            .map(|one| one.to_string())
            .collect::<Vec<_>>()
    };
    let run = |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = caption(&arguments);
        (output.status.code(), text(&output.stderr))
    };
    assert_eq!(run(with(&[], &camera)).0, Some(0));
    let before = files(&out);
    let (code, message) = run(with(&[], &camera));
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("--resume"), "{message}");
    // Nothing is left to do.
    assert_eq!(run(with(&["--resume"], &camera)).0, Some(0));
    for (more, image) in [
        (&["--resume"][..], &penguin),
        (&["--resume", "--num-beams", "2"], &camera),
    ] {
        let (code, message) = run(with(more, image));
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains("pictures twice"), "{message}");
    }
    let lock = whole_files::lock(&out).unwrap();
    let (code, message) = run(with(&["--resume"], &camera));
    drop(lock);
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("another program is writing"), "{message}");
    assert_eq!(files(&out), before);
}

#[test]
fn a_shard_cut_short_has_a_record_for_it_and_one_that_is_none_has_no_file() {
    let folder = TempDir::new().unwrap();
    let pictures = pictures();
    let short = shard(folder.path(), "short.tar", &pictures[..4]);
    let whole = fs::read(&short).unwrap();
    fs::write(&short, &whole[..whole.len() / 2]).unwrap();
    let none = folder.path().join("none.tar");
    fs::write(&none, "no archive").unwrap();
    let out = folder.path().join("out");
    let arguments = [
        "--output",
        path_text(&out),
        path_text(&none),
        path_text(&short),
    ];
    let message = fails_with(1, &arguments);
    assert!(
        message.contains("cut short") && message.contains("none.tar"),
        "{message}"
    );
    let files = files(&out);
    assert_eq!(files.len(), 1);
    let lines = lines(&text(files.values().next().unwrap()));
    let (last, others) = lines.split_last().unwrap();
    assert!(
        last["error"].as_str().unwrap().contains("cut short"),
        "{last}"
    );
    assert!(!others.is_empty() && others.iter().all(|line| line.get("error").is_none()));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_an_error_and_leaves_no_part_of_a_file() {
    let folder = TempDir::new().unwrap();
    let shard = shard(folder.path(), "00000.tar", &pictures());
    let out = folder.path().join("out");
    // A file may have 4 blocks of 512 or 1,024 bytes, and what goes beyond is an error instead of a signal.
    let script = "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"";
    let run = |script: &str, more: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_caption"), "--output"]);
        command.arg(&out).args(more).arg(&shard).output().unwrap()
    };
    let output = run(script, &[]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("can't write") && message.contains("00000-"),
        "{message}"
    );
    assert!(files(&out).is_empty());
    // With room, it goes on.
    let output = run("exec \"$0\" \"$@\"", &["--resume"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(files(&out).len(), 1);
}

#[test]
fn standard_input_is_a_list_or_a_picture_but_has_no_output_file() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("out");
    let message = fails_with(2, &["--output", path_text(&out), "-"]);
    assert!(message.contains("standard input"), "{message}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_caption"))
        .args(["--list", "-", "--lang", "en"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let list = format!(
        "{}\n{}\n",
        picture("camera-red.png"),
        picture("penguin-blue.png")
    );
    child
        .stdin
        .take()
        .unwrap()
        .write_all(list.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stdout).matches("background").count(), 2);
}
