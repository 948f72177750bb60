use std::ops::RangeInclusive;

use super::{ConfigError, GenerationConfig, OPTIONS};
use crate::limits;

impl GenerationConfig {
    /// Checks the options that the strategy uses against each other and against the length of a prompt. As in
    /// transformers, an option that is not used may have any value; [`ignored`](Self::ignored) names it.
    ///
    /// # Errors
    /// [`ConfigError`], naming the options and their values, and the file if they come from one.
    pub fn validate(&self, prompt_length: usize) -> Result<(), ConfigError> {
        self.validate_options()?;
        self.validate_lengths(prompt_length)
    }

    /// Checks the options against each other, whatever the prompt.
    pub(crate) fn validate_options(&self) -> Result<(), ConfigError> {
        let check = || {
            self.validate_readable()?;
            self.validate_beams()?;
            self.validate_combinations()?;
            self.validate_sampling()?;
            self.validate_processors()
        };
        check().map_err(|error| self.located(error))
    }

    /// Checks the options that the score of a given text depends on.
    pub(crate) fn validate_scoring(&self) -> Result<(), ConfigError> {
        let check = || {
            self.validate_readable()?;
            finite("length_penalty", self.length_penalty)?;
            self.validate_sampling()?;
            self.validate_processors()
        };
        check().map_err(|error| self.located(error))
    }

    /// Checks that the options that are used could be read.
    fn validate_readable(&self) -> Result<(), ConfigError> {
        // These are looked at where they are needed: a prompt can have its own.
        const ELSEWHERE: [&str; 4] = [
            "decoder_start_token_id",
            "bos_token_id",
            "pad_token_id",
            "forced_bos_token_id",
        ];
        // Whether another option is used depends on these.
        let first = ["num_beams", "do_sample", "top_k", "penalty_alpha"];
        let is_used = |name: &&str| {
            !ELSEWHERE.contains(name)
                && match *name {
                    // transformers refuses a wrong `early_stopping` when it reads it.
                    "num_beams" | "do_sample" | "early_stopping" => true,
                    name => self.unused(name).is_none(),
                }
        };
        let names = first.iter().chain(OPTIONS).copied().filter(is_used);
        for name in names {
            self.check_readable(name)?;
        }
        Ok(())
    }

    /// Checks the longest text against the length of a prompt.
    pub(crate) fn validate_lengths(&self, prompt_length: usize) -> Result<(), ConfigError> {
        let longest = self.longest(prompt_length);
        match longest <= prompt_length {
            true => Err(self.located(ConfigError::NothingToGenerate {
                longest,
                prompt_length,
            })),
            false => Ok(()),
        }
    }

