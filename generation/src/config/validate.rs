use std::fmt::Display;
use std::ops::RangeInclusive;

use super::{ConfigError, GenerationConfig};

/// More beams, samples or alternatives than anyone needs; a slip of the keyboard should not exhaust
/// the memory.
pub(crate) const MOST_ROWS: usize = 1024;

impl GenerationConfig {
    /// Checks the options against each other and a prompt's length.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`], naming the options and their values.
    pub fn validate(&self, prompt_length: usize) -> Result<(), ConfigError> {
        self.validate_strategy()?;
        self.validate_sampling()?;
        self.validate_processors()?;
        self.validate_lengths(prompt_length)
    }

    fn validate_strategy(&self) -> Result<(), ConfigError> {
        let beams = self.num_beams;
        if !(1..=MOST_ROWS).contains(&beams) {
            return invalid(format!(
                "num_beams is {beams}, expected 1 (greedy search) to {MOST_ROWS}"
            ));
        }
        let groups = self.num_beam_groups;
        let returned = self.num_return_sequences;
        if beams == 1 && self.do_sample {
            if !(1..=MOST_ROWS).contains(&returned) {
                return invalid(format!(
                    "num_return_sequences is {returned}, expected 1 to {MOST_ROWS}"
                ));
            }
        } else if !(1..=beams).contains(&returned) {
            return invalid(format!(
                "num_return_sequences is {returned}, expected 1 to num_beams, which is {beams}"
            ));
        }
        if groups == 0 || !beams.is_multiple_of(groups) {
            return invalid(format!(
                "num_beam_groups is {groups}, expected a divisor of num_beams, which is {beams}"
            ));
        }
        positive("patience", self.patience)?;
        if self.patience * beams as f64 > MOST_ROWS as f64 {
            return invalid(format!(
                "patience is {}, which asks for more than {MOST_ROWS} finished texts",
                self.patience
            ));
        }
        if !self.do_sample || beams > 1 {
            let places = self.finished_places(beams);
            if returned > places {
                return invalid(format!(
                    "num_return_sequences is {returned}, but patience {} keeps {places} finished texts",
                    self.patience
                ));
            }
        }
        not_negative("diversity_penalty", self.diversity_penalty)?;
        let (grouped, diverse) = (groups > 1, self.diversity_penalty > 0.0);
        if grouped != diverse {
            return invalid(format!(
                "num_beam_groups is {groups} and diversity_penalty {}; diverse beam search needs more than one group and a penalty above 0",
                self.diversity_penalty
            ));
        }
        if let Some(alpha) = self.penalty_alpha {
            within("penalty_alpha", alpha, 0.0..=1.0)?;
        }
        let forced = !self.force_words_ids.is_empty();
        let contrastive = self.is_contrastive();
        for (contradict, what) in [
            (grouped && self.do_sample, "num_beam_groups and do_sample"),
            (
                contrastive && beams > 1,
                "penalty_alpha (contrastive search) and num_beams above 1",
            ),
            (
                contrastive && self.do_sample,
                "penalty_alpha (contrastive search) and do_sample",
            ),
            (
                contrastive && !(2..=MOST_ROWS).contains(&self.top_k),
                "penalty_alpha (contrastive search) and a top_k below 2 or above 1024",
            ),
            (forced && grouped, "force_words_ids and num_beam_groups"),
            (forced && self.do_sample, "force_words_ids and do_sample"),
            (
                forced && beams == 1,
                "force_words_ids and num_beams of 1 (words that have to come need beams)",
            ),
        ] {
            if contradict {
                return invalid(format!("{what} contradict each other"));
            }
        }
        finite("length_penalty", self.length_penalty)
    }

    /// Checks what the score of a given text depends on.
    pub(crate) fn validate_scoring(&self) -> Result<(), ConfigError> {
        finite("length_penalty", self.length_penalty)?;
        self.validate_sampling()?;
        self.validate_processors()
    }

