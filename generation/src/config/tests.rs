use super::*;

fn read(json: &str) -> GenerationConfig {
    GenerationConfig::from_json(json).unwrap()
}

#[test]
fn hugging_face_files_are_read_and_neutral_options_ignored() {
    let config = read(
        r#"{"_from_model_config": true, "eos_token_id": 2, "forced_eos_token_id": [2, 3],
            "early_stopping": "never", "num_beams": 5, "do_sample": false, "top_k": 50,
            "repetition_penalty": 1.0, "bad_words_ids": null, "transformers_version": "5",
            "encoder_repetition_penalty": 1.0, "guidance_scale": 1, "stop_strings": ".",
            "sequence_bias": [[[3], 2.5], [[1, 8], -4]], "exponential_decay_length_penalty": [4, 1.2],
            "force_words_ids": [[5, 6], [[7], [8, 9]]]}"#,
    );
    assert_eq!(config.eos_token_id, [2]);
    assert_eq!(config.forced_eos_token_id, [2, 3]);
    assert_eq!(config.early_stopping, EarlyStopping::Never);
    assert_eq!(config.num_beams, 5);
    assert_eq!(config.stop_strings, ["."]);
    assert_eq!(config.sequence_bias, [(vec![3], 2.5), (vec![1, 8], -4.0)]);
    assert_eq!(config.exponential_decay_length_penalty, Some((4, 1.2)));
    assert_eq!(
        config.force_words_ids,
        [vec![vec![5, 6]], vec![vec![7], vec![8, 9]]]
    );
    let json = config.to_json();
    assert_eq!(GenerationConfig::from_json(&json).unwrap(), config);
    assert!(!json.contains("length_penalty\": 1"), "{json}");
}

#[test]
fn every_option_has_its_name_in_the_list() {
    let Ok(serde_json::Value::Object(options)) = serde_json::to_value(GenerationConfig::default())
    else {
        panic!("a configuration is an object");
    };
    let mut names: Vec<&str> = options.keys().map(String::as_str).collect();
    let mut listed = OPTIONS.to_vec();
    names.sort_unstable();
    listed.sort_unstable();
    assert_eq!(names, listed);
}

#[test]
fn options_that_would_change_the_result_are_refused_by_name() {
    let json = r#"{"guidance_scale": 3.0, "watermarking_config": {"bias": 2}, "num_beams": 2}"#;
    let error = GenerationConfig::from_json(json).unwrap_err().to_string();
    assert!(
        error.contains("guidance_scale, watermarking_config"),
        "{error}"
    );
    let json = r#"{"guidance_scale": 3.0, "encoder_no_repeat_ngram_size": 3, "num_beams": 2}"#;
    let names = GenerationConfig::unsupported_options(&serde_json::from_str(json).unwrap());
    assert_eq!(names, ["encoder_no_repeat_ngram_size", "guidance_scale"]);
}

#[test]
fn null_restores_the_default() {
    let config = GenerationConfig {
        num_beams: 4,
        forced_eos_token_id: vec![2],
        ..GenerationConfig::default()
    };
    let options = r#"{"num_beams": null, "forced_eos_token_id": null}"#;
    let updated = config.updated(&serde_json::from_str(options).unwrap());
    assert_eq!(updated.unwrap(), GenerationConfig::default());
}

