use std::path::Path;

use generation::{GenerationConfig, Hypothesis, Prompt};
use serde::Deserialize;
use serde_json::{Map, Value};
use vision_encoder_decoder::{GenerateError, Memory, Pretrained};

use crate::input::{InputError, content, read_json};
use crate::report::{Comparison, Report, largest_difference};

/// Absolute tolerance on sequence scores. A score is a sum of log-probabilities divided by
/// length^length_penalty: where that multiplies the sum, as a negative penalty does, it multiplies
/// the tolerance as well, since it multiplies the rounding errors of both sides (see
/// [`Run::contradicted`] for what that would let through).
const SCORES: f64 = 1e-4;

/// Absolute tolerance on log-probabilities: that of the logits.
const LOG_PROBS: f64 = 2e-4;

/// A reference file: what Hugging Face's `generate` returned.
#[derive(Deserialize)]
struct Reference {
    decoder_start_token_id: u32,
    pad_token_id: u32,
    eos_token_id: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    options: Map<String, Value>,
    /// Padded to the longest.
    sequences: Vec<Vec<u32>>,
    sequence_scores: Option<Vec<f32>>,
    token_log_probs: Option<Vec<Vec<f32>>>,
}

/// Runs every case whose options are known and reports the others by name.
pub(crate) fn compare_cases(
    pretrained: &Pretrained,
    memory: Memory,
    path: &Path,
    report: &mut Report,
) -> Result<(), InputError> {
    let reference: Reference = read_json(path)?;
    let tokens = Map::from_iter([
        (
            "decoder_start_token_id".into(),
            reference.decoder_start_token_id.into(),
        ),
        ("pad_token_id".into(), reference.pad_token_id.into()),
        ("eos_token_id".into(), reference.eos_token_id.clone()),
    ]);
    let invalid = |error: generation::ConfigError| content(path, error);
    let base = pretrained
        .generation_config
        .updated(&tokens)
        .map_err(invalid)?;
    for case in &reference.cases {
        let name = format!("generate {}", Value::Object(case.options.clone()));
        let unsupported = GenerationConfig::unsupported_options(&case.options);
        if !unsupported.is_empty() {
            let reason = format!("unsupported: {}", unsupported.join(", "));
            report.add(Comparison::not_run(name, case.sequences.len(), reason))?;
            continue;
        }
        let config = base.updated(&case.options).map_err(invalid)?;
        let run = Run {
            pretrained,
            memory: memory.clone(),
            config,
            reference: &reference,
        };
        let comparisons = run
            .compare(&name, case)
            .map_err(|error| content(path, format!("{name}: {error}")))?;
        for comparison in comparisons {
            report.add(comparison)?;
        }
    }
    Ok(())
}

/// One case under way.
struct Run<'a> {
    pretrained: &'a Pretrained,
    memory: Memory,
    config: GenerationConfig,
    reference: &'a Reference,
}