    fn validate_sampling(&self) -> Result<(), ConfigError> {
        positive("temperature", self.temperature)?;
        within("top_p", self.top_p, 0.0..=1.0)?;
        if let Some(min_p) = self.min_p {
            within("min_p", min_p, 0.0..=1.0)?;
        }
        if let Some(top_h) = self.top_h {
            above_zero_to_one("top_h", top_h)?;
        }
        above_zero_to_one("typical_p", self.typical_p)?;
        for (name, cutoff) in [
            ("epsilon_cutoff", self.epsilon_cutoff),
            ("eta_cutoff", self.eta_cutoff),
        ] {
            if !(0.0..1.0).contains(&cutoff) {
                return expected(name, cutoff, "0 (off) to below 1");
            }
        }
        Ok(())
    }

    fn validate_processors(&self) -> Result<(), ConfigError> {
        positive("repetition_penalty", self.repetition_penalty)?;
        if self.bad_words_ids.iter().any(Vec::is_empty) {
            return invalid("bad_words_ids has a word without tokens".into());
        }
        let is_empty = |word: &Vec<Vec<u32>>| word.is_empty() || word.iter().any(Vec::is_empty);
        if self.force_words_ids.iter().any(is_empty) {
            return invalid("force_words_ids has a word without tokens".into());
        }
        for (tokens, bias) in &self.sequence_bias {
            if tokens.is_empty() {
                return invalid("sequence_bias has a sequence without tokens".into());
            }
            finite("sequence_bias", *bias)?;
        }
        if let Some((_, factor)) = self.exponential_decay_length_penalty {
            positive("exponential_decay_length_penalty", factor)?;
        }
        if self.stop_strings.iter().any(String::is_empty) {
            return invalid("stop_strings has an empty string, which every text ends with".into());
        }
        match self.max_time {
            Some(seconds) => positive("max_time", seconds),
            None => Ok(()),
        }
    }

    fn validate_lengths(&self, prompt_length: usize) -> Result<(), ConfigError> {
        let (shortest, longest) = (self.shortest(prompt_length), self.longest(prompt_length));
        if longest <= prompt_length {
            return invalid(format!(
                "the longest text is {longest} tokens (max_length or max_new_tokens), which leaves none to generate after a prompt of {prompt_length}"
            ));
        }
        if shortest > longest {
            return invalid(format!(
                "the shortest text, {shortest} tokens (min_length or min_new_tokens), is longer than the longest, {longest}"
            ));
        }
        Ok(())
    }
}

fn invalid(message: String) -> Result<(), ConfigError> {
    Err(ConfigError::Invalid(message))
}

fn expected(name: &str, value: f64, expected: impl Display) -> Result<(), ConfigError> {
    invalid(format!("{name} is {value}, expected {expected}"))
}

fn finite(name: &str, value: f64) -> Result<(), ConfigError> {
    // Scores have 32 bits.
    match (value as f32).is_finite() {
        true => Ok(()),
        false => expected(name, value, "a finite number"),
    }
}

fn positive(name: &str, value: f64) -> Result<(), ConfigError> {
    let value_32 = value as f32;
    match value_32 > 0.0 && value_32.is_finite() {
        true => Ok(()),
        false => expected(name, value, "a finite number above 0, in 32 bits"),
    }
}

fn not_negative(name: &str, value: f64) -> Result<(), ConfigError> {
    match value >= 0.0 && (value as f32).is_finite() {
        true => Ok(()),
        false => expected(name, value, "a finite number, 0 or above"),
    }
}

fn within(name: &str, value: f64, range: RangeInclusive<f64>) -> Result<(), ConfigError> {
    match range.contains(&value) {
        true => Ok(()),
        false => {
            let (start, end) = (range.start(), range.end());
            expected(name, value, format!("{start} to {end}"))
        }
    }
}

fn above_zero_to_one(name: &str, value: f64) -> Result<(), ConfigError> {
    match value > 0.0 && value <= 1.0 {
        true => Ok(()),
        false => expected(name, value, "above 0, up to 1"),
    }
}
