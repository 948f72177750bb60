//! A language without a caption.

mod common;

use common::{caption, picture, text};
use serde_json::Value;

/// With so few tokens and beams, the search finds no place for both words in Spanish.
const OPTIONS: [&str; 10] = [
    "--lang",
    "es,en",
    "--num-beams",
    "2",
    "--max-length",
    "6",
    "--require",
    "fond",
    "--require",
    "bleu",
];
const CAMERA: &str = "camera-red.png";
const MESSAGE: &str = "no caption in es_XX with all required words was found";

/// Whether a caption has the words that are required, in any order.
fn has_both_words(text: &str) -> bool {
    let has = |word| text.split_whitespace().any(|found| found == word);
    has("fond") && has("bleu")
}

#[test]
fn the_picture_and_the_language_are_named_and_other_captions_printed() {
    let camera = picture(CAMERA);
    let penguin = picture("penguin-blue.png");
    for stream in [&[][..], &["--stream"]] {
        let output = caption(&[&OPTIONS, stream, &[&camera, &penguin]].concat());
        assert_eq!(output.status.code(), Some(1));
        let stderr = text(&output.stderr);
        let [message] = stderr.lines().collect::<Vec<_>>()[..] else {
            panic!("expected one message, found {stderr}");
        };
        assert!(message.contains(CAMERA), "{message}");
        assert!(message.contains(MESSAGE), "{message}");
        let stdout = text(&output.stdout);
        let written = |code| {
            let lines = stdout
                .lines()
                .filter_map(|line| line.trim().strip_prefix(code));
            let captions = lines.filter(|line| !line.is_empty());
            captions.map(str::to_owned).collect::<Vec<String>>()
        };
        let (missing, spanish): (Vec<_>, Vec<_>) = written("es_XX")
            .into_iter()
            .partition(|line| line.ends_with("[no caption]"));
        assert_eq!(spanish.len(), 1, "{stdout}");
        // Streaming has begun the line of the language.
        assert_eq!(missing.len(), stream.len(), "{stdout}");
        let english = written("en_XX");
        assert_eq!(english.len(), 2, "{stdout}");
        assert!(english.iter().all(|line| has_both_words(line)));
    }
}

#[test]
fn json_has_an_error_instead_of_a_text() {
    for stream in [&[][..], &["--stream"]] {
        let output = caption(&[&OPTIONS, stream, &["--json", &picture(CAMERA)]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stderr), "");
        let stdout = text(&output.stdout);
        let record: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
        let [spanish, english] = record["captions"].as_array().unwrap().as_slice() else {
            panic!("expected an entry for each language, found {record}");
        };
        assert_eq!(spanish["lang"], "es_XX");
        assert!(spanish["error"].as_str().unwrap().starts_with(MESSAGE));
        assert!(spanish.get("text").is_none());
        assert_eq!(english["lang"], "en_XX");
        assert!(has_both_words(english["text"].as_str().unwrap()));
        assert!(english.get("error").is_none());
    }
}
