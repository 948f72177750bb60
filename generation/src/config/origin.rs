//! Where the values of options come from, and what of a file is not used.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::read::Unreadable;
use super::{ConfigError, GenerationConfig};

/// What a [`GenerationConfig`] remembers of the file that it was read from: the name of the file, which options it
/// sets, and what of it is not used. Empty for a configuration that was not read.
///
/// An option whose value can't be read keeps its default, and is an error only where it is used, as in transformers.
#[derive(Clone, Default)]
pub struct Origin(pub(super) Option<Arc<Remembered>>);

#[derive(Clone, Default)]
pub(super) struct Remembered {
    pub(super) file: Option<String>,
    /// The options that the file sets.
    pub(super) set: Vec<&'static str>,
    /// The options that were updated since, if only with the value that they had.
    pub(super) said: Vec<&'static str>,
    /// The values that were read, to tell whether they were changed since.
    pub(super) values: GenerationConfig,
    pub(super) unreadable: BTreeMap<&'static str, Unreadable>,
    pub(super) ignored: Vec<Ignored>,
}

/// Equal if the same options can't be read: names of files do not change what is generated.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        let unreadable = |origin: &Self| origin.0.as_ref().map(|file| file.unreadable.clone());
        unreadable(self).unwrap_or_default() == unreadable(other).unwrap_or_default()
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.0.as_ref().and_then(|origin| origin.file.as_ref());
        formatter.debug_tuple("Origin").field(&file).finish()
    }
}

/// Where the value of an option comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionSource {
    /// The file that the configuration was read from; its name, if it is known.
    File(Option<String>),
    /// The program or its user, by [`GenerationConfig::updated`] or with a value that is neither the file's nor the
    /// default.
    Caller,
    /// Nobody has set it.
    Default,
}

/// An option that is not used, or not as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ignored {
    /// Name of the option.
    pub option: String,
    /// Why it is not used.
    pub reason: IgnoredReason,
}

impl fmt::Display for Ignored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.option, self.reason)
    }
}

/// Why an option is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IgnoredReason {
    /// No option has this name.
    Unknown,
    /// It does not change what is generated.
    NoEffect,
    /// It concerns the text that an encoder reads. Images have none.
    EncoderText,
    /// Only another strategy uses it: the option that would choose that.
    OtherStrategy(&'static str),
    /// This option takes precedence.
    Superseded(&'static str),
    /// Its value turns it off.
    Off,
    /// It is neither `true` nor `false`, and counts as `false`.
    NotTrue,
    /// The shortest text is longer than the longest, so texts end only at the greatest length.
    LongerThanLongest,
    /// It has tokens that the vocabulary does not have.
    NoSuchTokens,
}

impl fmt::Display for IgnoredReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("is ignored: no option has this name"),
            Self::NoEffect => {
                formatter.write_str("is ignored: it does not change what is generated")
            }
            Self::EncoderText => formatter.write_str(
                "is ignored: it concerns the text that an encoder reads, and images have none",
            ),
            Self::OtherStrategy(option) => {
                write!(formatter, "is ignored: it has an effect only with {option}")
            }
            Self::Superseded(option) => {
                write!(formatter, "is ignored: {option} takes precedence")
            }
            Self::Off => formatter.write_str("is ignored: its value turns it off"),
            Self::NotTrue => formatter
                .write_str("is neither true nor false and counts as false, as in transformers"),
            Self::LongerThanLongest => formatter.write_str(
                "is longer than the longest text, so texts end only at the greatest length",
            ),
            Self::NoSuchTokens => formatter
                .write_str("has tokens that the vocabulary does not have, which are ignored"),
        }
    }
}

impl GenerationConfig {
    /// Where the value of an option comes from.
    pub fn source_of(&self, option: &str) -> OptionSource {
        let origin = self.origin.0.as_deref();
        match origin {
            Some(origin) if origin.said.contains(&option) => OptionSource::Caller,
            Some(origin)
                if origin.set.contains(&option) && self.has_same(option, &origin.values) =>
            {
                OptionSource::File(origin.file.clone())
            }
            _ if self.has_same(option, &Self::default()) => OptionSource::Default,
            _ => OptionSource::Caller,
        }
    }

