//! The translator with a tiny model of random weights: order, batches, n-best lists, long and empty texts.

use std::path::PathBuf;

use burn::tensor::Device;
use translation::{
    Error, Format, GenerationConfig, LongTexts, TextError, Translated, Translator, Weights,
};

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny"))
}

fn translator(
    change: impl FnOnce(translation::TranslatorBuilder<'_>) -> translation::TranslatorBuilder<'_>,
) -> Translator {
    let builder = Translator::builder().folder(folder());
    change(builder).build(&Device::flex()).unwrap()
}

const TEXTS: [&str; 12] = [
    "two dogs on a beach",
    "mur",
    "Une enseigne au néon d’un café sur un mur de briques sombres",
    "",
    "end",
    "A red apple and two dogs",
    "Un restaurante u otro lugar para comer en el Hotel",
    "word word word",
    " \t",
    "UN Chief Says There Is No Military Solution in Syria",
    "e",
    "two dogs on a beach",
];

fn texts(found: Vec<Result<Translated, TextError>>) -> Vec<(String, f32)> {
    let best = found.into_iter().map(|found| found.unwrap().best().clone());
    best.map(|best| (best.text, best.score)).collect()
}

#[test]
fn results_are_in_order_and_do_not_depend_on_the_batches() {
    let together = texts(translator(|builder| builder).translate(&TEXTS).unwrap());
    assert_eq!(together.len(), TEXTS.len());
    for batch_tokens in [0, 30, 100] {
        let apart = translator(|builder| builder.batch_tokens(batch_tokens));
        let apart = texts(apart.translate(&TEXTS).unwrap());
        for ((text, score), (expected, expected_score)) in apart.iter().zip(&together) {
            assert_eq!(text, expected);
            assert!((score - expected_score).abs() < 1e-4);
        }
    }
    assert_eq!(together[0], together[11]);
    assert_ne!(together[0].0, together[1].0);
}

#[test]
fn empty_texts_stay_empty_and_progress_counts_every_text() {
    let translator = translator(|builder| builder);
    let mut counts = Vec::new();
    let config = translator.generation_config();
    let found = translator
        .translate_with(&TEXTS, config, &mut |count| counts.push(count))
        .unwrap();
    for place in [3, 8] {
        assert_eq!(found[place].as_ref().unwrap().best().text, "");
    }
    assert_eq!(counts.first(), Some(&2));
    assert_eq!(counts.last(), Some(&TEXTS.len()));
    assert!(counts.is_sorted());
    assert!(translator.translate::<&str>(&[]).unwrap().is_empty());
}

#[test]
fn there_are_as_many_translations_as_are_asked_for_the_best_first() {
    let translator = translator(|builder| {
        builder.generation(|defaults| GenerationConfig {
            num_beams: 4,
            num_return_sequences: 3,
            ..defaults
        })
    });
    let found = translator.translate(&TEXTS[..3]).unwrap();
    for found in found {
        let scores: Vec<f32> = found
            .unwrap()
            .translations
            .iter()
            .map(|one| one.score)
            .collect();
        assert_eq!(scores.len(), 3);
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    }
    let config = GenerationConfig {
        num_return_sequences: 9,
        ..translator.generation_config().clone()
    };
    assert!(matches!(
        translator.validate(&config),
        Err(Error::Generate(_))
    ));
}

#[test]
fn a_long_text_is_refused_or_cut_and_the_others_are_translated() {
    let long = "e ".repeat(100);
    let texts = ["two dogs", &long];
    let found = translator(|builder| builder).translate(&texts).unwrap();
    assert!(!found[0].as_ref().unwrap().is_cut);
    let error = found[1].as_ref().unwrap_err();
    assert!(
        matches!(error, TextError::TooLong { most: 64, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("split it"), "{error}");

    let cutting = translator(|builder| builder.long_texts(LongTexts::Cut));
    let found = cutting.translate(&texts).unwrap();
    assert!(found[1].as_ref().unwrap().is_cut);
}

#[test]
fn packed_weights_translate_too() {
    for format in [Format::F32, Format::INT8, Format::INT4] {
        let packed = translator(|builder| builder.weights(Weights::Packed(format)));
        assert_eq!(packed.format(), Some(format));
        assert_eq!(packed.translate(&TEXTS).unwrap().len(), TEXTS.len());
    }
}

#[test]
fn a_language_that_the_model_does_not_write_and_a_missing_model_are_refused() {
    let device = Device::flex();
    let error = Translator::builder().build(&device).unwrap_err();
    assert!(matches!(error, Error::NoModel));
    let error = Translator::builder().folder(folder()).language("fra");
    let error = error.build(&device).unwrap_err().to_string();
    assert!(error.contains("\"fra\""), "{error}");
    let error = Translator::from_folder("absent", &device).unwrap_err();
    assert!(error.to_string().contains("config.json"), "{error}");
}
