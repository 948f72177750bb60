//! Which options the chosen strategy uses.

use super::{GenerationConfig, IgnoredReason};

use IgnoredReason::{Off, OtherStrategy, Superseded};

impl GenerationConfig {
    /// Why an option is not used; `None` if it is. As in transformers, an option that is not used may have any value.
    pub(super) fn unused(&self, name: &str) -> Option<IgnoredReason> {
        let with = |is_used: bool, option| (!is_used).then_some(OtherStrategy(option));
        let off = |is_off: bool| is_off.then_some(Off);
        let (has_beams, samples) = (self.num_beams > 1, self.do_sample);
        match name {
            "top_k" if self.is_contrastive() => None,
            "temperature" | "top_k" | "min_p" | "top_h" | "seed" => with(samples, "do_sample"),
            "top_p" => with(samples, "do_sample").or(off(self.top_p > 1.0)),
            "typical_p" => with(samples, "do_sample").or(off(self.typical_p > 1.0)),
            "epsilon_cutoff" => with(samples, "do_sample").or(off(is_off(self.epsilon_cutoff))),
            "eta_cutoff" => with(samples, "do_sample").or(off(is_off(self.eta_cutoff))),
            // The score of a text that was not found by beams is divided too, but nothing depends on it.
            "length_penalty" if (self.length_penalty as f32).is_finite() => {
                match self.unreadable(name) {
                    Some(_) => with(has_beams, "num_beams above 1"),
                    None => None,
                }
            }
            "length_penalty" | "early_stopping" | "num_beam_groups" | "patience" => {
                with(has_beams, "num_beams above 1")
            }
            "diversity_penalty" => with(
                has_beams && self.num_beam_groups > 1,
                "num_beams and num_beam_groups above 1",
            ),
            "penalty_alpha" if has_beams => Some(OtherStrategy("num_beams of 1")),
            "penalty_alpha" if samples => Some(OtherStrategy("do_sample off")),
            "penalty_alpha" if self.top_k < 2 => Some(OtherStrategy("top_k above 1")),
            "penalty_alpha" => off(self.penalty_alpha.is_some_and(|alpha| alpha <= 0.0)),
            "max_length" if self.max_new_tokens.is_some() => Some(Superseded("max_new_tokens")),
            "min_length" if self.min_new_tokens.is_some() => Some(Superseded("min_new_tokens")),
            "min_length" => (self.max_new_tokens.is_none()
                && self.max_length.is_some_and(|most| self.min_length > most))
            .then_some(IgnoredReason::LongerThanLongest),
            "pad_token_id" => self.unreadable(name).map(|_| IgnoredReason::NoEffect),
            "bos_token_id" if self.decoder_start_token_id.is_some() => self
                .unreadable(name)
                .map(|_| Superseded("decoder_start_token_id")),
            _ => None,
        }
    }

    /// The power of the length that scores are divided by. Only beams need it, so only for them it has to be usable.
    pub(crate) fn usable_length_penalty(&self) -> f64 {
        match (self.length_penalty as f32).is_finite() {
            true => self.length_penalty,
            false => 1.0,
        }
    }
}

/// Whether a cutoff is outside the range in which it has an effect.
fn is_off(cutoff: f64) -> bool {
    // Not a number is a mistake, not a way to turn it off.
    !cutoff.is_nan() && !(0.0..1.0).contains(&cutoff)
}
