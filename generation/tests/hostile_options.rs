//! Lists and numbers from outside: each ends within a second, in memory in proportion, or is refused by name before any
//! work.

mod common;

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use generation::{
    ConfigError, Generation, GenerationConfig, Matching, Phrase, Prompt, StepModel, TokenBatch,
    Vocabulary, limits,
};

/// Scores many tokens, each a little differently after each other token. Never ends by itself.
struct Wide(usize);

impl StepModel for Wide {
    type State = ();
    type Error = Infallible;

    fn vocab_size(&self) -> usize {
        self.0
    }

    fn step(&self, tokens: TokenBatch<'_>, (): &mut ()) -> Result<Vec<f32>, Infallible> {
        let mut logits = Vec::with_capacity(tokens.rows() * self.0);
        for row in 0..tokens.rows() {
            let seed = tokens.last(row).wrapping_mul(0x9e37_79b9);
            let score = |token: u32| (token.wrapping_mul(0x85eb_ca6b) ^ seed) >> 20;
            logits.extend((0..self.0 as u32).map(|token| score(token) as f32 / 512.0));
        }
        Ok(logits)
    }

    fn select_rows(&self, (): &mut (), _: &[usize]) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Each case takes less than a second of an idle machine; a busy one also takes longer for the same work.
const TIME: Duration = Duration::from_secs(3);

/// Measures work in the time that this thread spent on a processor where the system tells it, so that other programs
/// count little, and by the clock elsewhere.
struct Stopwatch(Instant, Option<Duration>);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now(), Self::processor())
    }

    fn elapsed(&self) -> Duration {
        match self.1.zip(Self::processor()) {
            Some((before, now)) => now - before,
            None => self.0.elapsed(),
        }
    }

    fn processor() -> Option<Duration> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
        Some(Duration::from_nanos(nanoseconds))
    }
}

/// Reads options and searches with them, in the time that is allowed.
fn search(json: &str, vocab_size: usize) -> Result<usize, String> {
    let start = Stopwatch::start();
    let found = GenerationConfig::from_json(json)
        .map_err(|error| chain(&error))
        .and_then(|config| {
            let prompts = [Prompt::new(vec![2]), Prompt::new(vec![2])];
            let generation = Generation::new(config.with_file("generation_config.json"));
            let results = generation.run(&Wide(vocab_size), (), &prompts);
            results.map_err(|error| chain(&error))
        });
    let time = start.elapsed();
    assert!(time < TIME, "{time:?}: {}", &json[..json.len().min(200)]);
    found.map(|results| results.iter().flatten().map(Vec::len).sum())
}

/// The texts of an error and its sources.
fn chain(error: &dyn std::error::Error) -> String {
    let source = error.source().map(chain);
    format!("{error}: {}", source.unwrap_or_default())
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    let mut text = String::from("[");
    for index in 0..count {
        let comma = if index > 0 { "," } else { "" };
        write!(text, "{comma}{}", item(index)).unwrap();
    }
    text + "]"
}

#[test]
fn long_lists_of_biases_are_looked_up() {
    let bias = |i: usize| format!("[[{}{},{}],1.0]", "5,".repeat(40), i % 1000, i / 1000);
    let json = format!(
        r#"{{"max_length": 12, "sequence_bias": {}}}"#,
        list(100_000, bias)
    );
    assert_eq!(search(&json, 1000), Ok(2));
    let word = |i: usize| format!("[{},{},3]", i % 1000, i / 1000);
    let json = format!(
        r#"{{"max_length": 12, "num_beams": 4, "bad_words_ids": {}}}"#,
        list(100_000, word)
    );
    assert_eq!(search(&json, 1000), Ok(2));
    // Beginnings of many lengths.
    let bias = |i: usize| format!("[[{}1],1.0]", "1,".repeat(i));
    let json = format!(
        r#"{{"max_length": 200, "sequence_bias": {}}}"#,
        list(1500, bias)
    );
    assert_eq!(search(&json, 100), Ok(2));
}

