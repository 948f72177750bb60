use std::path::Path;

use ::report::message;
use generation::{ConfigError, GenerationConfig, Prompt, processors};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::input::{InputError, content, read_json};
use crate::report::{Comparison, Report, largest_difference};

/// The reference has six decimals, and its scores are of the order of 1 to 10, which `f32` stores to
/// about six decimals too.
const TOLERANCE: f64 = 1e-5;

/// How many tokens of each history are the prompt. Some processors only count the tokens after it.
const PROMPT_LENGTH: usize = 2;

/// What Hugging Face's processors computed from some scores. Null stands for minus infinity.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Reference {
    eos_token_id: Value,
    /// Histories: all tokens of each row.
    input_ids: Vec<Vec<u32>>,
    before: Vec<Scores>,
    cases: Vec<Case>,
}

type Scores = Vec<Option<f32>>;

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Case {
    /// The option that turns the processor on.
    processor: String,
    value: Value,
    after: Vec<Scores>,
    /// The histories of this case, if it does not use those of the file.
    #[serde(default)]
    input_ids: Option<Vec<Vec<u32>>>,
}

/// Compares every processor with that of a public implementation.
pub(crate) fn verify(file: &Path, report: &mut Report<'_>) -> Result<(), InputError> {
    let reference: Reference = read_json(file)?;
    for case in &reference.cases {
        report.add(compare(case, &reference, file)?)?;
    }
    if reference.cases.is_empty() {
        report.add(Comparison::of_cases("processors", 0, 0))?;
    }
    Ok(())
}

fn compare(case: &Case, reference: &Reference, file: &Path) -> Result<Comparison, InputError> {
    let name = format!("{} {}", case.processor, case.value);
    let content = |reason: String| content(file, format!("{name}: {reason}"));
    let invalid = |error: ConfigError| content(message(&error));
    let histories = case.input_ids.as_ref().unwrap_or(&reference.input_ids);
    let rows = reference.before.len();
    if histories.len() != rows || case.after.len() != rows {
        return Err(content(format!(
            "{} histories and {} rows of results, expected {rows} of each, like rows of scores",
            histories.len(),
            case.after.len()
        )));
    }
    let options = Map::from_iter([
        (case.processor.clone(), case.value.clone()),
        ("eos_token_id".into(), reference.eos_token_id.clone()),
    ]);
    let unsupported = GenerationConfig::unsupported_options(&options);
    if !unsupported.is_empty() {
        let reason = format!("unsupported: {}", unsupported.join(", "));
        return Ok(Comparison::not_run(name, rows, reason));
    }
    // Some processors run only with sampling, which by itself would add one for top_k.
    let base = GenerationConfig {
        do_sample: true,
        top_k: 0,
        ..GenerationConfig::default()
    };
    let config = base.updated(&options).map_err(invalid)?;
    let mut difference: f64 = 0.0;
    let mut equal = 0;
    for ((history, before), after) in histories.iter().zip(&reference.before).zip(&case.after) {
        let prompt = Prompt::new(history[..history.len().min(PROMPT_LENGTH)].to_vec());
        config.validate(prompt.tokens.len()).map_err(invalid)?;
        let mut scores = with_infinities(before);
        for processor in processors(&config, &prompt) {
            processor.process(history, &mut scores);
        }
        let apart = largest_difference(&scores, &with_infinities(after));
        difference = difference.max(apart);
        equal += usize::from(apart <= TOLERANCE);
    }
    Ok(Comparison::of_cases(name, equal, rows).with_difference(difference, TOLERANCE))
}

fn with_infinities(scores: &Scores) -> Vec<f32> {
    let value = |score: &Option<f32>| score.unwrap_or(f32::NEG_INFINITY);
    scores.iter().map(value).collect()
}