    /// Checks that the scores of a step, and the continuations that are compared, are not more than memory and time
    /// should be asked for.
    pub(crate) fn validate_size(&self, vocab_size: usize) -> Result<(), ConfigError> {
        let has_beams = self.num_beams > 1;
        let (option, rows) = match (has_beams, self.is_contrastive()) {
            (true, _) => ("num_beams", self.num_beams),
            (false, true) => ("top_k", self.top_k),
            (false, false) => ("num_return_sequences", self.num_return_sequences),
        };
        let check = || {
            if rows.saturating_mul(vocab_size) > limits::SCORES {
                return Err(ConfigError::TooManyScores {
                    option,
                    rows,
                    vocab_size,
                    limit: limits::SCORES,
                });
            }
            let limit = limits::CONTINUATIONS / self.num_beams.max(1) - 1;
            too_many(
                "eos_token_id",
                "different tokens",
                match has_beams {
                    true => different(&self.eos_token_id).len(),
                    false => 0,
                },
                limit,
                format!(" with {} beams", self.num_beams),
            )
        };
        check().map_err(|error| self.located(error))
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
        if !(1..=limits::ROWS).contains(&beams) {
            let expected = format!("1 (greedy search) to {}", limits::ROWS);
            return out_of_range("num_beams", beams as f64, expected);
        }
        let returned = self.num_return_sequences;
        let wrong_count = |expected| {
            let value = returned as f64;
            out_of_range("num_return_sequences", value, expected)
        };
        if beams == 1 && self.do_sample {
            if !(1..=limits::ROWS).contains(&returned) {
                return wrong_count(format!("1 to {}", limits::ROWS));
            }
        } else if !(1..=beams).contains(&returned) {
            return wrong_count(format!("1 to num_beams, which is {beams}"));
        }
        if beams == 1 {
            return Ok(());
        }
        let groups = self.num_beam_groups;
        if groups == 0 || !beams.is_multiple_of(groups) {
            let expected = format!("a divisor of num_beams, which is {beams}");
            return out_of_range("num_beam_groups", groups as f64, expected);
        }
        finite("length_penalty", self.length_penalty)?;
        positive("patience", self.patience)?;
        if self.patience * beams as f64 > limits::ROWS as f64 {
            let expected = format!(
                "at most {}, so that {beams} beams keep at most {} finished texts",
                limits::ROWS as f64 / beams as f64,
                limits::ROWS
            );
            return out_of_range("patience", self.patience, expected);
        }
        let kept = self.finished_capacity(beams);
        if returned > kept {
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
        if self.num_beams > 1 && groups > 1 {
            not_negative("diversity_penalty", penalty)?;
            if penalty == 0.0 {
                let reason = format!(
                    "diverse beam search needs a penalty above 0 for its groups, but num_beam_groups is {groups} and diversity_penalty is {penalty}"
                );
                return contradiction(["num_beam_groups", "diversity_penalty"], reason);
            }
            if self.do_sample {
                let reason = "diverse beam search does not sample";
                return contradiction(["num_beam_groups", "do_sample"], reason);
            }
        }
        if let Some(alpha) = self.penalty_alpha
            && self.unused("penalty_alpha").is_none()
        {
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
        if !(2..=limits::ROWS).contains(&self.top_k) {
            let expected = format!(
                "2 to {} for contrastive search (penalty_alpha)",
                limits::ROWS
            );
            return out_of_range("top_k", self.top_k as f64, expected);
        }
        Ok(())
    }

    /// Checks the options of sampling. Those that are above the values that change anything have no effect.
    fn validate_sampling(&self) -> Result<(), ConfigError> {
        if !self.do_sample {
            return Ok(());
        }
        positive("temperature", self.temperature)?;
        at_least("top_p", self.top_p, 0.0)?;
        if let Some(min_p) = self.min_p {
            within("min_p", min_p, 0.0..=1.0)?;
        }
        if let Some(top_h) = self.top_h {
            above_zero_to_one("top_h", top_h)?;
        }
        above_zero("typical_p", self.typical_p)?;
        at_least("epsilon_cutoff", self.epsilon_cutoff, f64::NEG_INFINITY)?;
        at_least("eta_cutoff", self.eta_cutoff, f64::NEG_INFINITY)
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
            // Minus infinity forbids the last token.
            if *bias != f64::NEG_INFINITY {
                finite("sequence_bias", *bias)?;
            }
        }
        if let Some((_, factor)) = self.exponential_decay_length_penalty {
            finite("exponential_decay_length_penalty", factor)?;
        }
        too_many(
            "stop_strings",
            "strings",
            self.stop_strings.len(),
            limits::STOP_STRINGS,
            "",
        )?;
        if self.stop_strings.iter().any(String::is_empty) {
            let problem = "an empty string, which every text ends with";
            return malformed("stop_strings", problem);
        }
        match self.max_time {
            Some(seconds) if seconds.is_nan() => out_of_range("max_time", seconds, "a number"),
            _ => Ok(()),
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

fn at_least(name: &'static str, value: f64, least: f64) -> Result<(), ConfigError> {
    match value >= least {
        true => Ok(()),
        false if least.is_finite() => out_of_range(name, value, format!("{least} or above")),
        false => out_of_range(name, value, "a number"),
    }
}

fn above_zero(name: &'static str, value: f64) -> Result<(), ConfigError> {
    match value > 0.0 {
        true => Ok(()),
        false => out_of_range(name, value, "a number above 0"),
    }
}

/// Checks a number of things that a search looks at.
pub(crate) fn too_many(
    option: &'static str,
    what: &'static str,
    found: usize,
    limit: usize,
    condition: impl Into<String>,
) -> Result<(), ConfigError> {
    match found > limit {
        true => Err(ConfigError::TooMany {
            option,
            what,
            found,
            limit,
            condition: condition.into(),
        }),
        false => Ok(()),
    }
}

/// The tokens of a list, each once, in ascending order.
pub(crate) fn different(tokens: &[u32]) -> Vec<u32> {
    let mut tokens = tokens.to_vec();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

fn above_zero_to_one(name: &'static str, value: f64) -> Result<(), ConfigError> {
    match value > 0.0 && value <= 1.0 {
        true => Ok(()),
        false => out_of_range(name, value, "above 0, up to 1"),
    }
}
