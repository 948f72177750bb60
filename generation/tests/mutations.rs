//! Options from outside, changed in every way that JSON allows, are read, checked and searched with without a panic, in
//! bounded work. `MUTATIONS=1000000 cargo test --release --test mutations -- --nocapture` makes more changes and prints
//! how many came how far.

mod common;

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{VOCABULARY, hidden, logits_after};
use generation::{
    Event, Generation, GenerationConfig, OPTIONS, Prompt, StepModel, TokenBatch, Vocabulary,
};
use serde_json::{Map, Value, json};

/// Changes, unless the environment says otherwise.
const CHANGES: usize = 3000;

/// Steps after which a search is ended: options may ask for texts of any length.
const STEPS: usize = 12;

/// The most time that one configuration may take, on a busy machine too.
const TIME: Duration = Duration::from_secs(30);

/// Files as they are found, of every strategy.
const CORPUS: [&str; 10] = [
    include_str!("data/options/beams.json"),
    include_str!("data/options/contrastive.json"),
    include_str!("data/options/diverse.json"),
    include_str!("data/options/own-options.json"),
    include_str!("data/options/python.json"),
    include_str!("data/options/required.json"),
    include_str!("data/options/sampling.json"),
    include_str!("data/options/start-list.json"),
    include_str!("data/options/temperature-0.json"),
    include_str!("data/options/top-k-below-0.json"),
];

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Texts of values that break readers and searches. Some are Python's alone, and some are no JSON.
const EXTREME: [&str; 44] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "1",
    "-1",
    "2",
    "3.0",
    "0.5",
    "-0.5",
    "1.0000001",
    "64.0",
    "1024",
    "1025",
    "4294967295",
    "4294967296",
    "-9223372036854775808",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "1e18",
    "1e308",
    "1e999",
    "-1e999",
    "5e-324",
    "1e-50",
    "1e39",
    "NaN",
    "Infinity",
    "-Infinity",
    "\"\"",
    "\"never\"",
    "\"NaN\"",
    "\"\\u007f\"",
    "\"\\ud800\"",
    "[]",
    "[[]]",
    "[[[]]]",
    "{}",
    "{\"a\": NaN}",
    "[1, 2]",
    "[null]",
];

/// A configuration as text, changed one to five times: values that are extreme or another option's, lists that grow,
/// shrink or nest, keys that go, come or come twice.
fn changed(random: &mut Random) -> String {
    let mut options = object(random.of::<&str>(&CORPUS));
    for _ in 0..=random.below(5) {
        let place = random.below(options.len());
        match random.below(9) {
            0 | 1 => {
                let name = *random.of(OPTIONS);
                options.push((name.into(), value(random)));
            }
            2 if !options.is_empty() => drop(options.remove(place)),
            3 if !options.is_empty() => {
                let (_, other) = options[random.below(options.len())].clone();
                options[place].1 = other;
            }
            4 if !options.is_empty() => options[place].1 = format!("[{}]", options[place].1),
            5 if !options.is_empty() => {
                let count = 1 + random.below(300);
                let items = vec![options[place].1.clone(); count];
                if items[0].len() * count < 20_000 {
                    options[place].1 = format!("[{}]", items.join(", "));
                }
            }
            6 => options.extend(object(random.of::<&str>(&CORPUS))),
            7 if !options.is_empty() => {
                let (name, _) = options[place].clone();
                options.push((name, value(random)));
            }
            _ if !options.is_empty() => options[place].1 = value(random),
            _ => {}
        }
    }
    let lines: Vec<String> = options
        .iter()
        .map(|(name, value)| format!("{name:?}: {value}"))
        .collect();
    format!("{{{}}}", lines.join(", "))
}

