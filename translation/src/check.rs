//! Finds translations that are probably wrong.
//!
//! A model that is wrong is often wrong in ways that can be seen without knowing either language: it repeats a word until
//! the greatest length, returns the text in the language that it came in, or leaves most of it out. [`Checks::flags`]
//! names what it sees, so that flags can be counted and translations be looked at.
//!
//! ```
//! use translation::check::{Checks, Flag};
//! use translation::language;
//!
//! let checks = Checks::new(language("en"), language("ru"));
//! assert_eq!(checks.flags_of_texts("Two dogs on a beach", "Две собаки на пляже"), []);
//! assert_eq!(checks.flags_of_texts("Two dogs on a beach", "Two dogs on a beach"), [Flag::Script, Flag::Copied]);
//! ```

use metrics::Chrf;
use preprocess::text::Language;
use serde::Serialize;

use crate::Translated;

/// What is suspicious about a translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Flag {
    /// The translation is empty, but its source is not.
    Empty,
    /// The end of the source was left out, since it is longer than the model can read.
    Cut,
    /// The model did not end the translation before its greatest length.
    Unfinished,
    /// It is far longer or shorter than its source.
    LengthRatio,
    /// Most of its letters are of a script in which the target language is not written.
    Script,
    /// It is the same text as its source.
    Copied,
    /// A sequence of words is repeated many times.
    Repeated,
    /// Translated back, it is not similar to its source.
    RoundTrip,
}

impl Flag {
    /// The name, as reports have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Cut => "cut",
            Self::Unfinished => "unfinished",
            Self::LengthRatio => "length_ratio",
            Self::Script => "script",
            Self::Copied => "copied",
            Self::Repeated => "repeated",
            Self::RoundTrip => "round_trip",
        }
    }
}

/// What is checked, and within which limits.
#[derive(Clone, Debug)]
pub struct Checks {
    /// The language of the sources, if it is known.
    pub source: Option<Language>,
    /// The language of the translations. If it is not known, their script is not checked.
    pub target: Option<Language>,
    /// The largest ratio of the lengths, in characters, of the longer to the shorter of source and translation. Texts
    /// below [`min_length`](Self::min_length) may be four times as far apart, if it is the translation that is longer. A
    /// character of Chinese or Japanese counts as 2.5, since these languages need fewer.
    pub max_length_ratio: f64,
    /// The fewest characters of a source whose length is compared strictly.
    pub min_length: usize,
    /// The least chrF, from 0 to 100, of a text that was translated and translated back, compared with the text.
    pub min_round_trip: f64,
}

/// How many characters of other languages one of Chinese or Japanese stands for.
const DENSE: f64 = 2.5;

/// How often a sequence of words may stand directly after itself.
const REPETITIONS: usize = 4;

impl Checks {
    /// Checks of translations between two languages, with limits that few good translations exceed.
    pub fn new(source: Option<Language>, target: Option<Language>) -> Self {
        Self {
            source,
            target,
            max_length_ratio: 3.0,
            min_length: 12,
            min_round_trip: 20.0,
        }
    }

    /// The flags of a text's best translation, in the order of [`Flag`].
    pub fn flags(&self, source: &str, translated: &Translated) -> Vec<Flag> {
        let best = translated.best();
        let mut flags = self.flags_of_texts(source, &best.text);
        if translated.is_cut {
            flags.push(Flag::Cut);
        }
        if !best.is_finished {
            flags.push(Flag::Unfinished);
        }
        flags.sort_unstable();
        flags
    }

    /// The flags that source and translation alone show, in the order of [`Flag`].
    pub fn flags_of_texts(&self, source: &str, translation: &str) -> Vec<Flag> {
        let (source, translation) = (source.trim(), translation.trim());
        if source.is_empty() {
            return Vec::new();
        }
        if translation.is_empty() {
            return vec![Flag::Empty];
        }
        let found = [
            (
                Flag::LengthRatio,
                self.is_out_of_proportion(source, translation),
            ),
            (Flag::Script, self.is_in_other_script(translation)),
            (Flag::Copied, is_copied(source, translation)),
            (
                Flag::Repeated,
                is_repeated(translation) && !is_repeated(source),
            ),
        ];
        let found = found.into_iter().filter(|(_, is_found)| *is_found);
        found.map(|(flag, _)| flag).collect()
    }

    /// chrF, from 0 to 100, of a text that was translated and translated back; `None` if it can't be computed, since
    /// a text is too long for example.
    pub fn round_trip(&self, source: &str, back: &str) -> Option<f64> {
        let mut chrf = Chrf::default();
        chrf.add(back, &[source]).ok()?;
        Some(chrf.score())
    }

    /// Whether a text that was translated and translated back is too far from itself.
    pub fn fails_round_trip(&self, source: &str, back: &str) -> bool {
        let score = self.round_trip(source, back);
        score.is_none_or(|score| score < self.min_round_trip)
    }

