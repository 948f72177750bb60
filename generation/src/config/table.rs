//! The options by name: everything that is done with each of them.

use super::read::{self, Unreadable};
use super::write::Python;
use super::{ConfigError, GenerationConfig};

/// Defines [`OPTIONS`] and what concerns every option, from their names and the functions that read their values.
macro_rules! options {
    ($($name:ident: $read:expr,)*) => {
        /// Names of all options of [`GenerationConfig`].
        pub const OPTIONS: &[&str] = &[$(stringify!($name)),*];

        impl GenerationConfig {
            /// Sets an option from the text of its JSON value.
            pub(super) fn read(&mut self, name: &str, text: &str) -> Result<(), Unreadable> {
                match name {
                    $(stringify!($name) => self.$name = $read(text)?,)*
                    _ => {}
                }
                Ok(())
            }

            /// The text of an option as JSON that Python reads.
            pub(super) fn written(&self, name: &str) -> String {
                let mut text = String::new();
                match name {
                    $(stringify!($name) => self.$name.write(&mut text),)*
                    _ => {}
                }
                text
            }

            /// Sets an option to its value in `other`.
            pub(super) fn copy(&mut self, name: &str, other: &Self) {
                match name {
                    $(stringify!($name) => self.$name.clone_from(&other.$name),)*
                    _ => {}
                }
            }

            /// Whether an option has the same value in `other`. NaN is the same as NaN.
            pub(super) fn has_same(&self, name: &str, other: &Self) -> bool {
                match name {
                    $(stringify!($name) => same(&self.$name, &other.$name),)*
                    _ => true,
                }
            }
        }
    };
}

options! {
    num_beams: read::count,
    num_return_sequences: read::count,
    length_penalty: read::number,
    early_stopping: read::early_stopping,
    num_beam_groups: read::at_least_one,
    diversity_penalty: read::number,
    do_sample: read::truth,
    temperature: read::number,
    top_k: read::count,
    top_p: read::number,
    min_p: read::some(read::number),
    top_h: read::some(read::number),
    typical_p: read::number,
    epsilon_cutoff: read::number,
    eta_cutoff: read::number,
    penalty_alpha: read::some(read::number),
    repetition_penalty: read::number,
    no_repeat_ngram_size: read::at_least_zero,
    bad_words_ids: read::sequences,
    force_words_ids: read::phrases,
    sequence_bias: read::biases,
    suppress_tokens: read::tokens_that_exist,
    begin_suppress_tokens: read::tokens_that_exist,
    exponential_decay_length_penalty: read::some(read::start_and_factor),
    renormalize_logits: read::exactly_true,
    max_length: read::some(read::count),
    max_new_tokens: read::some(read::count),
    min_length: read::at_least_zero,
    min_new_tokens: read::some(read::at_least_zero),
    max_time: read::some(read::number),
    stop_strings: read::strings,
    forced_bos_token_id: read::some(read::token),
    forced_eos_token_id: read::tokens,
    decoder_start_token_id: read::some(read::token),
    bos_token_id: read::some(read::token),
    pad_token_id: read::some(read::token),
    eos_token_id: read::tokens_that_exist,
    seed: read::seed,
    patience: read::number,
}

/// The name of an option as a constant.
pub(super) fn known(name: &str) -> Option<&'static str> {
    OPTIONS.iter().find(|known| **known == name).copied()
}

fn same<T: PartialEq>(one: &T, other: &T) -> bool {
    // Only NaN differs from itself.
    one == other || (one.ne(one) && other.ne(other))
}

impl ConfigError {
    /// The error of an option whose value can't be read.
    pub(super) fn value(option: &str, unreadable: &Unreadable) -> Self {
        Self::Value {
            option: option.into(),
            found: unreadable.found.clone(),
            expected: unreadable.expected,
        }
    }
}
