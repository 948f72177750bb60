//! The embedded model with the quirks of the published model's original code.

use crate::common::{captioner, image, unwrapped};
use captioning::{Caption, Captioner, Error, GenerationConfig, RgbImage};

const PAD: u32 = 1;
const END: u32 = 2;
const LONGEST: usize = 24;

fn config(captioner: &Captioner, num_beams: usize) -> GenerationConfig {
    GenerationConfig {
        num_beams,
        max_length: Some(LONGEST),
        ..captioner.generation_config().clone()
    }
}

fn images() -> Vec<RgbImage> {
    ["00-fluent-emoji-flat-1f587", "15-noto-1f456"]
        .map(image)
        .to_vec()
}

fn texts(captions: &[Vec<Caption>]) -> Vec<&str> {
    captions.iter().flatten().map(|c| c.text.as_str()).collect()
}

#[test]
fn greedy_captions_of_truncated_pixels_differ_only_in_the_end_token() {
    let captioner = captioner();
    let (images, languages) = (images(), captioner.languages().to_vec());
    let config = config(&captioner, 1);
    let published = captioner.as_published();
    let found = unwrapped(published.caption(&images, &languages, &config).unwrap());

    let memory = published.encode(&images).unwrap();
    let ours = captioner
        .caption_encoded(memory, &languages, &config)
        .unwrap();
    let ours = unwrapped(ours);
    assert_eq!(texts(&found), texts(&ours));
    for (found, ours) in found.iter().flatten().zip(ours.iter().flatten()) {
        let mut expected = ours.ids.clone();
        if expected.last() == Some(&END) {
            expected.pop();
        }
        expected.resize(LONGEST, PAD);
        assert_eq!(found.ids, expected);
        assert_eq!(found.language, ours.language);
        let log_probs = found.token_log_probs.iter().zip(&ours.token_log_probs);
        for (found, ours) in log_probs {
            // Batches of one language and of four are rounded differently.
            assert!((found - ours).abs() < 1e-6);
        }
    }
    // The truncation does make a difference.
    let exact = captioner.caption(&images, &languages, &config).unwrap();
    assert_ne!(texts(&found), texts(&unwrapped(exact)));
}

#[test]
fn beam_search_returns_one_caption_per_language_with_a_score_of_millions() {
    let captioner = captioner();
    let config = config(&captioner, 3);
    let images = images();
    let languages = [
        captioner.language("de").unwrap(),
        captioner.language("en").unwrap(),
    ];
    let found = captioner
        .as_published()
        .caption(&images, &languages, &config)
        .unwrap();
    assert_eq!(found.len(), images.len());
    for captions in unwrapped(found) {
        let codes: Vec<&str> = captions.iter().map(|c| c.language.code).collect();
        assert_eq!(codes, ["de_DE", "en_XX"]);
        for caption in captions {
            assert_eq!(caption.ids.len(), LONGEST);
            assert!(caption.score < -1e7 / LONGEST as f32);
            assert!(caption.text.contains(' '));
        }
    }
}

#[test]
fn options_that_the_original_does_not_know_are_errors() {
    let captioner = captioner();
    let config = GenerationConfig {
        num_return_sequences: 2,
        ..config(&captioner, 3)
    };
    let published = captioner.as_published();
    let error = published.validate(&config).unwrap_err();
    assert!(matches!(error, Error::Generate(_)));
    let message = published
        .caption(&images(), captioner.languages(), &config)
        .unwrap_err()
        .to_string();
    assert_eq!(message, error.to_string());
    assert!(message.contains("num_return_sequences"), "{message}");

    let too_long = GenerationConfig {
        max_length: Some(66),
        ..self::config(&captioner, 3)
    };
    assert!(published.validate(&too_long).is_err());
    let nothing = published.caption(&[], captioner.languages(), &too_long);
    assert!(nothing.unwrap().is_empty());
}