/// The keys of one of the files and the texts of their values.
fn object(json: &str) -> Vec<(String, String)> {
    let standard = whole_files::python_json::standard(json);
    let options: Map<String, Value> = serde_json::from_str(&standard).unwrap();
    let text = |value: Value| whole_files::python_json::original(&value.to_string()).into_owned();
    options
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

fn value(random: &mut Random) -> String {
    let extreme = *random.of(&EXTREME);
    match random.below(6) {
        0 => format!("[{extreme}, {}]", random.below(20)),
        1 => format!(
            "[[{}, {extreme}], [{}]]",
            random.below(12),
            random.below(12)
        ),
        2 => format!("[[[{}], {extreme}]]", random.below(12)),
        3 => random.below(15).to_string(),
        _ => extreme.into(),
    }
}

/// Logits and hidden states that depend on the history of a row.
struct Model;

impl StepModel for Model {
    type State = Vec<Vec<u32>>;
    type Error = Infallible;

    fn vocab_size(&self) -> usize {
        VOCABULARY
    }

    fn step(
        &self,
        tokens: TokenBatch<'_>,
        state: &mut Self::State,
    ) -> Result<Vec<f32>, Infallible> {
        let new = tokens.ids().chunks(tokens.new_tokens());
        state
            .iter_mut()
            .zip(new)
            .for_each(|(history, new)| history.extend(new));
        Ok(state.iter().flat_map(|row| logits_after(row)).collect())
    }

    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Infallible> {
        *state = parents.iter().map(|row| state[*row].clone()).collect();
        Ok(())
    }

    fn hidden_states(&self, state: &Self::State) -> Result<Option<Vec<f32>>, Infallible> {
        Ok(Some(state.iter().flat_map(|row| hidden(row)).collect()))
    }
}

/// How far changed options came.
#[derive(Debug, Default)]
struct Counts {
    not_read: usize,
    refused: usize,
    searched: usize,
    longest: Duration,
}

/// Reads options and does with them all that a program does.
fn try_options(json: &str, counts: &mut Counts) {
    let start = Instant::now();
    let Ok(config) = GenerationConfig::from_json(json) else {
        counts.not_read += 1;
        return;
    };
    for one in config
        .ignored()
        .iter()
        .chain(&config.unknown_tokens(VOCABULARY))
    {
        assert!(!one.to_string().is_empty());
    }
    // What is written is read again as the same.
    let written = config.to_json();
    let again =
        GenerationConfig::from_json(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(again.to_json(), written);
    let start_token = config.start_token().unwrap_or(0).min(VOCABULARY as u32 - 1);
    let prompts = [
        Prompt::new(vec![start_token]),
        Prompt::new(vec![start_token, 4]).with_forced_bos_token_id(3),
    ];
    let vocabulary = Vocabulary::new("..abcdefghi".chars().map(|text| Some(text.to_string())));
    let call = || {
        Generation::new(config.clone().with_file("file"))
            .with_vocabulary(Arc::new(vocabulary.clone()))
            .with_alternatives(1)
    };
    let generation = call().with_observer(|event| match event {
        Event::Draft { draft, .. } if draft.hypothesis.tokens.len() > STEPS => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    match generation.run(&Model, vec![Vec::new(); 2], &prompts) {
        Ok(results) => {
            counts.searched += 1;
            for hypothesis in results.iter().flatten().flatten() {
                assert!(!hypothesis.score.is_nan(), "{json}");
            }
            let texts = [vec![3, 4], vec![5]];
            drop(call().score(&Model, vec![Vec::new(); 2], &prompts, &texts));
        }
        Err(_) => counts.refused += 1,
    }
    let time = start.elapsed();
    counts.longest = counts.longest.max(time);
    assert!(time < TIME, "{time:?}");
}

#[test]
fn changed_options_never_panic_and_never_keep_a_search_busy() {
    let changes = std::env::var("MUTATIONS").map_or(CHANGES, |count| count.parse().unwrap());
    let mut counts = Counts::default();
    for json in CORPUS {
        try_options(json, &mut counts);
    }
    assert_eq!(counts.searched, CORPUS.len(), "{counts:?}");
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ changes as u64);
    for number in 0..changes {
        let json = changed(&mut random);
        let result = panic::catch_unwind(AssertUnwindSafe(|| try_options(&json, &mut counts)));
        assert!(result.is_ok(), "change {number}: {json}");
    }
    println!("{changes} changes: {counts:?}");
    assert!(
        counts.searched > changes / 10 && counts.refused > changes / 100,
        "{counts:?}"
    );
}

#[test]
fn changed_bytes_never_panic() {
    let mut random = Random(7);
    for json in CORPUS {
        for _ in 0..300 {
            let mut bytes = json.as_bytes().to_vec();
            for _ in 0..=random.below(3) {
                let place = random.below(bytes.len());
                match random.below(3) {
                    0 => bytes[place] = *random.of(b"\"\\{}[],:0-.eEN \x7f"),
                    1 => drop(bytes.remove(place)),
                    _ => bytes.insert(place, *random.of(b"\"\\{}[],:0-.eEN \x7f")),
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            try_options(&text, &mut Counts::default());
        }
    }
}

#[test]
fn settings_of_a_user_never_panic() {
    let mut random = Random(99);
    for _ in 0..3000 {
        let name = *random.of(OPTIONS);
        let setting = format!("{name}={}", value(&mut random));
        if let Ok(config) = GenerationConfig::default().with_settings(&[setting.as_str()]) {
            drop(config.validate(1));
            assert!(json!(config).is_object());
        }
    }
}
