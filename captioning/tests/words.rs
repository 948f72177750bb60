//! Words that captions begin with, have to contain, or must not contain.

mod common;

use captioning::{CaptionOptions, Captioner, Error, Words};
use common::{TWO_THINGS, captioner, config, encoded};

fn words(text: &str) -> Words {
    text.parse().unwrap()
}

fn captions(
    captioner: &Captioner,
    name: &str,
    code: &str,
    options: &CaptionOptions,
) -> Vec<String> {
    let language = captioner.language(code).unwrap();
    let memory = encoded(captioner, &[name]);
    let captions = captioner
        .caption_with(memory, &[language], options)
        .unwrap();
    captions[0].iter().map(|c| c.text.clone()).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(' ').any(|found| found == word)
}

#[test]
fn required_words_come_whole_whatever_is_on_the_picture() {
    let captioner = captioner();
    for (name, _, things) in TWO_THINGS {
        for (code, asked, expected) in [
            ("en", "dog|cat", &["dog", "cat"][..]),
            ("en", "red", &["red"]),
            ("de", "Hund", &["Hund"]),
            ("fr", "chat", &["chat"]),
        ] {
            let options = CaptionOptions {
                required: vec![words(asked)],
                ..CaptionOptions::new(config(&captioner, 6))
            };
            let text = &captions(&captioner, name, code, &options)[0];
            assert!(
                expected.iter().any(|word| has_word(text, word)),
                "{name}: {text}"
            );
        }
        // What is there is asked for at no cost.
        let free = captions(
            &captioner,
            name,
            "en",
            &CaptionOptions::new(config(&captioner, 6)),
        );
        let asked = CaptionOptions {
            required: things.map(words).to_vec(),
            ..CaptionOptions::new(config(&captioner, 6))
        };
        assert_eq!(captions(&captioner, name, "en", &asked), free);
    }
}

#[test]
fn forbidden_words_do_not_come() {
    let captioner = captioner();
    for (name, _, things) in TWO_THINGS {
        for num_beams in [1, 6] {
            for thing in things {
                let free = CaptionOptions::new(config(&captioner, num_beams));
                assert!(has_word(&captions(&captioner, name, "en", &free)[0], thing));
                for forbidden in [thing.to_owned(), format!("{}*", &thing[..3])] {
                    let options = CaptionOptions {
                        forbidden: vec![words(&forbidden)],
                        ..free.clone()
                    };
                    let text = &captions(&captioner, name, "en", &options)[0];
                    match forbidden.strip_suffix('*') {
                        None => assert!(!has_word(text, thing), "{text}"),
                        Some(start) => {
                            let mut words = text.split(' ');
                            assert!(!words.any(|word| word.starts_with(start)), "{text}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_caption_begins_with_its_prefix() {
    let captioner = captioner();
    let (name, ..) = TWO_THINGS[1];
    for num_beams in [1, 4] {
        let options = CaptionOptions {
            prefix: " camera and ".into(),
            ..CaptionOptions::new(config(&captioner, num_beams))
        };
        let text = &captions(&captioner, name, "en", &options)[0];
        assert!(text.starts_with("camera and "), "{text}");
        assert!(text.ends_with("background"), "{text}");
    }
    // In every language of one call.
    let options = CaptionOptions {
        prefix: "Kamera".into(),
        ..CaptionOptions::new(config(&captioner, 2))
    };
    let memory = encoded(&captioner, &[name]);
    let all = captioner
        .caption_with(memory, captioner.languages(), &options)
        .unwrap();
    assert!(
        all[0]
            .iter()
            .all(|caption| caption.text.starts_with("Kamera"))
    );
}

#[test]
fn words_that_can_not_be_are_typed_errors_before_there_is_a_picture() {
    let captioner = captioner();
    assert!(matches!("|".parse::<Words>(), Err(Error::Words { .. })));
    let required = |num_beams| CaptionOptions {
        required: vec![words("dog")],
        ..CaptionOptions::new(config(&captioner, num_beams))
    };
    assert!(captioner.validate_options(&required(2)).is_ok());
    let error = captioner.validate_options(&required(1)).unwrap_err();
    assert!(error.to_string().contains("num_beams above 1"), "{error}");
    let long = CaptionOptions {
        prefix: "a very long beginning ".repeat(20),
        ..CaptionOptions::new(config(&captioner, 2))
    };
    let error = captioner.validate_options(&long).unwrap_err();
    assert!(error.to_string().contains("leaves none"), "{error}");
    for text in ["camera \u{1f427}", "</s>", "en_XX cat"] {
        let unwritable =
            |error: Error| assert!(matches!(error, Error::Unwritable { .. }), "{error}");
        let prefixed = CaptionOptions {
            prefix: text.into(),
            ..CaptionOptions::new(config(&captioner, 2))
        };
        unwritable(captioner.validate_options(&prefixed).unwrap_err());
        let forbidding = CaptionOptions {
            forbidden: vec![words(text)],
            ..CaptionOptions::new(config(&captioner, 2))
        };
        unwritable(captioner.validate_options(&forbidding).unwrap_err());
    }
    let contradicting = CaptionOptions {
        prefix: "dog and cat".into(),
        forbidden: vec![words("dog")],
        ..CaptionOptions::new(config(&captioner, 2))
    };
    let error = captioner.validate_options(&contradicting).unwrap_err();
    assert!(error.to_string().contains("already"), "{error}");
    // Found only when looking: the longest caption ends before all are in.
    let many = CaptionOptions {
        required: [
            "dog", "cat", "house", "tree", "camera", "whale", "apple", "moon",
        ]
        .map(words)
        .to_vec(),
        ..CaptionOptions::new(config(&captioner, 2))
    };
    let memory = encoded(&captioner, &[TWO_THINGS[0].0]);
    let english = captioner.language("en").unwrap();
    let result = captioner.caption_with(memory, &[english], &many);
    match result {
        Ok(captions) => {
            let text = &captions[0][0].text;
            assert!(text.contains("whale") && text.contains("moon"), "{text}");
        }
        Err(error) => assert!(matches!(error, Error::WordsMissing { language: "en_XX" })),
    }
}
