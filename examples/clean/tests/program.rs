//! The program as a user runs it.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{content, data, picture, run, stderr, stdout};
use datasets::{Dataset, Entry, ImageSource, Options};
use serde_json::Value;
use tempfile::TempDir;

fn report(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("report.json")).unwrap()).unwrap()
}

/// Images and captions of a table that was written, whose images all decode.
fn read_back(table: &Path) -> (usize, usize) {
    let dataset = Dataset::open(table, &Options::default()).unwrap();
    let (mut images, mut captions) = (0, 0);
    for entry in dataset.examples() {
        match entry.unwrap() {
            Entry::Skipped(skipped) => panic!("{skipped}"),
            Entry::Example(example) => {
                let ImageSource::File(path) = &example.image else {
                    panic!()
                };
                preprocess::image::decode::open(path, &Default::default()).unwrap();
                images += 1;
                captions += example.captions.len();
            }
        }
    }
    (images, captions)
}

#[test]
fn a_table_is_cleaned_and_split_and_reads_back_with_its_images() {
    let place = TempDir::new().unwrap();
    data(place.path(), 100);
    for options in ["", " --copy-images"] {
        let output = run(
            place.path(),
            &format!("table.tsv -o out --min-side 8 --validation 0.3{options}"),
        );
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let text = stdout(&output);
        assert!(
            text.contains("French") && text.contains("damaged_image"),
            "{text}"
        );
        let out = place.path().join("out");
        let tally = &report(&out)["tally"];
        assert_eq!(tally["examples"], 100);
        for (rule, count) in [
            ("missing_image", 2),
            ("damaged_image", 2),
            ("not_an_image", 2),
            ("duplicate_image", 2),
        ] {
            assert_eq!(tally["example_reasons"][rule], count, "{rule}");
        }
        assert_eq!(tally["caption_reasons"]["html"], 5);
        let mut all = (0, 0);
        for part in ["train", "validation"] {
            let (images, captions) = read_back(&out.join(format!("{part}.tsv")));
            assert_eq!(tally[part]["images"], images);
            assert_eq!(tally[part]["captions"], captions);
            assert!(images > 10, "{images}");
            all = (all.0 + images, all.1 + captions);
        }
        assert_eq!(all.0, 92);
        let dropped = fs::read_to_string(out.join("dropped.tsv")).unwrap();
        assert_eq!(dropped.lines().count(), 1 + 8 + 5);
        let copies = content(&out)
            .keys()
            .filter(|name| name.starts_with("images/"))
            .count();
        assert_eq!(copies, if options.is_empty() { 0 } else { 92 });
    }
    // A folder with copies can be moved.
    let moved = place.path().join("moved");
    fs::rename(place.path().join("out"), &moved).unwrap();
    fs::remove_dir_all(place.path().join("pictures")).unwrap();
    assert!(read_back(&moved.join("train.tsv")).0 > 10);
}

#[test]
fn other_rules_need_no_second_look_and_threads_change_nothing() {
    let place = TempDir::new().unwrap();
    data(place.path(), 100);
    let first = run(place.path(), "table.tsv -o one --min-side 8 --threads 1");
    assert!(!stderr(&first).contains("earlier run"));
    run(place.path(), "table.tsv -o many --min-side 8 --threads 7");
    assert_eq!(
        content(&place.path().join("one")),
        content(&place.path().join("many"))
    );
    let again = run(
        place.path(),
        "table.tsv -o one --min-side 8 --require-all-languages --languages en,fr",
    );
    assert!(
        stderr(&again).contains("100 of 100 pictures were checked by an earlier run"),
        "{}",
        stderr(&again)
    );
    let tally = &report(&place.path().join("one"))["tally"];
    assert_eq!(tally["example_reasons"]["missing_language"], 5);
    assert_eq!(
        tally["train"]["languages"]["en_XX"],
        tally["train"]["languages"]["fr_XX"]
    );
    // The rules of a report can be used again.
    let rules = report(&place.path().join("one"))["rules"].to_string();
    fs::write(place.path().join("rules.json"), rules).unwrap();
    let again = run(place.path(), "table.tsv -o two --config rules.json");
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert_eq!(
        content(&place.path().join("one")),
        content(&place.path().join("two"))
    );
}

#[test]
fn a_split_stays_when_rows_are_added_in_front() {
    let place = TempDir::new().unwrap();
    data(place.path(), 100);
    let images = |out: &str| {
        run(
            place.path(),
            &format!("table.tsv -o {out} --min-side 8 --validation 0.3"),
        );
        let table = fs::read_to_string(place.path().join(out).join("validation.tsv")).unwrap();
        let rows = table
            .lines()
            .skip(1)
            .map(|row| row.split('\t').next().unwrap().to_owned());
        rows.collect::<std::collections::BTreeSet<_>>()
    };
    let before = images("before");
    let table = fs::read_to_string(place.path().join("table.tsv")).unwrap();
    for number in 0..50 {
        fs::write(
            place.path().join(format!("pictures/new{number}.ppm")),
            picture(1000 + number),
        )
        .unwrap();
    }
    let (head, rows) = table.split_once('\n').unwrap();
    let new = (0..50).map(|number| format!("pictures/new{number}.ppm\ta new one\t\ten\n"));
    let table = format!("{head}\n{}{rows}", new.collect::<String>());
    fs::write(place.path().join("table.tsv"), table).unwrap();
    let after = images("after");
    assert!(after.is_superset(&before) && after.len() > before.len());
    assert!(after.difference(&before).all(|image| image.contains("new")));
}

