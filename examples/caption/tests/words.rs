//! Options about the words of captions, scores, streaming and attention.

mod common;

use std::fs;

use common::{caption, fails_with, picture, text};
use serde_json::Value;
use tempfile::TempDir;

const CAT: &str = "cat-and-pizza-blue.png";

/// The captions that the program prints for a picture of a cat, without their languages.
fn captions(arguments: &[&str]) -> Vec<String> {
    captions_of(CAT, arguments)
}

fn captions_of(name: &str, arguments: &[&str]) -> Vec<String> {
    let output = caption(&[arguments, &[&picture(name)]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    let words = |line: &str| {
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    stdout.lines().skip(1).map(words).collect()
}

/// The line of JSON that the program prints for a picture.
fn record(arguments: &[&str]) -> Value {
    let output = caption(&[&["--json", "--lang", "en"], arguments, &[&picture(CAT)]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let stdout = text(&output.stdout);
    serde_json::from_str(stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn any_option_of_generation_can_be_set_by_its_name() {
    let set = |settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", *setting]);
        captions(&[&["--lang", "en"], &settings.collect::<Vec<_>>()[..]].concat())
    };
    let usual = "cat and pizza on a blue background";
    assert_eq!(set(&[]), [usual]);
    assert_eq!(
        set(&["penalty_alpha=0.4", "top_k=4", "num_beams=1"]),
        [usual]
    );
    let wild = [
        "do_sample=true",
        "num_beams=1",
        "temperature=9",
        "top_k=0",
        "seed=3",
    ];
    assert_eq!(set(&wild), set(&wild));
    let groups = ["num_beam_groups=2", "diversity_penalty=2.0"];
    assert_eq!(set(&groups), [usual]);
    let stopped = set(&["stop_strings=pizza"]);
    assert_eq!(stopped, ["cat and pizza"]);
}

#[test]
fn captions_have_required_words_and_a_prefix_but_no_forbidden_words() {
    let english = ["--lang", "en", "--num-beams", "6"];
    let ask = |arguments: &[&str]| captions(&[&english, arguments].concat()).remove(0);
    let dog = ask(&["--require", "dog|dogs"]);
    assert!(dog.contains("dog"), "{dog}");
    let other = ask(&["--forbid", "cat", "--forbid", "pizza"]);
    assert!(
        !other.contains("cat") && !other.contains("pizza"),
        "{other}"
    );
    let prefixed = ask(&["--prefix", "penguin and"]);
    assert!(prefixed.starts_with("penguin and "), "{prefixed}");
}

#[test]
fn given_texts_are_scored_in_each_language() {
    let scored = captions(&[
        "--lang",
        "en,de",
        "--score",
        "cat and pizza on a blue background",
        "--score",
        "a red apple",
    ]);
    let score = |line: &String| line.split(' ').next().unwrap().parse::<f64>().unwrap();
    let scores: Vec<f64> = scored.iter().map(score).collect();
    assert_eq!(scores.len(), 4, "{scored:?}");
    assert!(scores[0] > scores[1] && scores[0] > scores[2], "{scored:?}");
    let json = record(&["--score", "a red apple"]);
    let log_probs = json["captions"][0]["token_log_probs"].as_array().unwrap();
    assert_eq!(
        log_probs.len() + 1,
        json["captions"][0]["ids"].as_array().unwrap().len()
    );
}

#[test]
fn alternatives_are_in_the_json() {
    let json = record(&["--alternatives", "2"]);
    let caption = &json["captions"][0];
    let alternatives = caption["alternatives"].as_array().unwrap();
    assert_eq!(
        alternatives.len(),
        caption["token_log_probs"].as_array().unwrap().len()
    );
    assert_eq!(alternatives[1].as_array().unwrap().len(), 2);
    assert!(alternatives[1][0]["log_prob"].as_f64() > alternatives[1][1]["log_prob"].as_f64());
    assert!(record(&[])["captions"][0].get("alternatives").is_none());
}

#[test]
fn streaming_prints_the_same_captions_and_with_json_each_step() {
    for num_beams in ["1", "4"] {
        let plain = ["--num-beams", num_beams];
        let expected = captions(&plain);
        assert_eq!(captions(&[&plain[..], &["--stream"]].concat()), expected);
        let arguments = [&plain[..], &["--stream", "--json", "--lang", "en"]].concat();
        let output = caption(&[&arguments[..], &[&picture(CAT)]].concat());
        let stdout = text(&output.stdout);
        let lines: Vec<Value> = stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let (record, steps) = lines.split_last().unwrap();
        assert_eq!(record["captions"][0]["text"], expected[0]);
        assert!(steps.len() > 5);
        for step in steps {
            let settled = step["settled"].as_str().unwrap();
            assert!(expected[0].starts_with(settled), "{settled}");
        }
    }
}

#[test]
fn a_shortlist_gives_the_same_captions() {
    // Its captions are written with the tokens that the tokenizer splits them into, which "Pizza" is not.
    let captions = |arguments: &[&str]| captions_of("whale-and-anchor-white.png", arguments);
    let expected = captions(&[]);
    assert_eq!(captions(&["--shortlist", "languages"]), expected);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("captions.txt");
    fs::write(&file, expected.join("\n")).unwrap();
    let file = file.display().to_string();
    assert_eq!(captions(&["--shortlist", &file]), expected);
}

#[test]
fn attention_is_saved_as_pictures_and_json() {
    let folder = TempDir::new().unwrap();
    let name = folder.path().join("new").display().to_string();
    captions(&[
        "--lang",
        "en,de",
        "--attention",
        &name,
        "--attention-layers",
        "0,2",
    ]);
    let json = fs::read(folder.path().join("new/cat-and-pizza-blue.json")).unwrap();
    let record: Value = serde_json::from_slice(&json).unwrap();
    let captions = record["captions"].as_array().unwrap();
    assert_eq!(captions.len(), 2);
    for caption in captions {
        let words = caption["words"].as_array().unwrap();
        let spelled: Vec<&str> = words.iter().map(|w| w["word"].as_str().unwrap()).collect();
        assert_eq!(spelled.join(" "), caption["text"].as_str().unwrap());
        for word in words {
            let patches = word["patches"].as_array().unwrap().iter();
            let sum: f64 = patches.map(|share| share.as_f64().unwrap()).sum();
            let sum = sum + word["class_token"].as_f64().unwrap();
            assert!((sum - 1.0).abs() < 1e-4, "{sum}");
            let picture = fs::read(
                folder
                    .path()
                    .join("new")
                    .join(word["picture"].as_str().unwrap()),
            );
            assert!(picture.unwrap().starts_with(b"\x89PNG"));
        }
    }
}

#[test]
fn pictures_of_the_same_name_do_not_overwrite_each_other() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (from, to) in [(CAT, "a/same.png"), ("penguin-blue.png", "b/same.png")] {
        fs::create_dir_all(folder.path().join(to).parent().unwrap()).unwrap();
        fs::copy(picture(from), path(to)).unwrap();
    }
    let out = path("out");
    let arguments = ["--lang", "en", "--attention", &out, &path("a"), &path("b")];
    assert_eq!(caption(&arguments).status.code(), Some(0));
    for (file, word) in [("same.json", "pizza"), ("same-2.json", "penguin")] {
        let json = fs::read_to_string(folder.path().join("out").join(file)).unwrap();
        assert!(json.contains(word), "{file}: {json}");
    }
}

#[test]
fn a_stream_that_fails_ends_its_line() {
    let arguments = [
        "--stream",
        "--lang",
        "en",
        "--num-beams",
        "2",
        "--set",
        "max_new_tokens=3",
    ];
    let words = ["--require", "cat", "--require", "penguin"];
    let output = caption(&[&arguments[..], &words, &[&picture(CAT)]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).ends_with('\n'));
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("no caption in en_XX with all required words"),
        "{stderr}"
    );
}

#[test]
fn invalid_options_are_refused_with_the_reason() {
    let cat = picture(CAT);
    for (arguments, expected) in [
        (&["--set", "num_beams"][..], "expected NAME=VALUE"),
        (&["--set", "beams=3"], "not supported: beams"),
        (&["--set", "top_p=1.5"], "top_p is 1.5, expected 0 to 1"),
        (
            &["--set", "num_beams=many"],
            "num_beams is \"many\", expected an integer",
        ),
        (&["--threads", "100000"], "expected at most 1024"),
        (
            &["--require", "dog, cat"],
            "has a character without a token",
        ),
        (
            &["--prefix", "cat and", "--forbid", "cat"],
            "a forbidden phrase is in",
        ),
        (
            &[
                "--set",
                "do_sample=true",
                "--set",
                "num_beam_groups=2",
                "--set",
                "diversity_penalty=1",
            ],
            "contradict each other",
        ),
        (
            &["--num-beams", "1", "--require", "dog"],
            "need num_beams above 1",
        ),
        (
            &["--require", "dog*|cat"],
            "can't parse \"dog*|cat\" as words",
        ),
        (&["--forbid", ""], "can't parse \"\" as words"),
        (
            &["--num-return-sequences", "2", "--stream"],
            "--stream prints one caption",
        ),
        (&["--stream", "--as-published"], "cannot be used with"),
        (&["--score", "a dog", "--stream"], "cannot be used with"),
        (&["--alternatives", "3"], "--json"),
        (
            &["--shortlist", "/nowhere.txt"],
            "can't read the text of the shortlist, /nowhere.txt: No such file",
        ),
        (&["--attention-layers", "1"], "--attention <DIR>"),
        (
            &["--prefix", &"word ".repeat(70)],
            "leaves none to generate",
        ),
    ] {
        let stderr = fails_with(2, &[arguments, &[&cat]].concat());
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    let folder = TempDir::new().unwrap();
    let empty = folder.path().join("empty.txt");
    fs::write(&empty, "\n \n").unwrap();
    let stderr = fails_with(2, &["--shortlist", &empty.display().to_string(), &cat]);
    assert!(stderr.contains("empty.txt, is empty"), "{stderr}");
    let name = folder.path().display().to_string();
    let stderr = fails_with(2, &["--attention", &name, "--attention-layers", "9", &cat]);
    assert!(stderr.contains("3 layers"), "{stderr}");
}