#[test]
fn settings_of_a_command_line_are_options() {
    let settings = [
        "top_p=0.5",
        "eos_token_id=[2, 3]",
        "stop_strings=the end",
        "do_sample = true",
    ];
    let config = GenerationConfig::default()
        .with_settings(&settings)
        .unwrap();
    assert_eq!(config.top_p, 0.5);
    assert_eq!(config.eos_token_id, [2, 3]);
    assert_eq!(config.stop_strings, ["the end"]);
    assert!(config.do_sample);
    for (setting, message) in [
        ("top_p", "top_p: expected NAME=VALUE"),
        ("top_p=high", "top_p is \"high\", expected a number"),
        ("top_p=1.5", "top_p is 1.5, expected 0 to 1"),
        ("tops=1", "not supported: tops"),
    ] {
        let error = config.with_settings(&[setting]).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn new_token_limits_take_precedence_over_lengths() {
    let config = GenerationConfig {
        max_length: Some(30),
        max_new_tokens: Some(5),
        min_length: 10,
        min_new_tokens: Some(2),
        ..GenerationConfig::default()
    };
    assert_eq!((config.longest(3), config.shortest(3)), (8, 5));
    assert_eq!(GenerationConfig::default().longest(1), 21);
}

#[test]
fn contrastive_search_feeds_the_last_token_too() {
    assert_eq!(read(r#"{"max_length": 9}"#).longest_fed(1), 8);
    let contrastive = read(r#"{"max_length": 9, "penalty_alpha": 0.6, "top_k": 4}"#);
    assert_eq!(contrastive.longest_fed(1), 9);
}

#[test]
fn contradictory_options_are_named() {
    for (json, message) in [
        (r#"{"num_beams": 0}"#, "num_beams is 0"),
        (
            r#"{"num_beams": 2, "num_return_sequences": 3}"#,
            "num_return_sequences is 3",
        ),
        (
            r#"{"num_return_sequences": 2}"#,
            "num_return_sequences is 2",
        ),
        (
            r#"{"do_sample": true, "num_return_sequences": 0}"#,
            "num_return_sequences is 0",
        ),
        (
            r#"{"do_sample": true, "num_return_sequences": 100000}"#,
            "num_return_sequences is 100000",
        ),
        (
            r#"{"num_beams": 4, "num_beam_groups": 3, "diversity_penalty": 1}"#,
            "num_beam_groups is 3",
        ),
        (
            r#"{"num_beams": 4, "num_beam_groups": 2}"#,
            "diversity_penalty is 0",
        ),
        (
            r#"{"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": -1}"#,
            "diversity_penalty is -1",
        ),
        (
            r#"{"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 1, "do_sample": true}"#,
            "num_beam_groups and do_sample",
        ),
        (r#"{"penalty_alpha": 1.5}"#, "penalty_alpha is 1.5"),
        (
            r#"{"penalty_alpha": 0.5, "top_k": 1000000000000000000}"#,
            "to 1024",
        ),
        (r#"{"force_words_ids": [[5]]}"#, "need num_beams above 1"),
        (
            r#"{"force_words_ids": [[5]], "num_beams": 2, "do_sample": true}"#,
            "force_words_ids and do_sample",
        ),
        (
            r#"{"force_words_ids": [[]], "num_beams": 2}"#,
            "without tokens",
        ),
        (
            r#"{"force_words_ids": [[[3], []]], "num_beams": 2}"#,
            "without tokens",
        ),
        (r#"{"repetition_penalty": 1e300}"#, "in 32 bits"),
        (
            r#"{"sequence_bias": [[[1], 1e300]]}"#,
            "sequence_bias is 1000",
        ),
        (r#"{"repetition_penalty": 0}"#, "repetition_penalty is 0"),
        (r#"{"bad_words_ids": [[1], []]}"#, "a word without tokens"),
        (
            r#"{"sequence_bias": [[[], 1.0]]}"#,
            "a sequence without tokens",
        ),
        (
            r#"{"exponential_decay_length_penalty": [3, Infinity]}"#,
            "exponential_decay_length_penalty is inf",
        ),
        (r#"{"stop_strings": ["."," ", ""]}"#, "an empty string"),
        (r#"{"max_time": NaN}"#, "max_time is NaN"),
        (r#"{"num_beams": 2, "patience": 0}"#, "patience is 0"),
        (r#"{"num_beams": 2, "patience": 5000}"#, "patience is 5000"),
        (r#"{"max_length": 1}"#, "leaves none to generate"),
    ] {
        let error = read(json).validate(1).expect_err(json).to_string();
        assert!(error.contains(message), "{json}: {error}");
    }
    for (name, config) in [
        (
            "length_penalty is NaN",
            GenerationConfig {
                num_beams: 2,
                length_penalty: f64::NAN,
                ..GenerationConfig::default()
            },
        ),
        (
            "sequence_bias is inf",
            GenerationConfig {
                sequence_bias: vec![(vec![1], f64::INFINITY)],
                ..GenerationConfig::default()
            },
        ),
    ] {
        let error = config.validate(1).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn no_groups_are_an_error() {
    let config = GenerationConfig {
        num_beams: 4,
        num_beam_groups: 0,
        ..GenerationConfig::default()
    };
    let error = config.validate(1).unwrap_err().to_string();
    assert!(error.contains("num_beam_groups is 0"), "{error}");
}

#[test]
fn what_is_no_configuration_is_an_error() {
    for json in [
        "[]",
        "{",
        "3",
        "",
        r#"{"num_beams": 2,}"#,
        r#"{"a": nan}"#,
        "\u{feff}{}",
    ] {
        let error = GenerationConfig::from_json(json);
        assert!(matches!(error, Err(ConfigError::Json(_))), "{json}");
    }
}

#[test]
fn a_setting_of_no_option_is_refused_whatever_its_value() {
    for setting in ["do_smaple=false", "stop_string=[]", "num_beam=null"] {
        let error = GenerationConfig::default().with_settings(&[setting]);
        assert!(
            matches!(error, Err(ConfigError::Unsupported(_))),
            "{setting}"
        );
    }
}