    /// This configuration with the name of the file that it was read from, for errors. It has no effect on one that
    /// was not read.
    pub fn with_file(mut self, file: impl Into<String>) -> Self {
        if let Some(origin) = &mut self.origin.0 {
            Arc::make_mut(origin).file = Some(file.into());
        }
        self
    }

    /// This configuration with the values of `defaults` for the options that neither its file nor anybody else has
    /// set. The greatest length is one option here, whether it is set by `max_length` or `max_new_tokens`.
    pub fn with_defaults(&self, defaults: &Self) -> Self {
        const LENGTHS: [&str; 2] = ["max_length", "max_new_tokens"];
        let is_set = |name: &str| self.source_of(name) != OptionSource::Default;
        let has_length = LENGTHS.into_iter().any(is_set);
        let mut filled = self.clone();
        for name in super::OPTIONS {
            if !(is_set(name) || (has_length && LENGTHS.contains(name))) {
                filled.copy(name, defaults);
            }
        }
        filled
    }

    /// What is not used of the options, and of the file that they were read from. [`unknown_tokens`](Self::unknown_tokens)
    /// tells more once the vocabulary is known.
    pub fn ignored(&self) -> Vec<Ignored> {
        let ignored = |option: &str, reason| Ignored {
            option: option.into(),
            reason,
        };
        let default = Self::default();
        let of_file = self.origin.0.as_deref().map(|file| file.ignored.iter());
        let of_file = of_file.into_iter().flatten().filter(|one| {
            super::table::known(&one.option)
                .is_none_or(|name| matches!(self.source_of(name), OptionSource::File(_)))
        });
        let unused = super::OPTIONS.iter().filter_map(|name| {
            // A default that is written down is nothing to tell of.
            let differs = !self.has_same(name, &default) || self.unreadable(name).is_some();
            let reason = self.unused(name).filter(|_| differs)?;
            Some(ignored(name, reason))
        });
        of_file.cloned().chain(unused).collect()
    }

    /// The options with tokens that a vocabulary of this size does not have, where they have no effect.
    pub fn unknown_tokens(&self, vocab_size: usize) -> Vec<Ignored> {
        let lists = [
            ("eos_token_id", &self.eos_token_id),
            ("suppress_tokens", &self.suppress_tokens),
            ("begin_suppress_tokens", &self.begin_suppress_tokens),
        ];
        let is_unknown = |token: &u32| *token as usize >= vocab_size;
        let with_unknown = lists
            .iter()
            .filter(|(_, tokens)| tokens.iter().any(is_unknown));
        with_unknown
            .map(|(name, _)| Ignored {
                option: (*name).into(),
                reason: IgnoredReason::NoSuchTokens,
            })
            .collect()
    }

    /// The value of an option that can't be read and that nobody has replaced since.
    pub(super) fn unreadable(&self, name: &str) -> Option<&Unreadable> {
        let file = self.origin.0.as_deref()?;
        let unreadable = file.unreadable.get(name)?;
        self.has_same(name, &file.values).then_some(unreadable)
    }

    /// Checks that an option could be read.
    pub(crate) fn check_readable(&self, name: &str) -> Result<(), ConfigError> {
        match self.unreadable(name) {
            Some(unreadable) => Err(ConfigError::value(name, unreadable)),
            None => Ok(()),
        }
    }

    /// Names the file of an error that concerns an option of the file.
    pub(crate) fn located(&self, error: ConfigError) -> ConfigError {
        let of_file =
            error
                .concerned()
                .into_iter()
                .find_map(|option| match self.source_of(option) {
                    OptionSource::File(file) => file,
                    _ => None,
                });
        match of_file {
            Some(file) => ConfigError::InFile {
                file,
                source: Box::new(error),
            },
            None => error,
        }
    }
}
