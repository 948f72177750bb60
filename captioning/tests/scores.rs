//! Scores of given captions, alternatives, and shortlists.

use crate::common::{TWO_THINGS, captioner, config, encoded, unwrapped};
use captioning::{CaptionOptions, Error, GenerationConfig};

#[test]
fn a_generated_caption_has_the_score_that_it_was_generated_with() {
    let captioner = captioner();
    let names = TWO_THINGS.map(|(name, ..)| name);
    let memory = encoded(&captioner, &names);
    let config = GenerationConfig {
        length_penalty: 0.7,
        ..config(&captioner, 4)
    };
    for language in captioner.languages() {
        let found = captioner
            .caption_encoded(memory.clone(), &[*language], &config)
            .unwrap();
        for (image, found) in unwrapped(found).iter().enumerate() {
            let texts = [found[0].text.as_str(), "a red apple"];
            let scored = captioner
                .score(memory.clone(), *language, &texts, &config)
                .unwrap();
            let [Ok(same), Ok(other)] = scored[image].as_slice() else {
                panic!("two texts were given");
            };
            assert_eq!(same.ids, found[0].ids, "{}", found[0].text);
            assert!((same.score - found[0].score).abs() < 1e-4);
            let log_probs = same.token_log_probs.iter().zip(&found[0].token_log_probs);
            for (a, b) in log_probs {
                assert!((a - b).abs() < 1e-3);
            }
            assert!(other.score < same.score - 1.0, "{other:?}");
        }
    }
}

#[test]
fn the_caption_of_an_image_has_the_best_score() {
    let captioner = captioner();
    let names = TWO_THINGS.map(|(name, ..)| name);
    let texts = TWO_THINGS.map(|(_, caption, _)| caption);
    let english = captioner.language("en").unwrap();
    let memory = encoded(&captioner, &names);
    let scored = captioner
        .score(memory, english, &texts, &config(&captioner, 1))
        .unwrap();
    for (image, scored) in scored.iter().enumerate() {
        let score = |text: usize| scored[text].as_ref().unwrap().score;
        let best = (0..texts.len())
            .max_by(|a, b| score(*a).total_cmp(&score(*b)))
            .unwrap();
        assert_eq!(best, image, "{}", texts[best]);
    }
}

#[test]
fn texts_that_are_too_long_and_unknown_languages_are_typed_errors() {
    let captioner = captioner();
    let memory = encoded(&captioner, &[TWO_THINGS[0].0]);
    let english = captioner.language("en").unwrap();
    let long = "word ".repeat(100);
    let result = captioner.score(memory.clone(), english, &[&long], &config(&captioner, 1));
    assert!(
        result
            .unwrap_err()
            .to_string()
            .contains("the model can write")
    );
    let italian = captioning::language("it").unwrap();
    let result = captioner.score(memory.clone(), italian, &["mela"], &config(&captioner, 1));
    assert!(matches!(result, Err(Error::UnknownLanguage { .. })));
}

#[test]
fn texts_are_written_as_prefixes_are() {
    let captioner = captioner();
    let memory = encoded(&captioner, &[TWO_THINGS[0].0]);
    let english = captioner.language("en").unwrap();
    let config = config(&captioner, 1);
    let score = |text: &str| {
        let scored = captioner.score(memory.clone(), english, &["a dog", text], &config);
        scored.map(|scored| scored[0][1].as_ref().unwrap().clone())
    };
    for text in [
        "x\u{1f427}.",
        "a <unk>",
        "</s>",
        "a dog</s>",
        "en_XX a dog",
        "<mask>",
        "<pad>",
    ] {
        let error = score(text).unwrap_err();
        assert!(matches!(error, Error::Unwritable { .. }), "{text}: {error}");
        let options = CaptionOptions {
            prefix: text.into(),
            ..CaptionOptions::new(config.clone())
        };
        let error = captioner.validate_options(&options).unwrap_err();
        assert!(matches!(error, Error::Unwritable { .. }), "{text}: {error}");
    }
    // Spaces around a text are not part of it, and the text is returned as it was given.
    let plain = score("a dog").unwrap();
    for text in [" a dog", "a dog ", "\u{ff41} dog", "a  dog\n"] {
        let same = score(text).unwrap();
        assert_eq!((same.text.as_str(), &same.ids), (text, &plain.ids));
    }
    assert_eq!(score("").unwrap().text, "");
}

#[test]
fn scoring_no_text_is_not_an_error() {
    let captioner = captioner();
    let memory = encoded(&captioner, &[TWO_THINGS[0].0, TWO_THINGS[1].0]);
    let english = captioner.language("en").unwrap();
    let none = captioner.score(memory, english, &[], &config(&captioner, 1));
    let none = none.unwrap();
    assert_eq!(none.len(), 2);
    assert!(none.iter().all(Vec::is_empty));
}

#[test]
fn alternatives_have_the_text_of_their_tokens() {
    let captioner = captioner();
    let memory = encoded(&captioner, &[TWO_THINGS[2].0]);
    let english = [captioner.language("en").unwrap()];
    for num_beams in [1, 3] {
        let options = CaptionOptions {
            alternatives: 3,
            ..CaptionOptions::new(config(&captioner, num_beams))
        };
        let captions = captioner
            .caption_with(memory.clone(), &english, &options)
            .unwrap();
        let caption = captions[0][0].best().unwrap();
        assert_eq!(caption.alternatives.len(), caption.token_log_probs.len());
        // The language code is forced, so there is no other.
        assert_eq!(caption.alternatives[0].len(), 1);
        assert_eq!(caption.alternatives[0][0].text, "en_XX");
        let chosen: String = caption.ids[2..caption.ids.len() - 1]
            .iter()
            .zip(&caption.alternatives[1..])
            .map(|(id, position)| {
                let same = position.iter().find(|one| one.id == *id);
                same.unwrap().text.as_str()
            })
            .collect();
        assert_eq!(chosen.trim(), caption.text);
    }
}

#[test]
fn a_shortlist_of_the_languages_gives_the_same_captions() {
    let captioner = captioner();
    let names = TWO_THINGS.map(|(name, ..)| name);
    let memory = encoded(&captioner, &names);
    let texts = ["cat and dog on a red background", "Katze und Hund"];
    let corpus = captioner.tokenizer().shortlist_of_texts(texts, 1).unwrap();
    for num_beams in [1, 4] {
        let whole = CaptionOptions::new(config(&captioner, num_beams));
        let with = |shortlist| CaptionOptions {
            shortlist: Some(shortlist),
            ..whole.clone()
        };
        let caption = |options: &CaptionOptions| {
            let captions = captioner.caption_with(memory.clone(), captioner.languages(), options);
            unwrapped(captions.unwrap())
        };
        let all = caption(&whole);
        let languages = captioner
            .shortlist_of_languages(captioner.languages())
            .unwrap();
        for (all, shortlisted) in all.iter().zip(caption(&with(languages))) {
            for (all, shortlisted) in all.iter().zip(shortlisted) {
                assert_eq!(all.text, shortlisted.text);
            }
        }
        // Captions have only the tokens of a small shortlist.
        let shortlist = captioner.shortlist(&corpus).unwrap();
        for caption in caption(&with(shortlist)).iter().flatten() {
            assert!(caption.ids.iter().all(|id| corpus.contains(id)));
        }
    }
    for tokens in [&[][..], &[3, 2], &[2, 9_999_999]] {
        assert!(matches!(
            captioner.shortlist(tokens),
            Err(Error::Shortlist { .. })
        ));
    }
}
