use super::punkt_context::{contexts, words};
use super::substitute::run;
use super::{PunktModel, punkt_context};
use crate::python;
use crate::python::regex::{is_digit, is_letter, is_space};

/// Finds sentences (Kiss and Strunk 2006, "Unsupervised Multilingual Sentence Boundary Detection").
///
/// A full stop, question or exclamation mark before white space or punctuation ends a sentence, unless the full stop
/// belongs to an abbreviation, an initial or a number and the next word does not look like the first of a sentence.
///
/// Source: `PunktSentenceTokenizer` of NLTK 3.10, whose training is not part of this crate.
#[derive(Clone, Debug, Default)]
pub struct Punkt {
    model: PunktModel,
}

/// A word with the decisions about it.
struct Token {
    text: String,
    /// In lower case; `##number##` for a number.
    kind: String,
    ends_sentence: bool,
    is_abbreviation: bool,
    is_ellipsis: bool,
}

/// Whether a word looks like the first of a sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StartsSentence {
    Yes,
    No,
    Unknown,
}

const NUMBER: &str = "##number##";

impl Punkt {
    /// Uses what was learned about a language.
    pub fn with_model(model: PunktModel) -> Self {
        Self { model }
    }

    /// The sentences of a text, without the white space between them. A text of white space alone has none.
    pub fn sentences<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let characters: Vec<(usize, char)> = text.char_indices().collect();
        let plain: Vec<char> = characters.iter().map(|(_, one)| *one).collect();
        let byte = |at: usize| characters.get(at).map_or(text.len(), |(byte, _)| *byte);
        let ranges = realigned(&plain, self.ranges(&plain));
        ranges
            .into_iter()
            .map(|(start, end)| &text[byte(start)..byte(end)])
            .collect()
    }

    /// Where sentences start and end, in characters. The last may end before it starts.
    fn ranges(&self, text: &[char]) -> Vec<(usize, usize)> {
        let mut ranges = Vec::new();
        let mut start = 0;
        for context in contexts(text) {
            if self.has_boundary(&context.text) {
                ranges.push((start, context.stop + 1));
                start = context.next;
            }
        }
        let spaces = text.iter().rev().take_while(|one| python::is_space(**one));
        ranges.push((start, text.len() - spaces.count()));
        ranges
    }

    /// Whether a sentence ends within a text, at another word than the last.
    fn has_boundary(&self, text: &[char]) -> bool {
        let mut tokens: Vec<Token> = words(text)
            .into_iter()
            .map(|word| self.token(word))
            .collect();
        for next in 1..tokens.len() {
            let (before, after) = tokens.split_at_mut(next);
            self.revise(&mut before[next - 1], &after[0]);
        }
        tokens.pop();
        tokens.iter().any(|token| token.ends_sentence)
    }

    /// What a word says by itself.
    fn token(&self, text: String) -> Token {
        let lower = text.to_lowercase();
        let mut token = Token {
            kind: match is_number(&lower) {
                true => NUMBER.into(),
                false => lower,
            },
            ends_sentence: matches!(text.as_str(), "." | "?" | "!"),
            is_abbreviation: false,
            is_ellipsis: text.len() > 1 && text.bytes().all(|byte| byte == b'.'),
            text,
        };
        let decided = token.ends_sentence || token.is_ellipsis;
        if let (false, Some(word)) = (decided, token.text.strip_suffix('.'))
            && !word.ends_with('.')
        {
            let word = word.to_lowercase();
            let last = word.rsplit('-').next().unwrap_or_default();
            token.is_abbreviation =
                self.model.is_abbreviation(&word) || self.model.is_abbreviation(last);
            token.ends_sentence = !token.is_abbreviation;
        }
        token
    }

    /// What the next word says about one that ends with a full stop.
    fn revise(&self, token: &mut Token, next: &Token) {
        if !token.text.ends_with('.') {
            return;
        }
        let kind = token.kind_without_stop();
        let next_kind = next.kind_without_final_stop();
        let is_initial = token.is_initial();
        let starts_upper = next.first().is_some_and(char::is_uppercase);
        if self.model.is_collocation(kind, next_kind) {
            token.ends_sentence = false;
            return;
        }
        let starts = self.starts_sentence(next);
        if (token.is_abbreviation || token.is_ellipsis)
            && !is_initial
            && (starts == StartsSentence::Yes
                || starts_upper && self.model.is_sentence_starter(next_kind))
        {
            token.ends_sentence = true;
            return;
        }
        // A name after initials: "J. Bach".
        let is_name = is_initial && starts_upper && !self.model.has_lower(next_kind);
        if (is_initial || kind == NUMBER)
            && (starts == StartsSentence::No || starts == StartsSentence::Unknown && is_name)
        {
            token.ends_sentence = false;
        }
    }

    /// Whether a word looks like the first of a sentence, by its case here and elsewhere.
    fn starts_sentence(&self, token: &Token) -> StartsSentence {
        if matches!(token.text.as_str(), ";" | ":" | "," | "." | "!" | "?") {
            return StartsSentence::No;
        }
        let kind = token.kind_without_final_stop();
        let model = &self.model;
        let first = token.first();
        if first.is_some_and(char::is_uppercase)
            && model.has_lower(kind)
            && !model.has_upper_within(kind)
        {
            StartsSentence::Yes
        } else if first.is_some_and(char::is_lowercase)
            && (model.has_upper(kind) || !model.has_lower_first(kind))
        {
            StartsSentence::No
        } else {
            StartsSentence::Unknown
        }
    }
}

impl Token {
    fn first(&self) -> Option<char> {
        self.text.chars().next()
    }

    fn kind_without_stop(&self) -> &str {
        match self.kind.strip_suffix('.') {
            Some(kind) if !kind.is_empty() => kind,
            _ => &self.kind,
        }
    }

    /// Without its full stop if that ends a sentence.
    fn kind_without_final_stop(&self) -> &str {
        match self.ends_sentence {
            true => self.kind_without_stop(),
            false => &self.kind,
        }
    }

    /// One letter and a full stop.
    fn is_initial(&self) -> bool {
        let mut characters = self.text.chars();
        characters.next().is_some_and(is_letter) && characters.as_str() == "."
    }
}

/// A sign or point, a digit, and more of these.
fn is_number(word: &str) -> bool {
    let word = word.strip_prefix('-').unwrap_or(word);
    let word = word.strip_prefix(['.', ',']).unwrap_or(word);
    word.starts_with(is_digit) && word.chars().all(|one| is_digit(one) || ",.-".contains(one))
}

/// Moves quotation marks and brackets that close a sentence from the next one to it.
fn realigned(text: &[char], ranges: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let mut result = Vec::new();
    let mut moved = 0;
    for (index, (start, end)) in ranges.iter().enumerate() {
        let start = start + moved;
        moved = 0;
        let mut end = *end;
        if let Some((next, next_end)) = ranges.get(index + 1)
            && let Some(sentence) = text.get(*next..*next_end)
        {
            let closing = run(sentence, punkt_context::is_quote_or_bracket);
            let rest = &sentence[closing..];
            let closes = matches!(rest, [] | ['-', '-', ..]) || is_space(rest[0]);
            if closing > 0 && closes {
                end = next + closing;
                moved = closing + run(rest, is_space);
            }
        }
        if start < end {
            result.push((start, end));
        }
    }
    result
}