#[test]
fn a_folder_of_pictures_with_captions_beside_them_is_cleaned_even_into_itself() {
    let place = TempDir::new().unwrap();
    let folder = place.path().join("photos");
    fs::create_dir_all(folder.join("in")).unwrap();
    for number in 0..3 {
        fs::write(folder.join(format!("in/{number}.ppm")), picture(number)).unwrap();
        fs::write(folder.join(format!("in/{number}.fr.txt")), "une image\n").unwrap();
    }
    fs::write(folder.join("in/2.fr.txt"), b"une \xff image\n").unwrap();
    for round in 0..2 {
        let output = run(
            place.path(),
            "photos -o photos/out --copy-images --min-side 8",
        );
        assert_eq!(output.status.code(), Some(0), "{round} {output:?}");
        let tally = report(&folder.join("out"))["tally"].clone();
        assert_eq!(tally["train"]["images"], 2, "{round}");
        assert_eq!(tally["skipped_rows"]["not UTF-8 text"], 1);
    }
    fs::write(folder.join("in/0.txt"), "an image\n").unwrap();
    let output = run(
        place.path(),
        "photos -o photos/out --copy-images --min-side 8",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("0.txt"), "{}", stderr(&output));
    let output = run(
        place.path(),
        "photos -o photos/out --copy-images --min-side 8 --language en",
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        run(place.path(), "photos/in -o photos/in").status.code(),
        Some(2)
    );
}

#[test]
fn pictures_of_a_shard_are_copied() {
    let place = TempDir::new().unwrap();
    data(place.path(), 12);
    let folder = place.path().join("shard");
    fs::create_dir(&folder).unwrap();
    for number in 0..7 {
        fs::copy(
            place.path().join(format!("pictures/{number}.ppm")),
            folder.join(format!("{number}.ppm")),
        )
        .unwrap();
        fs::write(folder.join(format!("{number}.txt")), "a picture").unwrap();
    }
    let tar = Command::new("tar")
        .current_dir(&folder)
        .args(["--sort=name", "-cf", "../shard.tar", "."])
        .status();
    if !tar.is_ok_and(|status| status.success()) {
        eprintln!("skipped, because there is no GNU tar");
        return;
    }
    let output = run(
        place.path(),
        "shard.tar -o out --min-side 8 --language en --validation 0",
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(read_back(&place.path().join("out/train.tsv")), (7, 7));
    // A shard that is cut short gives what is whole, and says so.
    let bytes = fs::read(place.path().join("shard.tar")).unwrap();
    fs::write(place.path().join("cut.tar"), &bytes[..bytes.len() / 2]).unwrap();
    let output = run(
        place.path(),
        "cut.tar -o cut --min-side 8 --language en --validation 0",
    );
    assert!(
        stdout(&output).contains("cut short") || output.status.code() == Some(1),
        "{output:?}"
    );
}

#[test]
fn rows_that_can_not_be_read_are_counted_and_the_others_are_kept() {
    let place = TempDir::new().unwrap();
    data(place.path(), 3);
    let mut table = fs::read(place.path().join("table.tsv")).unwrap();
    table.extend(b"pictures/1.ppm\ta\0b\tu\ten\npictures/1.ppm\tnot \xff text\tu\ten\npictures/1.ppm\tqapla'\tu\ttlh\nshort\n");
    fs::write(place.path().join("table.tsv"), table).unwrap();
    let output = run(place.path(), "table.tsv -o out --min-side 8 --json");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let summary: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(summary, report(&place.path().join("out")));
    let skipped = summary["tally"]["skipped_rows"].as_object().unwrap();
    assert_eq!(
        skipped.values().filter_map(Value::as_u64).sum::<u64>(),
        4,
        "{skipped:?}"
    );
    assert_eq!(summary["tally"]["train"]["images"], 3);
}

#[test]
fn nothing_kept_is_exit_code_one_with_a_report() {
    let place = TempDir::new().unwrap();
    data(place.path(), 3);
    let output = run(place.path(), "table.tsv -o out --min-side 500");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("nothing was kept"),
        "{}",
        stderr(&output)
    );
    let page = fs::read_to_string(place.path().join("out/report.html")).unwrap();
    assert!(page.contains("too_small") && page.contains("data:image/jpeg;base64,"));
}
