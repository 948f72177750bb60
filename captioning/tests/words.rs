//! A prefix, required words and forbidden words.

use crate::common::{TWO_THINGS, captioner, config, encoded, unwrapped};
use captioning::{CaptionOptions, Captioner, Error, GenerationConfig, Language, Words};

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
    let captions = unwrapped(captions).concat();
    captions.into_iter().map(|caption| caption.text).collect()
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(' ').any(|found| found == word)
}

#[test]
fn captions_have_required_words_whatever_the_image_shows() {
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
        // Requiring what is said anyway changes nothing.
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
fn captions_do_not_have_forbidden_words() {
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
    // The prefix is that of every language of a call.
    let options = CaptionOptions {
        prefix: "Kamera".into(),
        ..CaptionOptions::new(config(&captioner, 2))
    };
    let memory = encoded(&captioner, &[name]);
    let all = captioner
        .caption_with(memory, captioner.languages(), &options)
        .unwrap();
    let all = unwrapped(all).concat();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|caption| caption.text.starts_with("Kamera")));
}

#[test]
fn invalid_words_are_typed_errors_before_there_is_an_image() {
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
}

#[test]
fn a_language_without_its_required_words_loses_no_other_language_or_image() {
    let captioner = captioner();
    let names = TWO_THINGS.map(|(name, ..)| name);
    let languages = ["de", "en", "es"].map(|code| captioner.language(code).unwrap());
    // With so few tokens and beams, not every search finds a place for two words.
    let options = CaptionOptions {
        required: ["fond", "blanc"].map(words).to_vec(),
        ..CaptionOptions::new(GenerationConfig {
            max_length: Some(6),
            ..config(&captioner, 2)
        })
    };
    let caption = |names: &[&str], languages: &[Language]| {
        let memory = encoded(&captioner, names);
        captioner.caption_with(memory, languages, &options).unwrap()
    };
    let together = caption(&names, &languages);
    assert_eq!(together.len(), names.len());
    let mut missing = Vec::new();
    for (name, captions) in names.into_iter().zip(together) {
        assert_eq!(captions.len(), languages.len());
        for (language, found) in languages.into_iter().zip(captions) {
            assert_eq!(found.language, language);
            let alone = caption(&[name], &[language]).remove(0).remove(0);
            match (found.captions, alone.captions) {
                (Ok(found), Ok(alone)) => {
                    assert_eq!(found[0].text, alone[0].text);
                    assert!(
                        ["fond", "blanc"]
                            .iter()
                            .all(|w| has_word(&found[0].text, w))
                    );
                }
                (Err(Error::WordsMissing { language: code }), Err(_)) => {
                    assert_eq!(code, language.code);
                    missing.push((name, code));
                }
                (found, alone) => panic!("{found:?}, but alone {alone:?}"),
            }
        }
    }
    assert_eq!(missing, [(names[1], "de_DE")]);
}
