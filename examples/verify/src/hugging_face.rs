//! The search of Hugging Face's `generate`, against what that returned.

use generation::{Generation, GenerationConfig, Hypothesis, Prompt};
use vision_encoder_decoder::{ClipVisionMBart50, GenerateError, Memory};

use crate::cases::{Case, difference, equal_sequences};
use crate::report::Comparison;
use crate::tolerance::Tolerance;

/// One case under way.
pub(crate) struct Run<'a> {
    pub(crate) model: &'a ClipVisionMBart50,
    /// Of the reference's images.
    pub(crate) memory: Memory,
    pub(crate) config: GenerationConfig,
    pub(crate) pad_token_id: u32,
    pub(crate) tolerance: Tolerance,
}

impl Run<'_> {
    /// The texts with their scores, and the log-probabilities of their tokens.
    pub(crate) fn compare(self, name: &str, case: &Case) -> Result<Vec<Comparison>, GenerateError> {
        let [images, _, _] = self.memory.hidden.dims();
        let row_images: Vec<usize> = (0..images).collect();
        // A case may name another start token than the reference.
        let prompts = vec![Prompt::new(vec![self.config.start_token()?]); images];
        let found: Vec<Hypothesis> = self
            .model
            .generate_from(self.memory.clone(), &row_images, &prompts, &self.config)?
            .into_iter()
            .flatten()
            .collect();

        let longest = found.iter().map(|h| h.tokens.len()).max().unwrap_or(0);
        let sequences: Vec<Vec<u32>> = found
            .iter()
            .map(|h| padded(&h.tokens, longest, self.pad_token_id))
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
            let scored = self.model.score(
                self.memory.clone(),
                &[image],
                &prompts[image..=image],
                &[generated.to_vec()],
                Generation::new(self.config.clone()),
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
            return f64::from(found.score) - f64::from(expected.score);
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
        let mut scored = self.model.score(
            self.memory.clone(),
            row_images,
            prompts,
            &texts,
            Generation::new(self.config.clone()),
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
