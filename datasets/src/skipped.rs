use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Origin;

/// A row, entry or image of a data set that can't be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Where it stands.
    pub origin: Origin,
    /// The name of its image, as far as it is known.
    pub image: Option<String>,
    /// What is wrong.
    pub reason: SkipReason,
    /// The details: what was expected and what was found.
    pub detail: String,
}

impl fmt::Display for Skipped {
    /// One line, whatever names and texts it has.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.origin.to_string();
        if let Some(image) = &self.image {
            let short: String = image.chars().take(200).collect();
            line += &format!(" ({short})");
        }
        line += &format!(": {}: {}", self.reason, self.detail);
        for character in line.chars() {
            match character.is_control() {
                true => write!(formatter, "{}", character.escape_default())?,
                false => write!(formatter, "{character}")?,
            }
        }
        Ok(())
    }
}

/// What can be wrong with a row, an entry or an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SkipReason {
    /// A row has another number of fields than its table has columns: a tab in a caption, or a table cut short.
    FieldCount,
    /// A quotation mark at the beginning of a field is never closed, so that it would swallow the rows that follow.
    UnclosedQuote,
    /// A row is longer than the limit.
    TooLong,
    /// A row is not UTF-8 text.
    NotText,
    /// A text holds a NUL character.
    Nul,
    /// A caption holds a tab, within quotation marks.
    Tab,
    /// The language is not one of those that are known.
    UnknownLanguage,
    /// A row or entry names no image or holds none.
    NoImage,
    /// An entry has no caption, or none in the languages that are asked for.
    NoCaption,
    /// What stands beside an image in a shard can't be understood.
    Malformed,
    /// A shard ends in the middle of an entry, or without the mark of its end.
    CutShort,
    /// An image, or the file that holds it, can't be read.
    Unreadable,
    /// An image is not one that can be decoded.
    NotAnImage,
    /// The image processor can't make anything of an image.
    NotProcessed,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: [Self; 14] = [
        Self::FieldCount,
        Self::UnclosedQuote,
        Self::TooLong,
        Self::NotText,
        Self::Nul,
        Self::Tab,
        Self::UnknownLanguage,
        Self::NoImage,
        Self::NoCaption,
        Self::Malformed,
        Self::CutShort,
        Self::Unreadable,
        Self::NotAnImage,
        Self::NotProcessed,
    ];
}

impl fmt::Display for SkipReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::FieldCount => "wrong number of fields",
            Self::UnclosedQuote => "quotation mark not closed",
            Self::TooLong => "row too long",
            Self::NotText => "not UTF-8 text",
            Self::Nul => "NUL character",
            Self::Tab => "tab in a caption",
            Self::UnknownLanguage => "unknown language",
            Self::NoImage => "no image",
            Self::NoCaption => "no caption",
            Self::Malformed => "can't be understood",
            Self::CutShort => "cut short",
            Self::Unreadable => "can't be read",
            Self::NotAnImage => "not an image that can be decoded",
            Self::NotProcessed => "can't be processed",
        })
    }
}

/// How many entries were skipped for each reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SkipCounts(BTreeMap<SkipReason, u64>);

impl SkipCounts {
    /// Counts one more.
    pub fn add(&mut self, reason: SkipReason) {
        *self.0.entry(reason).or_default() += 1;
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: &Self) {
        for (reason, count) in &other.0 {
            *self.0.entry(*reason).or_default() += count;
        }
    }

    /// How many were skipped for this reason.
    pub fn count(&self, reason: SkipReason) -> u64 {
        self.0.get(&reason).copied().unwrap_or(0)
    }

    /// How many were skipped altogether.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The reasons that occurred, with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (SkipReason, u64)> + '_ {
        self.0.iter().map(|(reason, count)| (*reason, *count))
    }
}
