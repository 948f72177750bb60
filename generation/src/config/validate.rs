use std::ops::RangeInclusive;

use super::{ConfigError, GenerationConfig};

/// The most beams, samples or alternatives: a mistyped number should not exhaust the memory.
pub(crate) const MAX_ROWS: usize = 1024;

impl GenerationConfig {
    /// Checks the options against each other and against the length of a prompt.
    ///
    /// # Errors
    /// [`ConfigError`], naming the options and their values.
    pub fn validate(&self, prompt_length: usize) -> Result<(), ConfigError> {
        self.validate_options()?;
        self.validate_lengths(prompt_length)
    }

    /// Checks the options against each other, whatever the prompt.
    pub(crate) fn validate_options(&self) -> Result<(), ConfigError> {
        self.validate_beams()?;
        self.validate_combinations()?;
        finite("length_penalty", self.length_penalty)?;
        self.validate_sampling()?;
        self.validate_processors()
    }

    /// Checks the options that the score of a given text depends on.
    pub(crate) fn validate_scoring(&self) -> Result<(), ConfigError> {
        finite("length_penalty", self.length_penalty)?;
        self.validate_sampling()?;
        self.validate_processors()
    }

    /// Checks the longest and the shortest text against the length of a prompt.
    pub(crate) fn validate_lengths(&self, prompt_length: usize) -> Result<(), ConfigError> {
        let (shortest, longest) = (self.shortest(prompt_length), self.longest(prompt_length));
        if longest <= prompt_length {
            return Err(ConfigError::NothingToGenerate {
                longest,
                prompt_length,
            });
        }
        if shortest > longest {
            let min = match self.min_new_tokens {
                Some(_) => "min_new_tokens",
                None => "min_length",
            };
            let max = match (self.max_new_tokens, self.max_length) {
                (None, Some(_)) => "max_length",
                _ => "max_new_tokens",
            };
            let reason = format!(
                "the shortest text, {shortest} tokens, is longer than the longest, {longest}"
            );
            return contradiction([min, max], reason);
        }
        Ok(())
    }

    /// Checks that the beams suit required phrases, which `name` asks for.
    pub(crate) fn validate_beams_for_phrases(&self, name: &'static str) -> Result<(), ConfigError> {
        let other = if self.num_beams < 2 {
            "num_beams"
        } else if self.num_beam_groups > 1 {
            "num_beam_groups"
        } else if self.do_sample {
            "do_sample"
        } else {
            return Ok(());
        };
        let reason =
            "required phrases need num_beams above 1, without num_beam_groups and do_sample";
        contradiction([name, other], reason)
    }

    fn validate_beams(&self) -> Result<(), ConfigError> {
        let beams = self.num_beams;
        if !(1..=MAX_ROWS).contains(&beams) {
            let expected = format!("1 (greedy search) to {MAX_ROWS}");
            return out_of_range("num_beams", beams as f64, expected);
        }
        let returned = self.num_return_sequences;
        let wrong_count = |expected| {
            let value = returned as f64;
            out_of_range("num_return_sequences", value, expected)
        };
        if beams == 1 && self.do_sample {
            if !(1..=MAX_ROWS).contains(&returned) {
                return wrong_count(format!("1 to {MAX_ROWS}"));
            }
        } else if !(1..=beams).contains(&returned) {
            return wrong_count(format!("1 to num_beams, which is {beams}"));
        }
        let groups = self.num_beam_groups;
        if groups == 0 || !beams.is_multiple_of(groups) {
            let expected = format!("a divisor of num_beams, which is {beams}");
            return out_of_range("num_beam_groups", groups as f64, expected);
        }
        positive("patience", self.patience)?;
        if self.patience * beams as f64 > MAX_ROWS as f64 {
            let expected = format!(
                "at most {}, so that {beams} beams keep at most {MAX_ROWS} finished texts",
                MAX_ROWS as f64 / beams as f64
            );
            return out_of_range("patience", self.patience, expected);
        }
        let kept = self.finished_capacity(beams);
        if (!self.do_sample || beams > 1) && returned > kept {
            return wrong_count(format!(
                "1 to {kept}, the finished texts that a patience of {} keeps",
                self.patience
            ));
        }
        Ok(())
    }

