//! Names of pictures and folders, and which files are taken.
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{picture, text};
use serde_json::Value;
use tempfile::TempDir;

/// Names that move a cursor, forge lines, reverse text, or are odd in another way.
const NAMES: [&[u8]; 16] = [
    b"esc\x1b[31mred.png",
    b"new\nline.png",
    b"tab\tand\rreturn.png",
    b"bell\x07del\x7f.png",
    b"bad\xff\xfe.png",
    b"bad\xfe\xff.png",
    b"bad\\xfe\\xff.png",
    "c1\u{9b}31m\u{85}.png".as_bytes(),
    "rtl\u{202e}gnp.exe\u{202c}.png".as_bytes(),
    "isolate\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}.png".as_bytes(),
    "lines\u{2028}\u{2029}.png".as_bytes(),
    "emoji 👩‍🌾 and  spaces.png".as_bytes(),
    b"  en_XX  a forged caption.png",
    b"-dash.png",
    b"dots...png",
    "日本語 שלום.png".as_bytes(),
];

fn name(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// Runs the program in a folder, with a fast search.
fn caption<S: AsRef<OsStr>>(folder: &Path, arguments: &[S], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_caption"))
        .current_dir(folder)
        .args(["--lang", "en", "--num-beams", "1"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read it closes it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!message.contains("panicked"), "{message}");
    output
}

fn records(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The images of records of JSON.
fn images<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Vec<String> {
    let json = [OsStr::new("--json")];
    let arguments = arguments.iter().map(AsRef::as_ref);
    let arguments: Vec<&OsStr> = json.into_iter().chain(arguments).collect();
    let records = records(&caption(folder, &arguments, b""));
    records
        .iter()
        .map(|record| record["image"].as_str().unwrap().to_owned())
        .collect()
}

fn camera(path: impl AsRef<Path>) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::copy(picture("camera-red.png"), path).unwrap();
}

/// The bytes of an "image_percent".
fn bytes_of(percent: &str) -> Vec<u8> {
    let mut parts = percent.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(part[2..].bytes());
    }
    bytes
}

#[test]
fn every_name_is_one_line_without_controls_and_different_from_the_others() {
    let folder = TempDir::new().unwrap();
    for bytes in NAMES {
        camera(folder.path().join(name(bytes)));
    }
    let named = [&[OsStr::new("--")][..], &NAMES.map(name)].concat();
    for (arguments, missing) in [(&named, false), (&named, true)] {
        if missing {
            for bytes in NAMES {
                fs::remove_file(folder.path().join(name(bytes))).unwrap();
            }
        }
        let output = caption(folder.path(), arguments, b"");
        assert_eq!(output.status.code(), Some(i32::from(missing)));
        let shown = text(if missing {
            &output.stderr
        } else {
            &output.stdout
        });
        assert!(
            !shown.replace('\n', "").contains(report::is_escaped),
            "{shown:?}"
        );
        let mut lines: Vec<&str> = shown
            .lines()
            .filter(|line| !line.starts_with("  en_XX  "))
            .collect();
        assert_eq!(lines.len(), NAMES.len(), "{shown}");
        for (line, bytes) in lines.iter().zip(NAMES) {
            let shown = report::name(Path::new(name(bytes)));
            assert!(line.contains(&shown), "{line}, {shown}");
        }
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), NAMES.len(), "{shown}");
    }
}

