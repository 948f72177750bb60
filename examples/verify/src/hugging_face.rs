//! The search of Hugging Face's `generate`, compared with what `generate` returned.

use ::report::message;
use generation::{Generation, GenerationConfig, Hypothesis, Prompt};
use vision_encoder_decoder::{Decoder, Encoder, GenerateError, Memory, VisionEncoderDecoder};

use crate::cases::{Case, difference, equal_sequences, results};
use crate::report::Comparison;
use crate::tolerance::Tolerance;

/// How much less likely than the best token the reference's token may be in a greedy search: what `f32` rounding moves
/// log-probabilities by. Two tokens that are this close are a tie, which depends on the order of sums.
const TIE: f32 = 1e-5;

/// The run of one case.
pub(crate) struct Run<'a, E, D> {
    pub(crate) model: &'a VisionEncoderDecoder<E, D>,
    /// The reference's images or texts, encoded.
    pub(crate) memory: Memory,
    pub(crate) config: GenerationConfig,
    pub(crate) pad_token_id: u32,
    pub(crate) tolerance: Tolerance,
}

impl<E: Encoder, D: Decoder> Run<'_, E, D> {
    /// Compares the texts with their scores, and the log-probabilities of their tokens.
    pub(crate) fn compare(self, name: &str, case: &Case) -> Result<Vec<Comparison>, GenerateError> {
        let [images, _, _] = self.memory.hidden.dims();
        let row_sources: Vec<usize> = (0..images).collect();
        // A case may have another start token than the reference.
        let prompts = vec![Prompt::new(vec![self.config.start_token()?]); images];
        let found =
            self.model
                .generate_from(self.memory.clone(), &row_sources, &prompts, &self.config)?;
        let mut found: Vec<Hypothesis> = match results(found, name, case.sequences.len()) {
            Ok(found) => found.concat(),
            Err(failed) => return Ok(vec![failed]),
        };
        let ties = self.decide_ties(&mut found, case, &prompts)?;

        let longest = found.iter().map(|h| h.tokens.len()).max().unwrap_or(0);
        let sequences: Vec<Vec<u32>> = found
            .iter()
            .map(|h| padded(&h.tokens, longest, self.pad_token_id))
            .collect();
        let (equal, cases) = equal_sequences(&sequences, &case.sequences);
        if equal < cases {
            // Scores and log-probabilities belong to different texts.
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
        if ties > 0 {
            texts = texts.with_reason(format!(
                "{ties} of them chose another of two tokens within {TIE:e} once, and are compared along the reference's"
            ));
        }
        let mut comparisons = vec![texts];
        if let Some(expected) = &case.token_log_probs {
            let what = format!("log-probabilities of {name}");
            let found = self.log_probs(&what, &found, &row_sources, &prompts, &sequences)?;
            comparisons.push(match found {
                Ok(found) => Comparison::of_values(
                    what,
                    &found.concat(),
                    &expected.concat(),
                    self.tolerance.states,
                ),
                Err(failed) => failed,
            });
        }
        Ok(comparisons)
    }

    /// Replaces texts of a greedy search that differ from the reference's by those, with the model's own
    /// log-probabilities, if each of their tokens is the best, or a [tie](TIE) with it. Returns how many.
    fn decide_ties(
        &self,
        found: &mut [Hypothesis],
        case: &Case,
        prompts: &[Prompt],
    ) -> Result<usize, GenerateError> {
        let one_each = found.len() == prompts.len() && case.sequences.len() == prompts.len();
        if self.tolerance.rounded || self.config.num_beams > 1 || !one_each {
            return Ok(0);
        }
        let mut ties = 0;
        for (image, (found, expected)) in found.iter_mut().zip(&case.sequences).enumerate() {
            let Some(expected) = expected.get(1..) else {
                continue;
            };
            let generated = self.without_padding(expected);
            let ends = |token: &u32| self.config.eos_token_id.contains(token);
            let is_complete =
                generated.last().is_some_and(ends) || generated.len() + 1 == self.config.longest(1);
            if generated == found.generated_tokens() || !is_complete {
                continue;
            }
            let scored = self.model.score(
                self.memory.clone(),
                &[image],
                &prompts[image..=image],
                &[generated.to_vec()],
                Generation::new(self.config.clone()).with_alternatives(1),
            )?;
            let Some(Ok(scored)) = scored.into_iter().next() else {
                continue;
            };
            let best = scored.alternatives.iter().map(|step| step.first());
            let mut apart = best.zip(&scored.token_log_probs);
            let is_tie = apart
                .all(|(best, log_prob)| best.is_some_and(|best| best.log_prob - log_prob <= TIE));
            if is_tie && scored.alternatives.len() == generated.len() {
                *found = scored;
                ties += 1;
            }
        }
        Ok(ties)
    }

    /// Compares texts some of which differ. With rounded weights, two texts count as equal if the model
    /// prefers its own to the reference's by no more than the tolerance. In a greedy search that is
    /// measured at the first token that differs, in a beam search by the score.
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
            let preference = match scored.first() {
                Some(Ok(expected)) => self.preference(found, expected),
                Some(Err(error)) => {
                    let error = message(error);
                    let reason = format!("the reference's text of image {image}: {error}");
                    return Ok(Comparison::of_cases(name, equal, cases).with_reason(reason));
                }
                None => f64::INFINITY,
            };
            // Both sides may be wrong by the tolerance.
            ties += usize::from(preference <= 2.0 * self.tolerance.states);
        }
        let texts = Comparison::of_cases(name, equal + ties, cases);
        Ok(match ties {
            0 => texts,
            _ => texts.with_reason(format!(
                "{ties} of them differ from the reference, but are a tie with rounded weights"
            )),
        })
    }

    /// How much the model prefers its own text to that of the reference: a difference of scores or of
    /// log-probabilities.
    fn preference(&self, found: &Hypothesis, expected: &Hypothesis) -> f64 {
        if self.config.num_beams > 1 {
            return f64::from(found.score) - f64::from(expected.score);
        }
        let tokens = found
            .generated_tokens()
            .iter()
            .zip(expected.generated_tokens());
        let log_probs = found.token_log_probs.iter().zip(&expected.token_log_probs);
        let first_difference = tokens
            .zip(log_probs)
            .find(|((found, expected), _)| found != expected);
        first_difference.map_or(f64::INFINITY, |(_, (found, expected))| {
            f64::from(*found) - f64::from(*expected)
        })
    }

    /// A text of the reference up to its end token, without the padding after it.
    fn without_padding<'t>(&self, text: &'t [u32]) -> &'t [u32] {
        let end = text
            .iter()
            .position(|token| self.config.eos_token_id.contains(token));
        &text[..end.map_or(text.len(), |end| end + 1)]
    }

    /// Counts the reference's scores that contradict its own log-probabilities, where a length penalty
    /// multiplies the tolerance. A wrong score can be within that larger tolerance. Here it is found: a
    /// score and its log-probabilities come from one computation, so they differ only by the rounding of
    /// their `f32` sum.
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

    /// The factor that the length penalty multiplies a sum of log-probabilities by, but at least 1.
    fn multiplier(&self, hypothesis: &Hypothesis) -> f64 {
        let generated = hypothesis.token_log_probs.len() as f64;
        generated.powf(-self.config.length_penalty).max(1.0)
    }

    /// The log-probabilities of all generated tokens and of the padding after them, as the reference has
    /// them. For padding, beam search has 0. Greedy search has the model's log-probability of the padding
    /// token, or 0 where a processor forbids it. If images have no result, a comparison that differs.
    fn log_probs(
        &self,
        what: &str,
        found: &[Hypothesis],
        row_sources: &[usize],
        prompts: &[Prompt],
        sequences: &[Vec<u32>],
    ) -> Result<Result<Vec<Vec<f32>>, Comparison>, GenerateError> {
        if self.config.num_beams > 1 {
            let padded = found
                .iter()
                .zip(sequences)
                .map(|(h, sequence)| padded(&h.token_log_probs, sequence.len() - 1, 0.0));
            return Ok(Ok(padded.collect()));
        }
        let texts: Vec<Vec<u32>> = sequences.iter().map(|s| s[1..].to_vec()).collect();
        let scored = self.model.score(
            self.memory.clone(),
            row_sources,
            prompts,
            &texts,
            Generation::new(self.config.clone()),
        )?;
        let mut scored = match results(scored, what, 1) {
            Ok(scored) => scored,
            Err(failed) => return Ok(Err(failed)),
        };
        for (scored, found) in scored.iter_mut().zip(found) {
            // The search's own values for the tokens that it generated.
            let generated = found.token_log_probs.len();
            scored.token_log_probs[..generated].copy_from_slice(&found.token_log_probs);
            for padding in &mut scored.token_log_probs[generated..] {
                *padding = if padding.is_finite() { *padding } else { 0.0 };
            }
        }
        Ok(Ok(scored.into_iter().map(|s| s.token_log_probs).collect()))
    }
}

fn padded<T: Copy>(values: &[T], length: usize, padding: T) -> Vec<T> {
    let mut values = values.to_vec();
    values.resize(length, padding);
    values
}
