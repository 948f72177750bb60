//! What a captioner can be loaded with.

use burn::tensor::Device;
use captioning::{Captioner, Error, GenerationConfig, Weights};

fn codes(captioner: &Captioner) -> Vec<&str> {
    let languages = captioner.languages().iter();
    languages.map(|language| language.code).collect()
}

#[test]
fn without_settings_it_is_the_embedded_model() {
    let captioner = Captioner::builder().build(&Device::flex()).unwrap();
    assert_eq!(codes(&captioner), ["en_XX", "fr_XX", "de_DE", "es_XX"]);
    assert_eq!(captioner.generation_config().num_beams, 1);
}

#[test]
fn languages_are_those_that_were_named_in_their_order() {
    let captioner = Captioner::builder()
        .languages(["spanish", " fr ", "en_XX"])
        .build(&Device::flex())
        .unwrap();
    assert_eq!(codes(&captioner), ["es_XX", "fr_XX", "en_XX"]);
    let Err(Error::UnknownLanguage { asked, known }) = captioner.language("german") else {
        panic!("German was not named");
    };
    assert_eq!(asked, "german");
    assert_eq!(
        known,
        ["es_XX (Spanish)", "fr_XX (French)", "en_XX (English)"]
    );
}

#[test]
fn an_unknown_language_is_a_typed_error() {
    for unknown in ["klingon", "it"] {
        let error = Captioner::builder()
            .languages(["en", unknown])
            .build(&Device::flex())
            .unwrap_err();
        assert!(matches!(error, Error::UnknownLanguage { asked, .. } if asked == unknown));
    }
}

#[test]
fn generation_options_are_changed_from_those_of_the_checkpoint() {
    let start = std::cell::Cell::new(None);
    let captioner = Captioner::builder()
        .generation(|defaults| {
            start.set(defaults.decoder_start_token_id);
            GenerationConfig {
                num_beams: 5,
                ..defaults
            }
        })
        .build(&Device::flex())
        .unwrap();
    assert_eq!(start.get(), Some(2));
    let config = captioner.generation_config();
    assert_eq!(
        (config.num_beams, config.decoder_start_token_id),
        (5, Some(2))
    );
}

#[test]
fn weights_are_kept_as_asked() {
    for (asked, format) in [
        ("ordinary", None),
        ("int8", Some("int8")),
        ("auto", Some("f32")),
    ] {
        let weights: Weights = asked.parse().unwrap();
        let captioner = Captioner::builder()
            .weights(weights)
            .build(&Device::flex())
            .unwrap();
        let found = captioner.format().map(|format| format.to_string());
        assert_eq!(found.as_deref(), format, "{asked}");
    }
}

#[test]
fn a_name_that_leads_to_no_model_is_a_typed_error() {
    let builder = Captioner::builder().name("/nowhere");
    let error = builder.build(&Device::flex()).unwrap_err();
    assert!(matches!(error, Error::Locate(_)), "{error}");
    assert!(error.to_string().contains("/nowhere"), "{error}");
}
