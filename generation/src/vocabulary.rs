//! The text of tokens.

use std::sync::OnceLock;

/// The text that each token of a vocabulary stands for, with its leading space if it has one.
///
/// Stop strings and phrases of words need it. Special tokens, such as end tokens and language codes,
/// have no text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// The concatenated texts of all tokens.
    text: String,
    /// The end of each token's text.
    ends: Vec<usize>,
    special: Vec<bool>,
    /// Computed on first use.
    ending_words: OnceLock<Vec<u32>>,
}

impl Vocabulary {
    /// A vocabulary with the text of every token, in the order of their ids; `None` for special
    /// tokens.
    pub fn new<T: AsRef<str>>(texts: impl IntoIterator<Item = Option<T>>) -> Self {
        let mut vocabulary = Self::default();
        for text in texts {
            vocabulary.special.push(text.is_none());
            if let Some(text) = text {
                vocabulary.text.push_str(text.as_ref());
            }
            vocabulary.ends.push(vocabulary.text.len());
        }
        vocabulary
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text of a token; `None` if the token is special or does not exist.
    pub fn text(&self, token: u32) -> Option<&str> {
        let token = token as usize;
        let is_special = *self.special.get(token)?;
        let start = match token.checked_sub(1) {
            Some(before) => self.ends[before],
            None => 0,
        };
        (!is_special).then(|| &self.text[start..self.ends[token]])
    }

    /// The texts of all tokens; `None` for special ones.
    pub fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len() as u32).map(|token| self.text(token))
    }

    /// The tokens that end the word before them: special tokens, and those that do not begin with a
    /// letter.
    pub(crate) fn ending_words(&self) -> &[u32] {
        let ends = |added: Option<&str>| match added.map(|added| added.chars().next()) {
            Some(Some(next)) => separates_words(next),
            Some(None) => false,
            None => true,
        };
        self.ending_words.get_or_init(|| {
            let tokens = (0..).zip(self.texts());
            let ending = tokens.filter(|(_, added)| ends(*added));
            ending.map(|(token, _)| token).collect()
        })
    }

    /// The text of the tokens after the last special token. Special tokens separate texts: stop
    /// strings and phrases do not extend across them.
    pub fn text_after_special(&self, tokens: &[u32]) -> String {
        let is_special = |token: &u32| self.text(*token).is_none();
        let start = tokens
            .iter()
            .rposition(is_special)
            .map_or(0, |last| last + 1);
        tokens[start..]
            .iter()
            .filter_map(|token| self.text(*token))
            .collect()
    }
}

/// Whether a character separates words: white space, punctuation, and letters of
/// [scripts without spaces](is_unspaced), which have a word boundary on both sides.
pub fn separates_words(character: char) -> bool {
    is_unspaced(character)
        || character.is_whitespace()
        || (character.is_ascii() && !character.is_ascii_alphanumeric())
        || matches!(character,
            '\u{a1}'..='\u{a9}' | '\u{ab}'..='\u{b4}' | '\u{b6}'..='\u{b9}' | '\u{bb}'..='\u{bf}' // Latin-1 signs
            | '\u{104a}'..='\u{104f}' | '\u{17d4}'..='\u{17da}' // Myanmar and Khmer punctuation
            | '\u{060c}' | '\u{061b}' | '\u{061f}' | '\u{06d4}' // Arabic punctuation
            | '\u{0964}' | '\u{0965}' // Indic full stops
            | '\u{2000}'..='\u{200b}' | '\u{200e}'..='\u{206f}' // general punctuation, without joiners
            | '\u{2e00}'..='\u{31ff}' // more punctuation, radicals
            | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' // their forms
            | '\u{1f000}'..='\u{1faff}' // emoji
        )
}

/// Whether a letter belongs to a script that is written without spaces between words: Thai, Lao,
/// Myanmar, Khmer, Kana, Han.
pub fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{1049}' | '\u{1050}'..='\u{109f}'
        | '\u{1780}'..='\u{17d3}' | '\u{17db}'..='\u{17ff}'
        | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}'
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}'
    )
}

/// A vocabulary for tests.
#[cfg(test)]
pub(crate) const DOGS: [Option<&str>; 12] = [
    None,
    Some(" a"),
    Some(" dog"),
    Some("ma"),
    Some("."),
    Some(" hot"),
    Some("dog"),
    Some(" d"),
    Some("og"),
    Some(" runs"),
    Some("ogs"),
    Some(" dog."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_their_texts() {
        let vocabulary = Vocabulary::new([None, Some(" dog"), Some(""), None, Some("ma")]);
        assert_eq!(vocabulary.len(), 5);
        let texts: Vec<_> = vocabulary.texts().collect();
        assert_eq!(texts, [None, Some(" dog"), Some(""), None, Some("ma")]);
        assert_eq!(vocabulary.text(5), None);
        assert_eq!(vocabulary.text_after_special(&[1, 3, 0, 1, 4]), " dogma");
        assert_eq!(vocabulary.text_after_special(&[1, 3]), "");
    }

    #[test]
    fn words_end_where_readers_expect_it() {
        for inside in "aZ9éßжאेк्\u{200d}가".chars() {
            assert!(!separates_words(inside), "{inside:?}");
        }
        for outside in " .,'-«»。、！狗ねカไ।؟…🙂".chars() {
            assert!(separates_words(outside), "{outside:?}");
        }
    }
}
