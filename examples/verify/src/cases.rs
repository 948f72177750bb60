use std::path::Path;

use generation::{GenerationConfig, Hypothesis, Prompt};
use serde::Deserialize;
use serde_json::{Map, Value};
use vision_encoder_decoder::{GenerateError, Memory, Pretrained};

use crate::input::{InputError, content, read_json};
use crate::published;
use crate::report::{Comparison, Report};
use crate::tolerance::Tolerance;

/// A reference file: what a `generate` returned.
#[derive(Deserialize)]
struct Reference {
    decoder_start_token_id: u32,
    pad_token_id: u32,
    eos_token_id: Value,
    forced_eos_token_id: Option<Value>,
    cases: Vec<Case>,
}

/// A call of `generate` and what it returned.
#[derive(Deserialize)]
pub(crate) struct Case {
    options: Map<String, Value>,
    /// Padded to the longest.
    pub(crate) sequences: Vec<Vec<u32>>,
    /// In 64 bits: a change may be smaller than the resolution of a large number in 32.
    pub(crate) sequence_scores: Option<Vec<f64>>,
    pub(crate) token_log_probs: Option<Vec<Vec<f32>>>,
}

/// What the cases are compared with.
pub(crate) struct Compared<'a> {
    pub(crate) pretrained: &'a Pretrained,
    /// Of the reference's images.
    pub(crate) memory: Memory,
    /// Whether the cases are of the published model's original code.
    pub(crate) as_published: bool,
    /// The options that a case does not name.
    pub(crate) defaults: GenerationConfig,
    pub(crate) tolerance: Tolerance,
}

impl Compared<'_> {
    /// The options of a case; one that is null restores Hugging Face's default, while in the original
    /// code it is not set.
    fn options(&self, case: &Case) -> Map<String, Value> {
        let mut options = case.options.clone();
        options.retain(|_, value| !(self.as_published && value.is_null()));
        options
    }

    fn compare(
        &self,
        name: &str,
        case: &Case,
        reference: &Reference,
        config: GenerationConfig,
    ) -> Result<Vec<Comparison>, GenerateError> {
        if self.as_published {
            let model = &self.pretrained.model;
            let (memory, tolerance) = (self.memory.clone(), self.tolerance);
            return published::compare(model, memory, &config, tolerance, name, case);
        }
        let run = Run {
            pretrained: self.pretrained,
            memory: self.memory.clone(),
            config,
            reference,
            tolerance: self.tolerance,
        };
        run.compare(name, case)
    }
}

