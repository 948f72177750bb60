use std::collections::{HashMap, HashSet};

use crate::Error;

/// A word was seen within a sentence in upper case.
const INTERNAL_UPPER: u32 = 1 << 2;
/// A word was seen at the start of a sentence, within one, or somewhere, in upper case.
const UPPER: u32 = 1 << 1 | INTERNAL_UPPER | 1 << 3;
/// A word was seen at the start of a sentence in lower case.
const INITIAL_LOWER: u32 = 1 << 4;
/// A word was seen at the start of a sentence, within one, or somewhere, in lower case.
const LOWER: u32 = INITIAL_LOWER | 1 << 5 | 1 << 6;

/// What Punkt has learned from the texts of a language. The default has learned nothing.
#[derive(Clone, Debug, Default)]
pub struct PunktModel {
    abbreviations: HashSet<String>,
    collocations: HashSet<(String, String)>,
    sentence_starters: HashSet<String>,
    cases: HashMap<String, u32>,
}

impl PunktModel {
    /// Reads the four files of a language in NLTK's `punkt_tab`, given as their texts: `abbrev_types.txt` and
    /// `sent_starters.txt` have a word per line, `collocations.tab` two words, `ortho_context.tab` a word and a number,
    /// separated by tabs.
    ///
    /// # Errors
    /// [`Error::PunktModel`], naming the file and the line.
    pub fn from_texts(
        abbrev_types: &str,
        sent_starters: &str,
        collocations: &str,
        ortho_context: &str,
    ) -> Result<Self, Error> {
        let words = |text: &str| lines(text).map(|(_, line)| line.to_owned()).collect();
        let mut model = Self {
            abbreviations: words(abbrev_types),
            sentence_starters: words(sent_starters),
            ..Self::default()
        };
        for (number, line) in lines(collocations) {
            let (first, second) = columns("collocations.tab", number, line)?;
            model
                .collocations
                .insert((first.to_owned(), second.to_owned()));
        }
        for (number, line) in lines(ortho_context) {
            let (word, cases) = columns("ortho_context.tab", number, line)?;
            let cases = cases.parse().map_err(|_| Error::PunktModel {
                file: "ortho_context.tab",
                line: number,
                expected: "a number after the tab",
            })?;
            model.cases.insert(word.to_owned(), cases);
        }
        Ok(model)
    }

    pub(super) fn is_abbreviation(&self, word: &str) -> bool {
        self.abbreviations.contains(word)
    }

    pub(super) fn is_sentence_starter(&self, word: &str) -> bool {
        self.sentence_starters.contains(word)
    }

    pub(super) fn is_collocation(&self, first: &str, second: &str) -> bool {
        // Most models have few, and a lookup would need copies of both words.
        !self.collocations.is_empty()
            && self
                .collocations
                .contains(&(first.to_owned(), second.to_owned()))
    }

    /// Whether a word was ever seen in lower case.
    pub(super) fn has_lower(&self, word: &str) -> bool {
        self.has(word, LOWER)
    }

    pub(super) fn has_upper(&self, word: &str) -> bool {
        self.has(word, UPPER)
    }

    /// Whether a word was seen in upper case within a sentence.
    pub(super) fn has_upper_within(&self, word: &str) -> bool {
        self.has(word, INTERNAL_UPPER)
    }

    /// Whether a word was seen in lower case at the start of a sentence.
    pub(super) fn has_lower_first(&self, word: &str) -> bool {
        self.has(word, INITIAL_LOWER)
    }

    fn has(&self, word: &str, cases: u32) -> bool {
        self.cases.get(word).is_some_and(|seen| seen & cases != 0)
    }
}

/// The lines of a text that are not empty, numbered from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| (index + 1, line))
        .filter(|(_, line)| !line.is_empty())
}

fn columns<'t>(
    file: &'static str,
    number: usize,
    line: &'t str,
) -> Result<(&'t str, &'t str), Error> {
    line.split_once('\t').ok_or(Error::PunktModel {
        file,
        line: number,
        expected: "two columns, separated by a tab",
    })
}