    fn is_out_of_proportion(&self, source: &str, translation: &str) -> bool {
        let length = |text: &str, language: Option<Language>| {
            let characters = text.chars().count() as f64;
            let is_dense = language
                .is_some_and(|language| ["zh_CN", "yue_HK", "ja_XX"].contains(&language.code));
            characters * if is_dense { DENSE } else { 1.0 }
        };
        let source_length = length(source, self.source);
        let ratio = length(translation, self.target) / source_length;
        let is_long = source_length >= self.min_length as f64;
        // A short text may become much longer, but not without end.
        let most = if is_long {
            self.max_length_ratio
        } else {
            4.0 * self.max_length_ratio
        };
        ratio > most || is_long && 1.0 / ratio > self.max_length_ratio
    }

    fn is_in_other_script(&self, translation: &str) -> bool {
        let Some(target) = self.target else {
            return false;
        };
        let letters = translation.chars().filter(|one| one.is_alphabetic());
        let own: Vec<bool> = letters
            .filter_map(|one| target.is_written_with(one))
            .collect();
        let foreign = own.iter().filter(|own| !**own).count();
        2 * foreign > own.len()
    }
}

/// Whether a translation is its source. Names and numbers are the same in many languages, so a text has to have some words.
fn is_copied(source: &str, translation: &str) -> bool {
    let has_words = source.split_whitespace().count() >= 3;
    has_words && source.to_lowercase() == translation.to_lowercase()
}

/// Whether a sequence of up to four words, or of up to four characters in a long word, stands many times in a row.
fn is_repeated(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let characters: Vec<char> = text.chars().filter(|one| one.is_alphabetic()).collect();
    repeats(&words, REPETITIONS) || repeats(&characters, 2 * REPETITIONS)
}

/// Whether a sequence of up to four items stands more often than `most` times in a row.
fn repeats<T: PartialEq>(items: &[T], most: usize) -> bool {
    (1..=4).any(|period| {
        let needed = period * most;
        let mut equal = 0;
        items
            .iter()
            .zip(items.iter().skip(period))
            .any(|(one, later)| {
                equal = if one == later { equal + 1 } else { 0 };
                equal >= needed
            })
    })
}

#[cfg(test)]
mod tests {
    use preprocess::text::language;

    use super::*;
    use crate::Translation;

    fn checks(source: &str, target: &str) -> Checks {
        Checks::new(language(source), language(target))
    }

    #[test]
    fn good_translations_have_no_flags() {
        for (source, target, text, translation) in [
            ("en", "de", "Two dogs on a beach", "Zwei Hunde am Strand"),
            ("en", "fr", "A cat", "Un chat"),
            (
                "en",
                "zh",
                "Two dogs are playing on a sunny beach",
                "两只狗在阳光明媚的海滩上玩耍",
            ),
            (
                "zh",
                "en",
                "两只狗在阳光明媚的海滩上玩耍",
                "Two dogs are playing on a sunny beach",
            ),
            ("en", "ru", "An iPhone 12 on a table", "iPhone 12 на столе"),
            ("en", "ja", "A cat on a chair", "椅子の上の猫"),
            ("en", "de", "Berlin", "Berlin"),
            ("en", "es", "no no no no no no", "no no no no no no"),
            ("en", "es", "", ""),
        ] {
            let flags = checks(source, target).flags_of_texts(text, translation);
            let flags: Vec<_> = flags
                .into_iter()
                .filter(|flag| *flag != Flag::Copied)
                .collect();
            assert_eq!(flags, [], "{translation}");
        }
    }

    #[test]
    fn wrong_translations_are_flagged() {
        let dogs = "Two dogs on a beach";
        for (target, translation, flag) in [
            ("de", " ", Flag::Empty),
            ("de", "Ja", Flag::LengthRatio),
            (
                "de",
                &"Zwei Hunde, drei Katzen, vier ".repeat(3),
                Flag::LengthRatio,
            ),
            ("ru", "Zwei Hunde am Strand", Flag::Script),
            ("de", "two dogs on a beach", Flag::Copied),
            ("de", "Hund Hund Hund Hund Hund Hund", Flag::Repeated),
            ("de", "Zwei Hunde aaaaaaaaaaaa", Flag::Repeated),
        ] {
            let flags = checks("en", target).flags_of_texts(dogs, translation);
            assert!(flags.contains(&flag), "{translation}: {flags:?}");
        }
    }

    #[test]
    fn what_the_search_knows_is_flagged_too() {
        let translated = Translated {
            translations: vec![Translation {
                text: "Zwei Hunde am Strand".into(),
                score: -1.0,
                ids: vec![1],
                is_finished: false,
            }],
            is_cut: true,
        };
        let flags = checks("en", "de").flags("Two dogs on a beach", &translated);
        assert_eq!(flags, [Flag::Cut, Flag::Unfinished]);
    }

    #[test]
    fn a_round_trip_compares_characters() {
        let checks = checks("en", "de");
        assert!(!checks.fails_round_trip("Two dogs on a beach", "Two dogs at the beach"));
        assert!(checks.fails_round_trip("Two dogs on a beach", "Yes"));
    }
}