impl Run<'_> {
    /// The texts with their scores, and the log-probabilities of their tokens.
    fn compare(self, name: &str, case: &Case) -> Result<Vec<Comparison>, GenerateError> {
        let [images, _, _] = self.memory.hidden.dims();
        let row_images: Vec<usize> = (0..images).collect();
        let prompts = vec![Prompt::new(vec![self.reference.decoder_start_token_id]); images];
        let model = &self.pretrained.model;
        let found: Vec<Hypothesis> = model
            .generate_from(self.memory.clone(), &row_images, &prompts, &self.config)?
            .into_iter()
            .flatten()
            .collect();

        let longest = found.iter().map(|h| h.tokens.len()).max().unwrap_or(0);
        let sequences: Vec<Vec<u32>> = found
            .iter()
            .map(|h| padded(&h.tokens, longest, self.reference.pad_token_id))
            .collect();
        let same = sequences
            .iter()
            .zip(&case.sequences)
            .filter(|(a, b)| a == b);
        let equal = same.count();
        let cases = case.sequences.len().max(sequences.len());
        let mut texts = Comparison::of_cases(name, equal, cases);
        if equal < cases {
            return Ok(vec![texts]); // the numbers are those of other texts
        }
        if let Some(expected) = &case.sequence_scores {
            let contradicted = case.token_log_probs.as_ref().map_or(0, |log_probs| {
                self.contradicted(&found, expected, log_probs)
            });
            if contradicted > 0 {
                texts = Comparison::of_cases(name, cases - contradicted, cases)
                    .with_reason("the reference's scores contradict its own log-probabilities");
            }
            let same_length = expected.len() == found.len();
            let apart = found.iter().zip(expected).map(|(hypothesis, expected)| {
                let apart = largest_difference(&[hypothesis.score], &[*expected]);
                apart / self.multiplier(hypothesis)
            });
            let start = if same_length { 0.0 } else { f64::INFINITY };
            texts = texts.with_difference(apart.fold(start, f64::max), SCORES);
        }
        let mut comparisons = vec![texts];
        if let Some(expected) = &case.token_log_probs {
            let log_probs = self.log_probs(&found, &row_images, &prompts, &sequences)?;
            let what = format!("log-probabilities of {name}");
            let (found, expected) = (log_probs.concat(), expected.concat());
            comparisons.push(Comparison::of_numbers(what, &found, &expected, LOG_PROBS));
        }
        Ok(comparisons)
    }

    /// Counts scores of the reference that its own log-probabilities contradict, where a length
    /// penalty multiplies the tolerance. A changed score can hide in that tolerance, but not here:
    /// both come from one computation, so they are apart by the rounding of its sum in 32 bits.
    fn contradicted(&self, found: &[Hypothesis], scores: &[f32], log_probs: &[Vec<f32>]) -> usize {
        found
            .iter()
            .zip(scores)
            .zip(log_probs)
            .filter(|((hypothesis, score), log_probs)| {
                let generated = hypothesis.token_log_probs.len() as f64;
                let sum: f64 = log_probs.iter().map(|log_prob| f64::from(*log_prob)).sum();
                let own = sum * generated.powf(-self.config.length_penalty);
                let rounding = f64::from(f32::EPSILON) * generated * own.abs();
                let apart = (f64::from(**score) - own).abs();
                self.multiplier(hypothesis) > 1.0 && apart > SCORES.max(rounding)
            })
            .count()
    }

    /// What the length penalty multiplies a sum of log-probabilities by, if that is more than 1.
    fn multiplier(&self, hypothesis: &Hypothesis) -> f64 {
        let generated = hypothesis.token_log_probs.len() as f64;
        generated.powf(-self.config.length_penalty).max(1.0)
    }

    /// Log-probabilities of all generated tokens and of the padding behind them, as the reference
    /// has them: beam search has 0 there, greedy search what the model says of the padding, or 0
    /// where a processor makes it impossible.
    fn log_probs(
        &self,
        found: &[Hypothesis],
        row_images: &[usize],
        prompts: &[Prompt],
        sequences: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, GenerateError> {
        if self.config.num_beams > 1 {
            return Ok(found
                .iter()
                .zip(sequences)
                .map(|(h, sequence)| padded(&h.token_log_probs, sequence.len() - 1, 0.0))
                .collect());
        }
        let texts: Vec<Vec<u32>> = sequences.iter().map(|s| s[1..].to_vec()).collect();
        let model = &self.pretrained.model;
        let mut scored = model.score(
            self.memory.clone(),
            row_images,
            prompts,
            &texts,
            &self.config,
        )?;
        for (scored, found) in scored.iter_mut().zip(found) {
            // What the search itself said, where it said something.
            let generated = found.token_log_probs.len();
            scored.token_log_probs[..generated].copy_from_slice(&found.token_log_probs);
            for padding in &mut scored.token_log_probs[generated..] {
                *padding = if padding.is_finite() { *padding } else { 0.0 };
            }
        }
        Ok(scored.into_iter().map(|s| s.token_log_probs).collect())
    }
}

fn padded<T: Copy>(values: &[T], length: usize, padding: T) -> Vec<T> {
    let mut values = values.to_vec();
    values.resize(length, padding);
    values
}
