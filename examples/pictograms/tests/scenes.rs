//! The program on packages with two things, made here.

use std::path::Path;
use std::process::{Command, Output};

const STYLES: [&str; 11] = [
    "noto",
    "noto-v1",
    "twemoji",
    "fluent-emoji-flat",
    "fluent-emoji",
    "emojione",
    "fxemoji",
    "streamline-emojis",
    "emojione-monotone",
    "fluent-emoji-high-contrast",
    "openmoji",
];

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Packages in which every style draws a cat and a church.
fn packages(folder: &Path) {
    for style in STYLES {
        let icons = r##"{"icons": {
            "cat": {"body": "<circle cx=\"8\" cy=\"8\" r=\"6\" fill=\"#f80\"/>"},
            "church": {"body": "<path fill=\"#08f\" d=\"M2 2h12v12h-12z\"/>"}}}"##;
        write(&folder.join(style).join("icons.json"), icons);
        let names = r#"{"1f408": "cat", "26ea": "church"}"#;
        write(&folder.join(style).join("chars.json"), names);
    }
    let list = r#"[{"hexcode": "1F408", "group": 3}, {"hexcode": "26EA", "group": 5},
        {"hexcode": "1F600", "group": 0}]"#;
    write(&folder.join("emojibase-data/en/data.json"), list);
    let names = [
        ("en", "cat", "church"),
        ("fr", "chat", "église"),
        ("de", "Katze", "Kirche"),
        ("es", "gato", "iglesia"),
    ];
    for (language, cat, church) in names {
        let annotations =
            format!(r#"{{"🐈": {{"tts": ["{cat}"]}}, "⛪": {{"tts": ["{church}"]}}}}"#);
        write(
            &folder.join(format!(
                "cldr-annotations-full/annotations/{language}/annotations.json"
            )),
            &format!(r#"{{"annotations": {{"annotations": {annotations}}}}}"#),
        );
        let derived = "cldr-annotations-derived-full/annotationsDerived";
        write(
            &folder.join(format!("{derived}/{language}/annotations.json")),
            r#"{"annotationsDerived": {"annotations": {}}}"#,
        );
    }
}

fn run(packages: &Path, output: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pictograms"))
        .arg("--packages")
        .args([packages, output])
        .args(options)
        .output()
        .unwrap()
}

fn entries(shard: &Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(std::fs::File::open(shard).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    });
    entries.collect()
}

#[test]
fn scenes_have_a_picture_captions_and_labels() {
    let folder = tempfile::tempdir().unwrap();
    packages(&folder.path().join("packages"));
    let output = folder.path().join("scenes");
    let options = [
        "--scenes",
        "5",
        "--shard-size",
        "3",
        "--things",
        "two",
        "--styles",
        "more",
    ];
    let done = run(&folder.path().join("packages"), &output, &options);
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );

    let first = entries(&output.join("00000.tar"));
    let names: Vec<&str> = first.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names[..3],
        ["00000000.png", "00000000.json", "00000001.png"]
    );
    let picture = image::load_from_memory(&first[0].1).unwrap();
    assert_eq!((picture.width(), picture.height()), (96, 96));
    let description: serde_json::Value = serde_json::from_slice(&first[1].1).unwrap();
    let english = description["captions"]["en"].as_str().unwrap();
    assert!(
        english.contains(" and ") && english.ends_with(" background"),
        "{english}"
    );
    let labels = description["labels"].as_array().unwrap();
    let [background, left, right] = &labels[..] else {
        panic!("{labels:?}");
    };
    let text = |label: &serde_json::Value| label.as_str().unwrap().to_owned();
    let [background, left, right] = [background, left, right].map(text);
    assert_eq!(
        english,
        format!("{left} and {right} on a {background} background")
    );
    assert_eq!(entries(&output.join("00001.tar")).len(), 4);
}

#[test]
fn the_same_seed_gives_the_same_shards_with_and_without_other_threads() {
    let folder = tempfile::tempdir().unwrap();
    packages(&folder.path().join("packages"));
    let draw = |name: &str, seed: &str| {
        let output = folder.path().join(name);
        let options = [
            "--scenes",
            "40",
            "--shard-size",
            "20",
            "--augment",
            "--seed",
            seed,
        ];
        let done = run(&folder.path().join("packages"), &output, &options);
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        std::fs::read(output.join("00001.tar")).unwrap()
    };
    let first = draw("first", "7");
    assert!(first == draw("second", "7"));
    assert!(first != draw("third", "8"));
}

#[test]
fn missing_packages_and_full_folders_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = run(
        &folder.path().join("packages"),
        &folder.path().join("scenes"),
        &[],
    );
    assert_eq!(missing.status.code(), Some(2));
    let message = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(message.contains("packages.sh"), "{message}");

    packages(&folder.path().join("packages"));
    let output = folder.path().join("scenes");
    assert!(
        run(&folder.path().join("packages"), &output, &[])
            .status
            .success()
    );
    let again = run(&folder.path().join("packages"), &output, &[]);
    assert_eq!(again.status.code(), Some(2));
    let message = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(message.contains("holds shards already"), "{message}");
}
