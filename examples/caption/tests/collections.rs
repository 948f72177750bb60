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

/// Parquet, which is a feature of the program.
#[cfg(feature = "parquet")]
mod parquet_files {
    use std::sync::Arc;

    use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
    use parquet::data_type::{ByteArray, ByteArrayType, DataType};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::record::Field;
    use parquet::schema::types::Type;

    use super::*;

    /// Writes a file with one column.
    fn column<T: DataType>(
        path: &Path,
        name: &str,
        (kind, logical): (PhysicalType, Option<LogicalType>),
        values: &[T::T],
    ) {
        let field = Type::primitive_type_builder(name, kind)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(logical);
        let fields = vec![Arc::new(field.build().unwrap())];
        let schema = Type::group_type_builder("pictures").with_fields(fields);
        let schema = Arc::new(schema.build().unwrap());
        let file = fs::File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
    }

    #[test]
    fn parquet_with_bytes_or_paths_goes_in_and_parquet_comes_out() {
        let folder = TempDir::new().unwrap();
        let pictures = &pictures()[..3];
        let bytes: Vec<ByteArray> = pictures
            .iter()
            .map(|path| fs::read(path).unwrap().into())
            .collect();
        let paths: Vec<ByteArray> = pictures.iter().map(|path| path_text(path).into()).collect();
        let (stored, named) = (
            folder.path().join("bytes.parquet"),
            folder.path().join("paths.parquet"),
        );
        column::<ByteArrayType>(&stored, "picture", (PhysicalType::BYTE_ARRAY, None), &bytes);
        column::<ByteArrayType>(
            &named,
            "picture",
            (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            &paths,
        );
        let pictures = pictures.iter().map(|path| path_text(path));
        let expected = caption(&[&["--json"][..], &pictures.collect::<Vec<_>>()].concat());
        let expected = lines(&text(&expected.stdout));
        let arguments = [
            "--image-column",
            "picture",
            path_text(&stored),
            path_text(&named),
        ];
        let output = caption(&[&["--json"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let found = lines(&text(&output.stdout));
        assert_eq!(found.len(), 6);
        for (found, expected) in found.iter().zip(expected.iter().cycle()) {
            assert_eq!(found["captions"], expected["captions"]);
        }

        let out = folder.path().join("out");
        let more = ["--output", path_text(&out), "--format", "parquet"];
        let output = caption(&[&more, &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let files = fs::read_dir(&out)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut rows = 0;
        for file in files {
            let reader = SerializedFileReader::new(fs::File::open(file).unwrap()).unwrap();
            for row in reader.get_row_iter(None).unwrap() {
                let row: BTreeMap<String, Field> =
                    row.unwrap().into_columns().into_iter().collect();
                let expected = expected.iter().find(|line| {
                    let text = line["captions"][0]["text"].as_str().unwrap();
                    row["caption_en_XX"] == Field::Str(text.to_owned())
                });
                let spanish = &expected.unwrap()["captions"][3];
                let text = spanish["text"].as_str().unwrap().to_owned();
                assert_eq!(row["caption_es_XX"], Field::Str(text));
                let score = spanish["score"].as_f64().unwrap() as f32;
                assert_eq!(row["score_es_XX"], Field::Float(score));
                assert_eq!(row["error"], Field::Null);
                assert!(matches!(row["row"], Field::Long(1..=3)));
                rows += 1;
            }
        }
        assert_eq!(rows, 6);
    }

    #[test]
    fn a_column_of_another_type_and_parquet_cut_short_are_errors_that_name_the_file() {
        let folder = TempDir::new().unwrap();
        let numbers = folder.path().join("numbers.parquet");
        column::<parquet::data_type::Int64Type>(
            &numbers,
            "image",
            (PhysicalType::INT64, None),
            &[1, 2],
        );
        let short = folder.path().join("short.parquet");
        let whole = fs::read(&numbers).unwrap();
        fs::write(&short, &whole[..whole.len() - 9]).unwrap();
        let out = folder.path().join("out");
        let camera = picture("camera-red.png");
        let arguments = [path_text(&numbers), path_text(&short), &camera];
        let message = fails_with(
            1,
            &[&["--output", path_text(&out)], &arguments[..]].concat(),
        );
        assert!(
            message.contains("numbers.parquet") && message.contains("INT64"),
            "{message}"
        );
        assert!(message.contains("short.parquet"), "{message}");
        // The picture has its file, the others have none.
        assert_eq!(files(&out).len(), 1);
        let message = fails_with(1, &["--image-column", "nothing", path_text(&numbers)]);
        assert!(message.contains("\"nothing\""), "{message}");
    }
}