#[test]
fn tokens_that_are_listed_often_count_once() {
    let twos = list(1_000_000, |_| "2".into());
    for option in [
        "eos_token_id",
        "suppress_tokens",
        "begin_suppress_tokens",
        "forced_eos_token_id",
    ] {
        for more in [
            "\"num_beams\": 4",
            "\"num_beams\": 4, \"do_sample\": true",
            "\"num_beams\": 1",
        ] {
            let json = format!(r#"{{{more}, "max_length": 12, "{option}": {twos}}}"#);
            assert_eq!(search(&json, 300), Ok(2), "{option}");
        }
    }
    let config = GenerationConfig::from_json(&format!(r#"{{"eos_token_id": {twos}}}"#)).unwrap();
    assert_eq!(config.eos_token_id, [2]);
}

#[test]
fn more_end_tokens_than_a_search_can_compare_are_refused() {
    let ends = list(50_000, |i| (i + 3).to_string());
    let json = format!(r#"{{"num_beams": 1024, "max_length": 12, "eos_token_id": {ends}}}"#);
    let error = search(&json, 1000).unwrap_err();
    assert!(
        error.contains(
            "eos_token_id has 50000 different tokens, expected at most 127 with 1024 beams"
        ),
        "{error}"
    );
    // Greedy search asks only whether a token is one of them.
    let json = format!(r#"{{"max_length": 12, "eos_token_id": {ends}}}"#);
    assert_eq!(search(&json, 1000), Ok(2));
    let ends = list(20_000, |i| (i + 3).to_string());
    for more in [
        "",
        "\"do_sample\": true, \"typical_p\": 0.5, \"min_p\": 0.1,",
    ] {
        let json = format!(r#"{{{more} "num_beams": 4, "max_length": 6, "eos_token_id": {ends}}}"#);
        assert_eq!(search(&json, 30_000), Ok(2));
    }
}

#[test]
fn more_required_phrases_than_a_search_can_follow_are_refused() {
    let phrase = |_: usize| list(590, |i| format!("[{},{}]", i + 10, i + 11));
    for beams in [4, 1024] {
        let json = format!(
            r#"{{"num_beams": {beams}, "force_words_ids": {}}}"#,
            list(50, phrase)
        );
        let error = search(&json, 1000).unwrap_err();
        let limit = (limits::REQUIRED_WORK / beams).isqrt();
        let expected =
            format!("force_words_ids has 29500 required alternatives, expected at most {limit}");
        assert!(
            error.contains(&expected) && error.contains("generation_config.json"),
            "{error}"
        );
    }
    // The most that are accepted are followed in time.
    for (beams, most) in [(2, 181), (4, 128), (64, 32), (1024, 8)] {
        let words = list(1, |_| list(most, |i| format!("[{},{}]", i + 10, i + 11)));
        let json =
            format!(r#"{{"num_beams": {beams}, "max_length": 8, "force_words_ids": {words}}}"#);
        search(&json, 300).unwrap();
    }
    // One alternative may be longer than any text.
    let long = list(200_000, |_| "7".into());
    let json =
        format!(r#"{{"num_beams": 4, "max_length": 12, "force_words_ids": [[[5], {long}]]}}"#);
    assert_eq!(search(&json, 300), Ok(2));
}

#[test]
fn numbers_ask_for_no_memory_of_their_size() {
    for (json, expected) in [
        (
            r#"{"num_beams": 1024, "do_sample": true, "max_length": 4}"#,
            Ok(()),
        ),
        (r#"{"num_beams": 1024, "max_length": 4}"#, Ok(())),
        (
            r#"{"do_sample": true, "num_return_sequences": 1024, "max_length": 4}"#,
            Ok(()),
        ),
        (
            r#"{"num_beams": 1024, "num_beam_groups": 1024, "diversity_penalty": 1, "max_length": 3}"#,
            Ok(()),
        ),
        (
            r#"{"num_beams": 1152921504606846976}"#,
            Err("num_beams is 1152921504606847"),
        ),
        (
            r#"{"num_return_sequences": 1152921504606846976}"#,
            Err("num_return_sequences is"),
        ),
        (
            r#"{"do_sample": true, "num_return_sequences": 18446744073709551615}"#,
            Err("num_return_sequences is"),
        ),
        (
            r#"{"no_repeat_ngram_size": 18446744073709551615, "max_length": 5}"#,
            Ok(()),
        ),
        (
            r#"{"min_length": 18446744073709551615, "max_length": 5}"#,
            Ok(()),
        ),
        (
            r#"{"min_new_tokens": 18446744073709551615, "max_length": 5}"#,
            Ok(()),
        ),
        (
            r#"{"max_new_tokens": 18446744073709551615, "max_time": 0.05}"#,
            Ok(()),
        ),
        (
            r#"{"max_length": 1152921504606846976, "num_beams": 3, "early_stopping": "never", "max_time": 0.05}"#,
            Ok(()),
        ),
        (
            r#"{"max_length": 1e18, "do_sample": true, "forced_eos_token_id": 2, "max_time": 0.05}"#,
            Ok(()),
        ),
        (
            r#"{"max_length": 5, "exponential_decay_length_penalty": [-9223372036854775808, 1e30], "eos_token_id": 2}"#,
            Ok(()),
        ),
        (
            r#"{"max_length": 5, "exponential_decay_length_penalty": [99999999999999999999, -2], "eos_token_id": 2}"#,
            Ok(()),
        ),
        (
            r#"{"do_sample": true, "top_k": 18446744073709551615, "max_length": 5}"#,
            Ok(()),
        ),
        (
            r#"{"penalty_alpha": 0.5, "top_k": 18446744073709551615}"#,
            Err("top_k is"),
        ),
        (r#"{"num_beams": 4, "patience": 1e300}"#, Err("patience is")),
        (r#"{"max_time": 0, "max_length": 50}"#, Ok(())),
        (r#"{"max_time": -1e300, "max_length": 50}"#, Ok(())),
        (r#"{"max_time": Infinity, "max_length": 5}"#, Ok(())),
    ] {
        match (search(json, 300), expected) {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.contains(part), "{json}: {error}"),
            (found, _) => panic!("{json}: {found:?}"),
        }
    }
}

#[test]
fn a_time_limit_of_nothing_leaves_one_token() {
    let config = GenerationConfig {
        max_time: Some(0.0),
        max_length: Some(50),
        ..GenerationConfig::default()
    };
    let results = generation::generate(&Wide(30), (), &[Prompt::new(vec![2])], &config).unwrap();
    assert_eq!(results[0].as_ref().unwrap()[0].tokens.len(), 2);
}

#[test]
fn rows_of_a_large_vocabulary_are_counted_before_memory_is_asked_for() {
    struct Huge;
    impl StepModel for Huge {
        type State = ();
        type Error = Infallible;

        fn vocab_size(&self) -> usize {
            1 << 24
        }

        fn step(&self, _: TokenBatch<'_>, (): &mut ()) -> Result<Vec<f32>, Infallible> {
            panic!("asked for scores");
        }

        fn select_rows(&self, (): &mut (), _: &[usize]) -> Result<(), Infallible> {
            Ok(())
        }
    }
    for (config, option) in [
        (
            GenerationConfig {
                num_beams: 17,
                ..Default::default()
            },
            "num_beams",
        ),
        (
            GenerationConfig {
                do_sample: true,
                num_return_sequences: 1024,
                ..Default::default()
            },
            "num_return_sequences",
        ),
        (
            GenerationConfig {
                penalty_alpha: Some(0.5),
                ..Default::default()
            },
            "top_k",
        ),
    ] {
        let error = Generation::new(config)
            .run(&Huge, (), &[Prompt::new(vec![2])])
            .unwrap_err();
        assert!(error.to_string().starts_with(option), "{error}");
    }
}

#[test]
fn stop_strings_and_phrases_have_a_documented_number() {
    let many = list(limits::STOP_STRINGS + 1, |i| format!("\"{i}\""));
    let error = search(&format!(r#"{{"stop_strings": {many}}}"#), 30).unwrap_err();
    assert!(
        error.contains("stop_strings has 1025 strings, expected at most 1024"),
        "{error}"
    );

    let vocabulary = Arc::new(Vocabulary::new(
        (0..30_000).map(|i| Some(format!(" word{i}"))),
    ));
    let phrases = |count: u32| Prompt {
        forbidden: (0..count)
            .map(|i| Phrase::new(vec![i]).with_matching(Matching::WholeWords))
            .collect(),
        ..Prompt::new(vec![2])
    };
    let call = |count| {
        let config = GenerationConfig {
            max_length: Some(6),
            ..Default::default()
        };
        let generation = Generation::new(config).with_vocabulary(vocabulary.clone());
        generation.run(&Wide(30_000), (), &[phrases(count)])
    };
    let error = call(limits::PHRASES as u32 + 1).unwrap_err();
    let generation::GenerateError::Config(error) = error else {
        panic!("{error}");
    };
    assert!(
        matches!(
            error,
            ConfigError::TooMany {
                limit: limits::PHRASES,
                ..
            }
        ),
        "{error}"
    );
    call(200).unwrap();
}

/// Memory in proportion to a file: a list of a million tokens has 2 MB, and an object of objects 5 MB.
#[test]
fn reading_takes_memory_in_proportion_to_the_file() {
    let files = [
        format!(r#"{{"eos_token_id": {}}}"#, list(1_000_000, |_| "2".into())),
        format!(r#"{{"x": {}}}"#, list(1_000_000, |_| r#"{"":0}"#.into())),
        format!(
            r#"{{"sequence_bias": {}}}"#,
            list(100_000, |i| format!("[[{i}],1.0]"))
        ),
        format!(
            r#"{{"bad_words_ids": {}}}"#,
            list(100_000, |i| format!("[{i},1,2,3,4,5]"))
        ),
        format!(
            r#"{{"force_words_ids": {}}}"#,
            list(50_000, |i| format!("[{i},1,2,3]"))
        ),
        format!(
            r#"{{"stop_strings": {}}}"#,
            list(100_000, |i| format!("\"{i}\""))
        ),
        format!(
            r#"{{"top_k": {}, "top_p": NaN}}"#,
            list(1_000_000, |_| "2".into())
        ),
        format!(
            "{{{}}}",
            list(100_000, |i| format!(r#""{i}":{{}}"#)).trim_matches(['[', ']'])
        ),
        format!(r#"{{"x": {}"#, "[".repeat(2_000_000)),
    ];
    for json in files {
        let start = Stopwatch::start();
        let mut result = None;
        let used =
            allocation_counter::measure(|| result = Some(GenerationConfig::from_json(&json)));
        let time = start.elapsed();
        let shown = &json[..40];
        assert!(
            used.bytes_max < 30 * json.len() as u64,
            "{} for {} of {shown}",
            used.bytes_max,
            json.len()
        );
        assert!(time < TIME, "{time:?} for {shown}");
        if let Some(Ok(config)) = result {
            config.ignored();
        }
    }
}