#[test]
fn json_names_every_file_exactly() {
    let folder = TempDir::new().unwrap();
    for bytes in &NAMES[1..] {
        camera(folder.path().join(name(bytes)));
    }
    fs::write(folder.path().join(name(NAMES[0])), "not a picture").unwrap();
    let mut arguments = vec![OsStr::new("--json"), OsStr::new("--")];
    arguments.extend(NAMES.map(name));
    let output = caption(folder.path(), &arguments, b"");
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(1), String::new())
    );
    let lines = text(&output.stdout);
    assert!(
        !lines.replace('\n', "").contains(report::is_escaped),
        "{lines:?}"
    );
    for (record, bytes) in records(&output).iter().zip(NAMES) {
        let image = record["image"].as_str().unwrap();
        let exact = match record["image_percent"].as_str() {
            Some(percent) => bytes_of(percent),
            None => image.as_bytes().to_vec(),
        };
        assert_eq!(exact, bytes);
        assert_eq!(
            record.get("image_percent").is_some(),
            str::from_utf8(bytes).is_err()
        );
        assert_eq!(image, String::from_utf8_lossy(bytes));
        let failed = record["error"].as_str();
        assert_eq!(failed.is_some(), bytes == NAMES[0], "{record}");
        assert_eq!(
            record["captions"].as_array().unwrap().len(),
            usize::from(failed.is_none())
        );
    }
    // The lines of a stream too.
    arguments.insert(0, OsStr::new("--stream"));
    let streamed = caption(folder.path(), &arguments, b"");
    for record in records(&streamed) {
        let lossy = record["image"].as_str().unwrap().contains('\u{fffd}');
        assert_eq!(record.get("image_percent").is_some(), lossy, "{record}");
    }
}

#[test]
fn hidden_files_of_a_folder_are_passed_over_but_not_if_they_are_named() {
    let folder = TempDir::new().unwrap();
    for file in ["d/a.png", "d/.hidden.png", "d/.hidden/b.png", "d/b.txt"] {
        camera(folder.path().join(file));
    }
    let apple = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ";
    fs::write(folder.path().join("d/._a.png"), apple).unwrap();
    for recursive in [&[][..], &["--recursive"]] {
        let output = caption(folder.path(), &[recursive, &["d"]].concat(), b"");
        assert_eq!(
            (output.status.code(), text(&output.stderr)),
            (Some(0), String::new())
        );
        assert_eq!(text(&output.stdout).lines().count(), 2);
    }
    let named = ["d/.hidden.png", "d/.hidden", "d/b.txt", "d/._a.png"];
    let expected = ["d/.hidden.png", "d/.hidden/b.png", "d/b.txt", "d/._a.png"];
    assert_eq!(images(folder.path(), &named), expected);
    let output = caption(folder.path(), &["d/._a.png"], b"");
    assert_eq!(output.status.code(), Some(1));
    // A folder with nothing else has no pictures.
    fs::remove_file(folder.path().join("d/a.png")).unwrap();
    let output = caption(folder.path(), &["d"], b"");
    assert_eq!(output.status.code(), Some(1));
    let message = text(&output.stderr);
    assert!(
        message.contains("the folder d has no pictures"),
        "{message}"
    );
}

