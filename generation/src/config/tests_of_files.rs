//! Files as they are found: what transformers 5 reads and uses is read and used, and the rest is named.

use super::*;
use crate::Prompt;

fn read(json: &str) -> GenerationConfig {
    let config =
        GenerationConfig::from_json(json).unwrap_or_else(|error| panic!("{json}: {error}"));
    config.with_file("folder/generation_config.json")
}

fn ignored(config: &GenerationConfig) -> Vec<String> {
    config
        .ignored()
        .iter()
        .map(|one| one.option.clone())
        .collect()
}

/// The texts of an error and its sources.
fn message(error: &dyn std::error::Error) -> String {
    let source = error.source().map(message);
    format!("{error}: {}", source.unwrap_or_default())
}

#[test]
fn options_that_the_strategy_does_not_use_may_have_any_value() {
    for (json, expected) in [
        (
            r#"{"temperature": 0.0, "do_sample": false}"#,
            &["temperature"][..],
        ),
        (r#"{"top_k": -1}"#, &["top_k"]),
        (r#"{"top_k": 0.5}"#, &["top_k"]),
        (r#"{"top_k": "many"}"#, &["top_k"]),
        (r#"{"temperature": "0.7"}"#, &["temperature"]),
        (
            r#"{"temperature": -1, "typical_p": 0, "top_p": 1.1}"#,
            &["temperature", "top_p", "typical_p"],
        ),
        (r#"{"min_p": -0.1, "top_h": 0}"#, &["min_p", "top_h"]),
        (
            r#"{"epsilon_cutoff": 1, "eta_cutoff": -0.1}"#,
            &["epsilon_cutoff", "eta_cutoff"],
        ),
        (
            r#"{"temperature": NaN, "top_p": -Infinity}"#,
            &["temperature", "top_p"],
        ),
        (
            r#"{"top_p": 1e999, "top_k": 99999999999999999999999}"#,
            &["top_k", "top_p"],
        ),
        (r#"{"length_penalty": NaN}"#, &["length_penalty"]),
        (r#"{"length_penalty": "long"}"#, &["length_penalty"]),
        (r#"{"early_stopping": true}"#, &["early_stopping"]),
        (r#"{"early_stopping": "never"}"#, &["early_stopping"]),
        (r#"{"num_beam_groups": 3}"#, &["num_beam_groups"]),
        (r#"{"diversity_penalty": -2}"#, &["diversity_penalty"]),
        (
            r#"{"num_beams": 4, "diversity_penalty": 1}"#,
            &["diversity_penalty"],
        ),
        (
            r#"{"penalty_alpha": 0.6, "num_beams": 2}"#,
            &["penalty_alpha"],
        ),
        (
            r#"{"penalty_alpha": 0.6, "do_sample": true}"#,
            &["penalty_alpha"],
        ),
        (
            r#"{"penalty_alpha": 0.6, "top_k": 1}"#,
            &["top_k", "penalty_alpha"],
        ),
        (r#"{"penalty_alpha": -1}"#, &["penalty_alpha"]),
        (
            r#"{"max_length": -1, "max_new_tokens": 9}"#,
            &["max_length"],
        ),
        (
            r#"{"min_length": "a", "min_new_tokens": 9}"#,
            &["min_length"],
        ),
        (r#"{"seed": -1}"#, &["seed"]),
        (r#"{"patience": 0}"#, &["patience"]),
        (
            r#"{"pad_token_id": "<pad>", "bos_token_id": -1, "decoder_start_token_id": 2}"#,
            &["pad_token_id", "bos_token_id"],
        ),
    ] {
        let config = read(json);
        config
            .validate(1)
            .unwrap_or_else(|error| panic!("{json}: {error}"));
        let mut expected = expected.to_vec();
        let mut found = ignored(&config);
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{json}");
        assert!(
            config
                .ignored()
                .iter()
                .all(|one| one.to_string().contains("is ignored"))
        );
    }
}

#[test]
fn options_that_the_strategy_uses_are_refused_with_their_file_and_name() {
    for (json, text) in [
        (
            r#"{"do_sample": true, "temperature": 0}"#,
            "temperature is 0",
        ),
        (
            r#"{"do_sample": true, "temperature": -1}"#,
            "temperature is -1",
        ),
        (r#"{"do_sample": true, "temperature": 1e-50}"#, "in 32 bits"),
        (
            r#"{"do_sample": true, "temperature": NaN}"#,
            "temperature is NaN",
        ),
        (
            r#"{"do_sample": true, "temperature": "0.7"}"#,
            "temperature is \"0.7\", expected a number",
        ),
        (
            r#"{"do_sample": true, "top_k": -1}"#,
            "top_k is -1, expected an integer, 0 or above",
        ),
        (r#"{"do_sample": true, "top_k": NaN}"#, "top_k is NaN"),
        (r#"{"do_sample": true, "top_p": -0.1}"#, "top_p is -0.1"),
        (r#"{"do_sample": true, "top_p": NaN}"#, "top_p is NaN"),
        (r#"{"do_sample": true, "min_p": -0.1}"#, "min_p is -0.1"),
        (r#"{"do_sample": true, "min_p": 1.5}"#, "min_p is 1.5"),
        (r#"{"do_sample": true, "top_h": 0}"#, "top_h is 0"),
        (r#"{"do_sample": true, "typical_p": 0}"#, "typical_p is 0"),
        (
            r#"{"do_sample": true, "typical_p": NaN}"#,
            "typical_p is NaN",
        ),
        (
            r#"{"do_sample": true, "epsilon_cutoff": NaN}"#,
            "epsilon_cutoff is NaN",
        ),
        (
            r#"{"do_sample": true, "eta_cutoff": NaN}"#,
            "eta_cutoff is NaN",
        ),
        (
            r#"{"num_beams": 2, "length_penalty": Infinity}"#,
            "length_penalty is inf",
        ),
        (
            r#"{"num_beams": 2, "length_penalty": NaN}"#,
            "length_penalty is NaN",
        ),
        (r#"{"penalty_alpha": NaN}"#, "penalty_alpha is NaN"),
        (r#"{"penalty_alpha": Infinity}"#, "penalty_alpha is inf"),
        (
            r#"{"repetition_penalty": NaN}"#,
            "repetition_penalty is NaN",
        ),
        (r#"{"max_length": -1}"#, "max_length is -1"),
        (r#"{"max_length": Infinity}"#, "max_length is Infinity"),
        (r#"{"max_length": 64.5}"#, "max_length is 64.5"),
        (r#"{"max_new_tokens": 0}"#, "leaves none"),
        (r#"{"max_new_tokens": -3}"#, "max_new_tokens is -3"),
        (r#"{"num_beams": -1}"#, "num_beams is -1"),
        (r#"{"num_beams": "4"}"#, "num_beams is \"4\""),
        (
            r#"{"num_beams": 99999999999999999999999}"#,
            "num_beams is 1844674407",
        ),
        (
            r#"{"early_stopping": "sometimes"}"#,
            "early_stopping is \"sometimes\"",
        ),
        (r#"{"early_stopping": 2}"#, "early_stopping is 2"),
        (
            r#"{"early_stopping": NaN, "num_beams": 2}"#,
            "early_stopping is NaN",
        ),
        (r#"{"stop_strings": [1]}"#, "stop_strings is [1]"),
        (r#"{"force_words_ids": [1]}"#, "force_words_ids is [1]"),
        (
            r#"{"force_words_ids": [[1, [2]]]}"#,
            "force_words_ids is [[1, [2]]]",
        ),
        (
            r#"{"sequence_bias": [[1.5, [3]]]}"#,
            "sequence_bias is [[1.5, [3]]]",
        ),
        (r#"{"sequence_bias": [[[3], NaN]]}"#, "sequence_bias is NaN"),
        (
            r#"{"exponential_decay_length_penalty": [3]}"#,
            "exponential_decay_length_penalty is [3]",
        ),
        (r#"{"bad_words_ids": [[-1]]}"#, "bad_words_ids is [[-1]]"),
        (r#"{"eos_token_id": "</s>"}"#, "eos_token_id is \"</s>\""),
    ] {
        let error = read(json).validate(1).expect_err(json);
        let error = message(&error);
        assert!(
            error.contains("folder/generation_config.json"),
            "{json}: {error}"
        );
        assert!(error.contains(text), "{json}: {error}");
    }
}

#[test]
fn values_are_read_as_python_uses_them() {
    let config = read(
        r#"{"num_beams": 2.0, "max_length": 64.0, "min_length": -1, "no_repeat_ngram_size": -3,
            "num_beam_groups": -1, "do_sample": 0, "renormalize_logits": 1, "early_stopping": 1,
            "temperature": 1, "exponential_decay_length_penalty": [-3.0, 1], "top_k": true,
            "decoder_start_token_id": [2], "bos_token_id": [0], "eos_token_id": [2, 2.0, -1, 5],
            "suppress_tokens": [-1], "begin_suppress_tokens": [], "forced_eos_token_id": [2],
            "min_new_tokens": null, "sequence_bias": [[[3.0], -Infinity]], "stop_strings": "."}"#,
    );
    let expected = GenerationConfig {
        num_beams: 2,
        max_length: Some(64),
        exponential_decay_length_penalty: Some((-3, 1.0)),
        top_k: 1,
        decoder_start_token_id: Some(2),
        bos_token_id: Some(0),
        eos_token_id: vec![2, 5],
        forced_eos_token_id: vec![2],
        sequence_bias: vec![(vec![3], f64::NEG_INFINITY)],
        stop_strings: vec![".".into()],
        ..GenerationConfig::default()
    };
    assert_eq!(config, expected);
    config.validate(1).unwrap();
    let mut names = ignored(&config);
    names.sort_unstable();
    let expected = [
        "early_stopping",
        "eos_token_id",
        "min_length",
        "no_repeat_ngram_size",
        "num_beam_groups",
        "renormalize_logits",
        "suppress_tokens",
        "top_k",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_start_token_is_one_token() {
    assert_eq!(
        read(r#"{"decoder_start_token_id": [2]}"#)
            .start_token()
            .unwrap(),
        2
    );
    assert_eq!(
        read(r#"{"decoder_start_token_id": null, "bos_token_id": 7}"#)
            .start_token()
            .unwrap(),
        7
    );
    assert_eq!(
        read(r#"{"decoder_start_token_id": 2, "bos_token_id": "x"}"#)
            .start_token()
            .unwrap(),
        2
    );
    for json in [
        r#"{"decoder_start_token_id": [2, 3]}"#,
        r#"{"decoder_start_token_id": -1}"#,
        r#"{"decoder_start_token_id": [], "bos_token_id": 1}"#,
    ] {
        let error = message(&read(json).start_token().unwrap_err());
        assert!(
            error.contains("generation_config.json") && error.contains("decoder_start_token_id is"),
            "{error}"
        );
    }
}

#[test]
fn unknown_and_harmless_keys_are_no_error() {
    let config = read(
        r#"{"watermarking_config": null, "cache_config": {"a": [1]}, "compile_config": {"x": {}}, "assistant": 3,
            "forced_decoder_ids": [[1, 2]], "encoder_repetition_penalty": 1.5, "encoder_no_repeat_ngram_size": 3,
            "guidance_scale": 1.0, "remove_invalid_values": true, "token_healing": false, "constraints": [ ],
            "my key": {"deep": [[[[]]]]}, "num_beams": 4, "num_beams": null, "x": NaN}"#,
    );
    assert_eq!(config, GenerationConfig::default());
    config.validate(1).unwrap();
    let expected = [
        "assistant",
        "encoder_no_repeat_ngram_size",
        "encoder_repetition_penalty",
        "forced_decoder_ids",
        "my key",
        "x",
    ];
    assert_eq!(ignored(&config), expected);
}

#[test]
fn values_that_could_not_be_read_are_kept_until_they_are_replaced() {
    let config =
        read(r#"{"top_k": -1, "top_p": NaN, "length_penalty": Infinity, "num_beams": 2.0}"#);
    let written = config.to_json();
    for line in [
        "\"top_k\": -1",
        "\"top_p\": NaN",
        "\"length_penalty\": Infinity",
        "\"num_beams\": 2",
    ] {
        assert!(written.contains(line), "{written}");
    }
    let again = GenerationConfig::from_json(&written).unwrap();
    assert_eq!(again.to_json(), written);

    let sampling = config
        .with_settings(&["do_sample=true", "top_p=0.5", "length_penalty=1"])
        .unwrap();
    assert!(
        sampling
            .validate(1)
            .unwrap_err()
            .to_string()
            .contains("generation_config.json")
    );
    let sampling = sampling.with_settings(&["top_k=50"]).unwrap();
    sampling.validate(1).unwrap();
    let replaced = GenerationConfig {
        top_k: 7,
        do_sample: true,
        top_p: 1.0,
        length_penalty: 1.0,
        ..config
    };
    replaced.validate(1).unwrap();
}

#[test]
fn what_the_caller_says_comes_before_the_file_and_the_file_before_the_defaults() {
    let defaults = GenerationConfig {
        num_beams: 4,
        max_length: Some(64),
        ..GenerationConfig::default()
    };
    let file = read(r#"{"num_beams": 1, "length_penalty": -3.0, "max_new_tokens": 5}"#);
    let used = file
        .with_settings(&["length_penalty=2"])
        .unwrap()
        .with_defaults(&defaults);
    assert_eq!((used.num_beams, used.length_penalty), (1, 2.0));
    assert_eq!((used.max_new_tokens, used.max_length), (Some(5), None));
    let name = Some("folder/generation_config.json".to_owned());
    assert_eq!(used.source_of("num_beams"), OptionSource::File(name));
    assert_eq!(used.source_of("length_penalty"), OptionSource::Caller);
    assert_eq!(used.source_of("top_p"), OptionSource::Default);

    // A value counts even if it is what an option has by default.
    let said = read("{}").with_settings(&["num_beams=1"]).unwrap();
    assert_eq!(said.with_defaults(&defaults).num_beams, 1);
    let nothing = read("{}").with_defaults(&defaults);
    assert_eq!((nothing.num_beams, nothing.max_length), (4, Some(64)));
}

#[test]
fn of_equal_keys_the_last_counts() {
    assert_eq!(read(r#"{"num_beams": 2, "num_beams": 3}"#).num_beams, 3);
    assert_eq!(read(r#"{"num_beams": "x", "num_beams": 3}"#).num_beams, 3);
    let config = read(r#"{"num_beams": 3, "num_beams": "x"}"#);
    assert!(config.validate(1).is_err());
}

#[test]
fn the_prompts_own_first_token_replaces_one_that_can_not_be_read() {
    let config = read(r#"{"forced_bos_token_id": [1, 2]}"#);
    let call = crate::Generation::new(config);
    let own = Prompt::new(vec![0]).with_forced_bos_token_id(1);
    call.validate(&[own], 5).unwrap();
    let error = call.validate(&[Prompt::new(vec![0])], 5).unwrap_err();
    assert!(message(&error).contains("forced_bos_token_id is [1, 2]"));
}

#[test]
fn unknown_tokens_that_have_no_effect_are_named() {
    let config = read(
        r#"{"eos_token_id": [2, 99], "suppress_tokens": [100], "begin_suppress_tokens": [4]}"#,
    );
    let call = crate::Generation::new(config.clone());
    call.validate(&[Prompt::new(vec![0])], 5).unwrap();
    let names: Vec<String> = config
        .unknown_tokens(5)
        .into_iter()
        .map(|one| one.option)
        .collect();
    assert_eq!(names, ["eos_token_id", "suppress_tokens"]);
}
