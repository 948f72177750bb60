//! The rules for captions, each in a file that is named like its reason.

mod control_characters;
mod empty_caption;
mod html;
mod mojibake;
mod placeholders;
mod replacement_characters;
mod too_long;
mod too_many_tokens;
mod too_short;
mod unwanted_language;

use preprocess::text::{Language, Tokenizer};

use self::control_characters::ControlCharacters;
pub(super) use self::empty_caption::is_empty;
use self::html::Html;
use self::mojibake::Mojibake;
use self::placeholders::Placeholders;
use self::replacement_characters::ReplacementCharacters;
use self::too_long::TooLong;
use self::too_many_tokens::TooManyTokens;
use self::too_short::TooShort;
use self::unwanted_language::UnwantedLanguage;
use super::CaptionLimits;
use crate::Caption;

/// A rule that looks at one caption at a time. Implement it for rules of your own.
pub trait CaptionRule: Send + Sync {
    /// The name of the reason in reports: short, lower case, with underscores.
    fn name(&self) -> &'static str;

    /// What is wrong with a caption, in words, or `None` if it passes. The words do not repeat the caption.
    fn check(&self, caption: &Caption) -> Option<String>;
}

/// The rules that are turned on, in the order in which reasons are listed. `wanted` without a language is all of them.
pub(super) fn rules(limits: &CaptionLimits, wanted: Vec<Language>) -> Vec<Box<dyn CaptionRule>> {
    let mut rules: Vec<Box<dyn CaptionRule>> = Vec::new();
    if !wanted.is_empty() {
        rules.push(Box::new(UnwantedLanguage(wanted)));
    }
    rules.push(Box::new(ControlCharacters {
        all: limits.drop_control_characters,
    }));
    if limits.drop_replacement_characters {
        rules.push(Box::new(ReplacementCharacters));
    }
    if limits.drop_mojibake {
        rules.push(Box::new(Mojibake));
    }
    if limits.drop_html {
        rules.push(Box::new(Html));
    }
    if !limits.placeholders.is_empty() {
        rules.push(Box::new(Placeholders {
            placeholders: limits.placeholders.clone(),
            most: limits.max_placeholder_run,
        }));
    }
    rules.push(Box::new(TooLong {
        characters: limits.max_characters,
        words: limits.max_words,
    }));
    rules.push(Box::new(TooShort {
        characters: limits.min_characters,
        words: limits.min_words,
    }));
    rules
}

/// The rule for tokens, if there is a limit.
pub(super) fn token_rule(
    limits: &CaptionLimits,
    tokenizer: Tokenizer,
) -> Option<Box<dyn CaptionRule>> {
    let most = limits.max_tokens?;
    Some(Box::new(TooManyTokens { tokenizer, most }))
}

/// Whether a language separates words by spaces, so that words can be counted.
fn has_spaces(language: Language) -> bool {
    !matches!(
        language.code,
        "zh_CN" | "ja_XX" | "th_TH" | "my_MM" | "km_KH"
    )
}

#[cfg(test)]
fn caption(text: &str) -> Caption {
    in_language("en", text)
}

#[cfg(test)]
fn in_language(language: &str, text: &str) -> Caption {
    Caption {
        language: preprocess::text::language(language).unwrap(),
        text: text.to_owned(),
    }
}
