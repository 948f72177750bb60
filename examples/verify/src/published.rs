//! The search of the published model's original code, compared with what that code returned.

use generation::GenerationConfig;
use pretrained::PretrainedModel;
use pretrained::as_published::{self, PublishedText};
use vision_encoder_decoder::{GenerateError, Memory};

use crate::cases::{Case, difference, equal_sequences, results};
use crate::report::Comparison;
use crate::tolerance::Tolerance;

/// Compares a case.
///
/// The original beam search returns scores of about -10⁷ divided by the length. `f32` values of that size
/// are further apart than the tolerance, so scores have to be equal. They can be, because small
/// differences of log-probabilities are lost when 10⁷ is subtracted from their sum.
pub(crate) fn compare(
    model: &PretrainedModel,
    memory: Memory,
    config: &GenerationConfig,
    tolerance: Tolerance,
    name: &str,
    case: &Case,
) -> Result<Vec<Comparison>, GenerateError> {
    if let Err(error) = as_published::validate(config) {
        let reason = format!("unsupported: {}", ::report::message(&error));
        return Ok(vec![Comparison::not_run(
            name,
            case.sequences.len(),
            reason,
        )]);
    }
    let found = as_published::generate(model, memory, config)?;
    let found = match results(found, name, case.sequences.len()) {
        Ok(found) => found,
        Err(failed) => return Ok(vec![failed]),
    };
    let sequences: Vec<Vec<u32>> = found.iter().map(|text| text.tokens.clone()).collect();
    let (equal, cases) = equal_sequences(&sequences, &case.sequences);
    let mut texts = Comparison::of_cases(name, equal, cases);
    if equal < cases {
        return Ok(vec![texts]); // the scores belong to different texts
    }
    if let Some(expected) = &case.sequence_scores {
        texts = texts.with_difference(largest_difference(&found, expected), tolerance.scores);
    }
    let mut comparisons = vec![texts];
    if let Some(log_probs) = &case.token_log_probs {
        let what = format!("log-probabilities of {name}");
        let reason = "the original code returns none";
        comparisons.push(Comparison::not_run(what, log_probs.len(), reason));
    }
    Ok(comparisons)
}

/// The largest difference of scores; infinite if there are not equally many.
fn largest_difference(found: &[PublishedText], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let scores = found.iter().zip(expected);
    scores
        .map(|(text, expected)| difference(text.score, *expected))
        .fold(0.0, f64::max)
}