#[test]
fn recursive_takes_each_file_once_in_the_order_of_paths() {
    let folder = TempDir::new().unwrap();
    let place = folder.path();
    for file in [
        "d/b.png",
        "d/a/z.png",
        "d/a/deep/1.jpg",
        "d/c/x.png",
        "d/c/B.PNG",
        "d/.git/no.png",
        "other/o.png",
    ] {
        camera(place.join(file));
    }
    symlink("..", place.join("d/a/loop")).unwrap();
    symlink(".", place.join("d/here")).unwrap();
    symlink("../../c", place.join("d/a/deep/link")).unwrap();
    symlink("../other", place.join("d/outside")).unwrap();
    symlink("b.png", place.join("d/a0.png")).unwrap();
    let expected = [
        "d/a/deep/1.jpg",
        "d/a/z.png",
        "d/b.png",
        "d/c/B.PNG",
        "d/c/x.png",
        "d/outside/o.png",
    ];
    assert_eq!(images(place, &["--recursive", "d"]), expected);
    assert_eq!(
        images(place, &["--recursive", "d", "d/a", "d", "./d"]),
        expected
    );
    // What is named comes where it is named, and not again from a folder.
    let named = images(place, &["--recursive", "d/c/x.png", "d/c"]);
    assert_eq!(named, ["d/c/x.png", "d/c/B.PNG"]);
    assert_eq!(images(place, &["d"]), ["d/a0.png", "d/b.png"]);
    // Pictures that are only deeper.
    let output = caption(place, &["d/a/deep/.."], b"");
    assert_eq!(output.status.code(), Some(0));
    fs::remove_file(place.join("d/a/z.png")).unwrap();
    let output = caption(place, &["d/a"], b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("--recursive also looks"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_deep_tree_of_folders_is_searched() {
    let folder = TempDir::new().unwrap();
    let deep: PathBuf = (0..300).map(|_| "dd").collect();
    camera(folder.path().join(&deep).join("x.png"));
    assert_eq!(images(folder.path(), &["--recursive", "."]).len(), 1);
}

#[test]
fn a_dash_is_standard_input() {
    let place = TempDir::new().unwrap();
    let whole = fs::read(picture("camera-red.png")).unwrap();
    let output = caption(place.path(), &["-"], &whole);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stdout),
        "-\n  en_XX  camera on a red background\n"
    );
    // It has nothing left for a second time, and a file of this name is another picture.
    camera(place.path().join("-"));
    let json = caption(place.path(), &["--json", "-", "-", "./-"], &whole);
    assert_eq!(
        (json.status.code(), text(&json.stderr)),
        (Some(1), String::new())
    );
    let failed: Vec<bool> = records(&json)
        .iter()
        .map(|one| one.get("error").is_some())
        .collect();
    assert_eq!(failed, [false, true, false]);
    for input in [
        &b""[..],
        &whole[..whole.len() / 2],
        b"version https://git-lfs.github.com/spec/v1\n",
        b"<html>",
    ] {
        let output = caption(place.path(), &["-"], input);
        assert_eq!(output.status.code(), Some(1));
        let message = text(&output.stderr);
        assert!(message.contains("the standard input"), "{message}");
    }
    let out = ["--attention", "out", "-"];
    assert_eq!(caption(place.path(), &out, &whole).status.code(), Some(0));
    assert!(place.path().join("out/standard-input.json").exists());
}

#[test]
fn standard_input_without_an_end_is_refused_and_a_closed_one_is_empty() {
    let run = |script: &str| {
        let program = env!("CARGO_BIN_EXE_caption");
        let output = Command::new("sh")
            .args(["-c", script, program])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let message = run("exec \"$0\" - </dev/zero");
    assert!(
        message.contains("more than the 536870912 bytes"),
        "{message}"
    );
    let message = run("exec \"$0\" - <&-");
    assert!(message.contains("the standard input"), "{message}");
    let message = run("exec \"$0\" - </");
    assert!(message.contains("the standard input"), "{message}");
}

#[test]
fn what_is_no_file_is_refused_at_once_and_the_others_are_captioned() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    camera(at("good.png"));
    symlink("nowhere.png", at("broken.png")).unwrap();
    symlink("self.png", at("self.png")).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(at("pipe.png"))
            .status()
            .unwrap()
            .success()
    );
    let _socket = std::os::unix::net::UnixListener::bind(at("socket.png")).unwrap();
    fs::write(at("empty.png"), "").unwrap();
    fs::write(
        at("pointer.png"),
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    )
    .unwrap();
    fs::write(at("page.png"), "<!DOCTYPE html><html>").unwrap();
    let broken = [
        "broken.png",
        "empty.png",
        "page.png",
        "pipe.png",
        "pointer.png",
        "self.png",
        "socket.png",
    ];
    for named in [vec!["."], ["good.png"].into_iter().chain(broken).collect()] {
        let output = caption(folder.path(), &named, b"");
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stdout).ends_with("good.png\n  en_XX  camera on a red background\n"));
        let message = text(&output.stderr);
        assert_eq!(message.lines().count(), broken.len(), "{message}");
        for name in broken {
            assert!(message.contains(name), "{name}: {message}");
        }
    }
    let json = [
        "--json",
        ".",
        "/dev/zero",
        &"x".repeat(300),
        "/nowhere/x.png",
    ];
    let output = caption(folder.path(), &json, b"");
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(1), String::new())
    );
    let records = records(&output);
    assert_eq!(records.len(), broken.len() + 4);
    for record in records {
        let is_good = record["image"].as_str().unwrap().ends_with("good.png");
        assert_eq!(record.get("error").is_none(), is_good, "{record}");
    }
}

