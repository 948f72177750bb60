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

#[test]
fn no_row_is_written_that_can_not_be_read() {
    let place = TempDir::new().unwrap();
    let folder = place.path().join("photos");
    fs::create_dir(&folder).unwrap();
    let texts = [
        "a\u{1b}[31m cat",
        "nul \0 in it",
        "a tab\tin it",
        "\"quoted\" to the end\"",
        "a\rreturn",
        "\u{85}\u{2028} x \u{7f}",
    ];
    for (number, text) in (0..).zip(texts) {
        fs::write(folder.join(format!("{number}.ppm")), picture(number)).unwrap();
        fs::write(folder.join(format!("{number}.en.txt")), text).unwrap();
    }
    let all = "--keep control_characters --min-side 8 --validation 0";
    let output = run(place.path(), &format!("photos -o out {all}"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(read_back(&place.path().join("out/train.tsv")), (4, 4));
    let tally = &report(&place.path().join("out"))["tally"];
    assert_eq!(tally["caption_reasons"]["control_characters"], 2);

    // Addresses of a shard may hold anything.
    let mut shard = tar::Builder::new(fs::File::create(place.path().join("shard.tar")).unwrap());
    let mut add = |name: String, content: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        shard.append_data(&mut header, name, content).unwrap();
    };
    let long = format!("data:{}", "x".repeat(700_000));
    for (number, url) in (0..).zip(["a\tb", "a\0b", "\"a\n\tb", "https://example.org", &long]) {
        let json = serde_json::json!({"caption": "a cat \n or two", "language": "en", "url": url});
        add(format!("{number}.json"), json.to_string().as_bytes());
        add(format!("{number}.ppm"), &picture(number));
    }
    shard.finish().unwrap();
    let output = run(place.path(), &format!("shard.tar -o out {all}"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(read_back(&place.path().join("out/train.tsv")), (5, 5));
    let table = fs::read_to_string(place.path().join("out/train.tsv")).unwrap();
    assert!(table.contains("\ta%09b\t") && table.contains("\thttps://example.org\t"));
}

#[test]
fn copies_that_no_table_names_are_deleted_and_other_files_are_not() {
    let place = TempDir::new().unwrap();
    data(place.path(), 30);
    let out = place.path().join("out");
    let copies = || {
        let content = content(&out);
        content
            .keys()
            .filter(|name| name.starts_with("images/"))
            .count() as u64
    };
    let kept = || {
        let tally = &report(&out)["tally"];
        let images = |part: &str| tally[part]["images"].as_u64().unwrap();
        images("train") + images("validation")
    };
    let options = "--copy-images --min-side 8";
    run(place.path(), &format!("table.tsv -o out {options}"));
    assert_eq!((copies(), kept()), (26, 26));
    let more = "--languages en,fr --require-all-languages";
    run(place.path(), &format!("table.tsv -o out {options} {more}"));
    assert_eq!((copies(), kept()), (24, 24));
    // What is not a copy stays.
    let first = content(&out)
        .into_keys()
        .find(|name| name.starts_with("images/"))
        .unwrap();
    let mine = out.join(first).with_file_name("mine.txt");
    fs::write(&mine, "mine").unwrap();
    run(place.path(), "table.tsv -o out --min-side 8");
    assert_eq!((copies(), kept()), (1, 26));
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    fs::remove_file(&mine).unwrap();
    run(place.path(), "table.tsv -o out --min-side 8");
    assert!(!out.join("images").exists());
    // Nor is a folder of pictures that is somebody else's taken for ours.
    fs::create_dir(out.join("images")).unwrap();
    fs::write(out.join("images/holiday.jpg"), "mine").unwrap();
    let output = run(place.path(), &format!("table.tsv -o out {options}"));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("images/holiday.jpg"),
        "{}",
        stderr(&output)
    );
}

#[cfg(unix)]
#[test]
fn read_only_pictures_are_copied_as_ordinary_files() {
    use std::os::unix::fs::PermissionsExt;

    let place = TempDir::new().unwrap();
    data(place.path(), 6);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let ordinary = mode(&place.path().join("table.tsv"));
    for number in 0..6 {
        let path = place.path().join(format!("pictures/{number}.ppm"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    }
    let options = "table.tsv -o out --min-side 8";
    // What a run that was killed may have left.
    run(place.path(), options);
    let out = place.path().join("out");
    fs::create_dir(out.join("images")).unwrap();
    fs::write(out.join("images/.part"), "half").unwrap();
    fs::set_permissions(out.join("images/.part"), fs::Permissions::from_mode(0o444)).unwrap();
    let output = run(place.path(), &format!("{options} --copy-images"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let copies: Vec<_> = content(&out)
        .into_keys()
        .filter(|name| name.contains('/'))
        .collect();
    assert_eq!(copies.len(), 6);
    for copy in &copies {
        assert_eq!(mode(&out.join(copy)), ordinary, "{copy}");
    }
    assert!(!out.join("images/.part").exists());
}

#[test]
fn the_languages_of_an_image_count_wherever_its_rows_stand() {
    let place = TempDir::new().unwrap();
    data(place.path(), 60);
    let table = fs::read_to_string(place.path().join("table.tsv")).unwrap();
    let (head, rows) = table.split_once('\n').unwrap();
    let of = |code: &str| {
        let rows = rows.lines().filter(|row| row.ends_with(code));
        rows.map(|row| format!("{row}\n")).collect::<String>()
    };
    let apart = format!("{head}\n{}{}", of("\ten"), of("\tfr"));
    fs::write(place.path().join("apart.tsv"), apart).unwrap();
    let options = "--min-side 8 --languages en,fr --require-all-languages";
    let tally = |table: &str| {
        let output = run(place.path(), &format!("{table} -o {table}.out {options}"));
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        report(&place.path().join(format!("{table}.out")))["tally"].clone()
    };
    let (together, apart) = (tally("table.tsv"), tally("apart.tsv"));
    for part in ["train", "validation"] {
        assert_eq!(together[part]["images"], apart[part]["images"], "{part}");
        assert_eq!(
            together[part]["captions"], apart[part]["captions"],
            "{part}"
        );
    }
    assert!(apart["train"]["images"].as_u64() > Some(40));
}

#[test]
fn an_option_undoes_what_the_rules_of_a_file_say() {
    let place = TempDir::new().unwrap();
    data(place.path(), 12);
    fs::write(
        place.path().join("rules.json"),
        r#"{"duplicates": {"drop_exact": false}, "pictures": {"min_side": 8}}"#,
    )
    .unwrap();
    for (option, dropped) in [
        ("", None),
        (" --duplicates file", Some(1)),
        (" --duplicates pixels", Some(1)),
    ] {
        run(
            place.path(),
            &format!("table.tsv -o out --config rules.json{option}"),
        );
        let tally = &report(&place.path().join("out"))["tally"];
        assert_eq!(
            tally["example_reasons"]["duplicate_image"].as_u64(),
            dropped,
            "{option}"
        );
    }
}