/// Runs every case whose options are known and reports the others by name.
pub(crate) fn compare_cases(
    compared: &Compared<'_>,
    path: &Path,
    report: &mut Report,
) -> Result<(), InputError> {
    let reference: Reference = read_json(path)?;
    let mut tokens = Map::from_iter([
        (
            "decoder_start_token_id".into(),
            reference.decoder_start_token_id.into(),
        ),
        ("pad_token_id".into(), reference.pad_token_id.into()),
        ("eos_token_id".into(), reference.eos_token_id.clone()),
    ]);
    if let Some(token) = &reference.forced_eos_token_id {
        tokens.insert("forced_eos_token_id".into(), token.clone());
    }
    let invalid = |error: generation::ConfigError| content(path, error);
    let base = compared.defaults.updated(&tokens).map_err(invalid)?;
    for case in &reference.cases {
        let name = format!("generate {}", Value::Object(case.options.clone()));
        let unsupported = GenerationConfig::unsupported_options(&case.options);
        if !unsupported.is_empty() {
            let reason = format!("unsupported: {}", unsupported.join(", "));
            report.add(Comparison::not_run(name, case.sequences.len(), reason))?;
            continue;
        }
        let config = base.updated(&compared.options(case)).map_err(invalid)?;
        let comparisons = compared
            .compare(&name, case, &reference, config)
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
    tolerance: Tolerance,
}

impl Run<'_> {
    /// The texts with their scores, and the log-probabilities of their tokens.
    fn compare(self, name: &str, case: &Case) -> Result<Vec<Comparison>, GenerateError> {
        let [images, _, _] = self.memory.hidden.dims();
        let row_images: Vec<usize> = (0..images).collect();
        // A case may name another start token than the reference.
        let prompts = vec![Prompt::new(vec![self.config.start_token()?]); images];
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
        let (equal, cases) = equal_sequences(&sequences, &case.sequences);
        if equal < cases {
            // The numbers are those of other texts.
            return Ok(vec![
                self.compare_ties(name, case, &found, &prompts, equal, cases)?,
            ]);
        }
        let mut texts = Comparison::of_cases(name, equal, cases);
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
                difference(hypothesis.score, *expected) / self.multiplier(hypothesis)
            });
            let start = if same_length { 0.0 } else { f64::INFINITY };
            texts = texts.with_difference(apart.fold(start, f64::max), self.tolerance.scores);
        }
        let mut comparisons = vec![texts];
        if let Some(expected) = &case.token_log_probs {
            let log_probs = self.log_probs(&found, &row_images, &prompts, &sequences)?;
            let what = format!("log-probabilities of {name}");
            let (found, expected) = (log_probs.concat(), expected.concat());
            let tolerance = self.tolerance.states;
            comparisons.push(Comparison::of_numbers(what, &found, &expected, tolerance));
        }
        Ok(comparisons)
    }

    /// Compares texts of which some differ. With rounded weights those are taken as equal between
    /// which the model sees no more than the tolerance: by the token where a greedy search turns
    /// elsewhere, by the score in beam search.
    fn compare_ties(
        &self,
        name: &str,
        case: &Case,
        found: &[Hypothesis],
        prompts: &[Prompt],
        equal: usize,
        cases: usize,
    ) -> Result<Comparison, GenerateError> {
        if !self.tolerance.rounded || found.len() != case.sequences.len() {
            return Ok(Comparison::of_cases(name, equal, cases));
        }
        let mut ties = 0;
        let per_prompt = found.len() / prompts.len();
        for (number, (found, expected)) in found.iter().zip(&case.sequences).enumerate() {
            let generated = self.without_padding(&expected[1..]);
            if generated == found.generated_tokens() || generated.is_empty() {
                continue;
            }
            let image = number / per_prompt;
            let scored = self.pretrained.model.score(
                self.memory.clone(),
                &[image],
                &prompts[image..=image],
                &[generated.to_vec()],
                &self.config,
            )?;
            let apart = scored
                .first()
                .map_or(f64::INFINITY, |expected| self.preference(found, expected));
            // Both sides may be off by the tolerance.
            ties += usize::from(apart <= 2.0 * self.tolerance.states);
        }
        let texts = Comparison::of_cases(name, equal + ties, cases);
        Ok(match ties {
            0 => texts,
            _ => texts.with_reason(format!(
                "{ties} of them differ from the reference where rounded weights see a tie"
            )),
        })
    }

    /// How much more likely the model finds its own text than that of the reference.
    fn preference(&self, found: &Hypothesis, expected: &Hypothesis) -> f64 {
        if self.config.num_beams > 1 {
            let generated = expected.token_log_probs.len() as f64;
            let expected = f64::from(expected.score) * generated.powf(-self.config.length_penalty);
            return f64::from(found.score) - expected;
        }
        let tokens = found
            .generated_tokens()
            .iter()
            .zip(expected.generated_tokens());
        let log_probs = found.token_log_probs.iter().zip(&expected.token_log_probs);
        let turn = tokens
            .zip(log_probs)
            .find(|((found, expected), _)| found != expected);
        turn.map_or(f64::INFINITY, |(_, (found, expected))| {
            f64::from(*found) - f64::from(*expected)
        })
    }

    /// A text of the reference up to its end token, without the padding behind it.
    fn without_padding<'t>(&self, text: &'t [u32]) -> &'t [u32] {
        let end = text
            .iter()
            .position(|token| self.config.eos_token_id.contains(token));
        &text[..end.map_or(text.len(), |end| end + 1)]
    }

    /// Counts scores of the reference that its own log-probabilities contradict, where a length
    /// penalty multiplies the tolerance. A changed score can hide in that tolerance, but not here:
    /// both come from one computation, so they are apart by the rounding of its sum in 32 bits.
    fn contradicted(&self, found: &[Hypothesis], scores: &[f64], log_probs: &[Vec<f32>]) -> usize {
        found
            .iter()
            .zip(scores)
            .zip(log_probs)
            .filter(|((hypothesis, score), log_probs)| {
                let generated = hypothesis.token_log_probs.len() as f64;
                let sum: f64 = log_probs.iter().map(|log_prob| f64::from(*log_prob)).sum();
                let own = sum * generated.powf(-self.config.length_penalty);
                let rounding = f64::from(f32::EPSILON) * generated * own.abs();
                let apart = (**score - own).abs();
                self.multiplier(hypothesis) > 1.0 && apart > self.tolerance.scores.max(rounding)
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

/// How many texts are equal, and how many there are on either side.
pub(crate) fn equal_sequences(found: &[Vec<u32>], expected: &[Vec<u32>]) -> (usize, usize) {
    let equal = found.iter().zip(expected).filter(|(a, b)| a == b).count();
    (equal, expected.len().max(found.len()))
}

/// How far a score is from that of the reference; infinitely if it is no number.
pub(crate) fn difference(found: f32, expected: f64) -> f64 {
    let difference = (f64::from(found) - expected).abs();
    if difference.is_nan() {
        f64::INFINITY
    } else {
        difference
    }
}

fn padded<T: Copy>(values: &[T], length: usize, padding: T) -> Vec<T> {
    let mut values = values.to_vec();
    values.resize(length, padding);
    values
}
