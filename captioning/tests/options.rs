//! The options of a program: what its user says, then the checkpoint, then the program's defaults.

use crate::common::image;
use burn::tensor::Device;
use captioning::{CaptionOptions, Captioner, Error, GenerationConfig, OptionSource};

/// Tokens that the embedded model can write.
const MOST: usize = 65;

/// The embedded model with these options in place of its own.
fn with_checkpoint_options(json: &str) -> Captioner {
    let config = GenerationConfig::from_json(json).unwrap();
    let config = config.with_file("folder/generation_config.json");
    let builder = Captioner::builder().generation(|_| config);
    builder.build(&Device::flex()).unwrap()
}

fn defaults() -> GenerationConfig {
    GenerationConfig {
        num_beams: 4,
        max_length: Some(64),
        ..GenerationConfig::default()
    }
}

fn options(captioner: &Captioner, said: &[&str]) -> Result<GenerationConfig, Error> {
    let checkpoint = CaptionOptions::new(captioner.generation_config().clone());
    let options = captioner.options(checkpoint, said, &defaults())?;
    captioner.validate_options(&options)?;
    Ok(options.generation)
}

#[test]
fn the_checkpoints_options_count_unless_the_user_says_others() {
    let captioner = with_checkpoint_options(
        r#"{"decoder_start_token_id": [2], "eos_token_id": 2, "pad_token_id": 1, "num_beams": 1,
            "length_penalty": -3.0, "max_length": 5, "temperature": 0.0, "top_k": -1}"#,
    );
    let used = options(&captioner, &[]).unwrap();
    assert_eq!(
        (used.num_beams, used.length_penalty, used.longest(1)),
        (1, -3.0, 5)
    );
    assert!(matches!(
        used.source_of("num_beams"),
        OptionSource::File(Some(_))
    ));
    let captions = captioner.caption(
        &[image("08-fluent-emoji-flat-1f435-and-1f384")],
        captioner.languages(),
        &used,
    );
    for language in captions.unwrap().into_iter().flatten() {
        assert!(language.captions.unwrap()[0].ids.len() <= 5);
    }
    let ignored = captioner.ignored(&CaptionOptions::new(used));
    let ignored: Vec<String> = ignored.into_iter().map(|one| one.option).collect();
    assert_eq!(ignored, ["temperature", "top_k"]);

    let said = options(
        &captioner,
        &["num_beams=2", "max_new_tokens=9", "length_penalty=1"],
    )
    .unwrap();
    assert_eq!(
        (said.num_beams, said.length_penalty, said.longest(1)),
        (2, 1.0, 10)
    );
    assert_eq!(said.source_of("length_penalty"), OptionSource::Caller);
}

#[test]
fn a_user_may_name_the_length_in_other_words_than_the_checkpoint() {
    let captioner = with_checkpoint_options(
        r#"{"decoder_start_token_id": 2, "eos_token_id": 2, "max_new_tokens": 5, "min_new_tokens": 4}"#,
    );
    let used = options(&captioner, &["max_length=9", "min_length=3"]).unwrap();
    assert_eq!((used.longest(1), used.shortest(1)), (9, 3));
    assert_eq!(options(&captioner, &[]).unwrap().longest(1), 6);
}

#[test]
fn a_length_that_nobody_said_is_what_the_decoder_can_write() {
    let start = r#"{"decoder_start_token_id": 2, "eos_token_id": 2"#;
    for length in ["\"max_length\": 500", "\"max_new_tokens\": 500"] {
        let captioner = with_checkpoint_options(&format!("{start}, {length}}}"));
        assert_eq!(options(&captioner, &[]).unwrap().longest(1), MOST);
        for said in ["max_length=500", "max_new_tokens=500"] {
            assert!(matches!(
                options(&captioner, &[said]),
                Err(Error::Generate(_))
            ));
        }
    }
    let captioner = with_checkpoint_options(&format!("{start}}}"));
    assert_eq!(options(&captioner, &[]).unwrap().longest(1), 64);
    let long = GenerationConfig {
        max_length: Some(500),
        ..GenerationConfig::default()
    };
    let checkpoint = CaptionOptions {
        prefix: "monkey face".into(),
        ..CaptionOptions::new(captioner.generation_config().clone())
    };
    let used = captioner.options::<&str>(checkpoint, &[], &long).unwrap();
    assert_eq!(used.generation.longest(5), MOST);
    captioner.validate_options(&used).unwrap();
}

#[test]
fn a_checkpoint_that_samples_gets_no_beams_by_default() {
    let start = r#"{"decoder_start_token_id": 2, "eos_token_id": 2"#;
    for (more, beams) in [
        ("\"do_sample\": true", 1),
        ("\"do_sample\": true, \"num_beams\": 3", 3),
        ("\"penalty_alpha\": 0.6, \"top_k\": 4", 1),
        ("\"do_sample\": false", 4),
    ] {
        let captioner = with_checkpoint_options(&format!("{start}, {more}}}"));
        assert_eq!(options(&captioner, &[]).unwrap().num_beams, beams, "{more}");
    }
}

#[test]
fn wrong_settings_and_options_are_errors_that_name_them() {
    let captioner =
        with_checkpoint_options(r#"{"decoder_start_token_id": 2, "eos_token_id": 2, "top_k": -1}"#);
    let message = |error: &dyn std::error::Error| {
        let mut text = error.to_string();
        let mut error = error;
        while let Some(source) = error.source() {
            text += &format!(": {source}");
            error = source;
        }
        text
    };
    for (said, expected) in [
        ("tops=1", "tops"),
        ("num_beams", "NAME=VALUE"),
        ("num_beams=many", "num_beams is \"many\""),
        ("do_sample=true", "folder/generation_config.json"),
        ("do_sample=true", "top_k is -1"),
    ] {
        let error = message(&options(&captioner, &[said]).unwrap_err());
        assert!(error.contains(expected), "{said}: {error}");
    }
    options(&captioner, &["do_sample=true", "top_k=5"]).unwrap();
}