#[test]
fn folders_that_cannot_be_read_do_not_stop_the_others() {
    let folder = TempDir::new().unwrap();
    camera(folder.path().join("a/x.png"));
    camera(folder.path().join("b/y.png"));
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(folder.path().join("b"), mode(0)).unwrap();
    // The superuser may read everything.
    let is_readable = fs::read_dir(folder.path().join("b")).is_ok();
    let output = caption(folder.path(), &["--recursive", "."], b"");
    fs::set_permissions(folder.path().join("b"), mode(0o755)).unwrap();
    assert!(text(&output.stdout).contains("./a/x.png\n"));
    assert_eq!(output.status.code(), Some(i32::from(!is_readable)));
    assert_eq!(
        text(&output.stderr).contains("can't read the folder ./b"),
        !is_readable
    );
}

#[test]
fn attention_files_have_names_that_every_file_system_takes() {
    let folder = TempDir::new().unwrap();
    let long = format!("{}.png", "x".repeat(251));
    let wide = format!("{}.png", "é".repeat(125));
    let other = format!("{}y.png", "é".repeat(124));
    let names = [
        long.as_bytes(),
        wide.as_bytes(),
        other.as_bytes(),
        b"bad\xff.png",
        b"bad\xfe.png",
        b"esc\x1b\n.png",
        b"Same.png",
    ];
    for name in names {
        camera(folder.path().join(OsStr::from_bytes(name)));
    }
    let mut arguments = vec![OsStr::new("--attention"), OsStr::new("out")];
    arguments.extend(names.map(OsStr::from_bytes));
    let output = caption(folder.path(), &arguments, b"");
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(0), String::new())
    );
    assert_eq!(text(&output.stdout).lines().count(), 2 * names.len());
    let files = fs::read_dir(folder.path().join("out"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let json: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    assert_eq!(json.len(), names.len(), "{json:?}");
    let mut images = Vec::new();
    for path in json {
        let shown = path.to_str().unwrap();
        assert!(!shown.contains(report::is_escaped), "{shown:?}");
        let content = fs::read_to_string(&path).unwrap();
        assert!(
            !content.trim_end().contains(report::is_escaped),
            "{content:?}"
        );
        let record: Value = serde_json::from_str(&content).unwrap();
        let image = record["image_percent"].as_str().map(bytes_of);
        images.push(image.unwrap_or_else(|| record["image"].as_str().unwrap().into()));
        for word in record["captions"][0]["words"].as_array().unwrap() {
            assert!(
                path.with_file_name(word["picture"].as_str().unwrap())
                    .exists()
            );
        }
    }
    images.sort();
    let mut names = names.map(<[u8]>::to_vec);
    names.sort();
    assert_eq!(images, names);
}

#[test]
fn captions_are_printed_although_attention_can_not_be_written() {
    let folder = TempDir::new().unwrap();
    camera(folder.path().join("x.png"));
    // A folder where a file should be.
    fs::create_dir_all(folder.path().join("out/x.json")).unwrap();
    let arguments = ["--attention", "out", "x.png"];
    let output = caption(folder.path(), &arguments, b"");
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("camera on a red background"));
    assert!(text(&output.stderr).contains("can't write out/x.json"));
    let output = caption(folder.path(), &[&arguments[..], &["--json"]].concat(), b"");
    assert_eq!(
        (output.status.code(), text(&output.stderr)),
        (Some(1), String::new())
    );
    let record = &records(&output)[0];
    assert!(
        record["error"]
            .as_str()
            .unwrap()
            .contains("can't write out/x.json")
    );
    assert_eq!(record["captions"][0]["text"], "camera on a red background");
}