    /// Checks options that choose a strategy against each other.
    fn validate_combinations(&self) -> Result<(), ConfigError> {
        let (groups, penalty) = (self.num_beam_groups, self.diversity_penalty);
        not_negative("diversity_penalty", penalty)?;
        if (groups > 1) != (penalty > 0.0) {
            let reason = format!(
                "diverse beam search needs more than one group and a penalty above 0, but num_beam_groups is {groups} and diversity_penalty is {penalty}"
            );
            return contradiction(["num_beam_groups", "diversity_penalty"], reason);
        }
        if groups > 1 && self.do_sample {
            let reason = "diverse beam search does not sample";
            return contradiction(["num_beam_groups", "do_sample"], reason);
        }
        if let Some(alpha) = self.penalty_alpha {
            within("penalty_alpha", alpha, 0.0..=1.0)?;
        }
        if self.is_contrastive() {
            self.validate_contrastive()?;
        }
        match self.force_words_ids.is_empty() {
            true => Ok(()),
            false => self.validate_beams_for_phrases("force_words_ids"),
        }
    }

    fn validate_contrastive(&self) -> Result<(), ConfigError> {
        if self.num_beams > 1 {
            let reason = "contrastive search (penalty_alpha) can't have num_beams above 1";
            return contradiction(["penalty_alpha", "num_beams"], reason);
        }
        if self.do_sample {
            let reason = "contrastive search (penalty_alpha) does not sample";
            return contradiction(["penalty_alpha", "do_sample"], reason);
        }
        if !(2..=MAX_ROWS).contains(&self.top_k) {
            let expected = format!("2 to {MAX_ROWS} for contrastive search (penalty_alpha)");
            return out_of_range("top_k", self.top_k as f64, expected);
        }
        Ok(())
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
                return out_of_range(name, cutoff, "0 (off) to below 1");
            }
        }
        Ok(())
    }

    fn validate_processors(&self) -> Result<(), ConfigError> {
        positive("repetition_penalty", self.repetition_penalty)?;
        if self.bad_words_ids.iter().any(Vec::is_empty) {
            return malformed("bad_words_ids", "a word without tokens");
        }
        let is_empty = |word: &Vec<Vec<u32>>| word.is_empty() || word.iter().any(Vec::is_empty);
        if self.force_words_ids.iter().any(is_empty) {
            return malformed("force_words_ids", "a word without tokens");
        }
        for (tokens, bias) in &self.sequence_bias {
            if tokens.is_empty() {
                return malformed("sequence_bias", "a sequence without tokens");
            }
            finite("sequence_bias", *bias)?;
        }
        if let Some((_, factor)) = self.exponential_decay_length_penalty {
            positive("exponential_decay_length_penalty", factor)?;
        }
        if self.stop_strings.iter().any(String::is_empty) {
            let problem = "an empty string, which every text ends with";
            return malformed("stop_strings", problem);
        }
        match self.max_time {
            Some(seconds) => positive("max_time", seconds),
            None => Ok(()),
        }
    }
}

fn out_of_range(
    option: &'static str,
    value: f64,
    expected: impl Into<String>,
) -> Result<(), ConfigError> {
    Err(ConfigError::OutOfRange {
        option,
        value,
        expected: expected.into(),
    })
}

fn contradiction(options: [&'static str; 2], reason: impl Into<String>) -> Result<(), ConfigError> {
    Err(ConfigError::Contradiction {
        options,
        reason: reason.into(),
    })
}

fn malformed(place: &'static str, problem: &'static str) -> Result<(), ConfigError> {
    Err(ConfigError::Malformed { place, problem })
}

fn finite(name: &'static str, value: f64) -> Result<(), ConfigError> {
    // Scores have 32 bits.
    match (value as f32).is_finite() {
        true => Ok(()),
        false => out_of_range(name, value, "a finite number, in 32 bits"),
    }
}

fn positive(name: &'static str, value: f64) -> Result<(), ConfigError> {
    let value_32 = value as f32;
    match value_32 > 0.0 && value_32.is_finite() {
        true => Ok(()),
        false => out_of_range(name, value, "a finite number above 0, in 32 bits"),
    }
}

fn not_negative(name: &'static str, value: f64) -> Result<(), ConfigError> {
    match value >= 0.0 && (value as f32).is_finite() {
        true => Ok(()),
        false => out_of_range(name, value, "a finite number, 0 or above, in 32 bits"),
    }
}

fn within(name: &'static str, value: f64, range: RangeInclusive<f64>) -> Result<(), ConfigError> {
    match range.contains(&value) {
        true => Ok(()),
        false => out_of_range(name, value, format!("{} to {}", range.start(), range.end())),
    }
}

fn above_zero_to_one(name: &'static str, value: f64) -> Result<(), ConfigError> {
    match value > 0.0 && value <= 1.0 {
        true => Ok(()),
        false => out_of_range(name, value, "above 0, up to 1"),
    }
}
