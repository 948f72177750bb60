//! How Punkt reads a text: where a sentence may end, and the words around such a place.

use super::substitute::run;
use crate::python;
use crate::python::regex::is_space;

/// A place where a sentence may end.
pub(super) struct Context {
    /// Where the full stop, question or exclamation mark is.
    pub(super) stop: usize,
    /// Where the next sentence would start.
    pub(super) next: usize,
    /// The word before, the mark, and what follows: the next word, or one character of punctuation.
    pub(super) text: Vec<char>,
}

/// The places where a sentence may end. Of several in one word, only the last counts.
pub(super) fn contexts(text: &[char]) -> Vec<Context> {
    let mut contexts = Vec::new();
    // The word before the last mark starts here, and the mark is there.
    let mut word_start = 0;
    let mut last: Option<usize> = None;
    for stop in (0..text.len()).filter(|at| after(text, *at).is_some()) {
        let from = last.unwrap_or(0);
        // NLTK takes white space at the very start of this part for none.
        let space = text[from..stop]
            .iter()
            .rposition(|one| is_ascii_space(*one));
        let start = match space {
            None | Some(0) => word_start,
            Some(space) => from + space + 1,
        };
        if let Some(last) = last
            && last <= start
        {
            contexts.extend(context(text, word_start, last));
        }
        word_start = start;
        last = Some(stop);
    }
    contexts.extend(last.and_then(|last| context(text, word_start, last)));
    contexts
}

fn context(text: &[char], start: usize, stop: usize) -> Option<Context> {
    let (next, end) = after(text, stop)?;
    Some(Context {
        stop,
        next,
        text: text[start..end].to_vec(),
    })
}

/// If a sentence may end at `stop`, where the next would start, and where the first word of it would end.
fn after(text: &[char], stop: usize) -> Option<(usize, usize)> {
    if !matches!(text[stop], '.' | '?' | '!') {
        return None;
    }
    let rest = &text[stop + 1..];
    if is_outside_words(*rest.first()?) {
        return Some((stop + 1, stop + 2));
    }
    let spaces = run(rest, is_space);
    let word = run(&rest[spaces..], |one| !is_space(one));
    (spaces > 0 && word > 0).then_some((stop + 1 + spaces, stop + 1 + spaces + word))
}

/// The words of a text, and its punctuation, from which full stops are not split.
pub(super) fn words(text: &[char]) -> Vec<String> {
    let mut words = Vec::new();
    let lines = text.split(|one| *one == '\n');
    for line in lines.filter(|line| !line.iter().all(|one| python::is_space(*one))) {
        let mut rest = line;
        while let Some(first) = rest.first() {
            let length = match long_punctuation(rest) {
                0 if is_space(*first) => {
                    rest = &rest[1..];
                    continue;
                }
                0 if starts_word(*first) => word(rest),
                0 => 1,
                length => length,
            };
            words.push(rest[..length].iter().collect());
            rest = &rest[length..];
        }
    }
    words
}

/// The length of the word that a text begins with: at least 1, and up to white space or punctuation.
fn word(text: &[char]) -> usize {
    let ends = |rest: &[char]| match rest {
        [] => true,
        [first, ..] => is_space(*first) || is_outside_words(*first) || long_punctuation(rest) > 0,
    };
    (1..text.len())
        .find(|at| {
            let rest = &text[*at..];
            ends(rest) || rest[0] == ',' && ends(&rest[1..])
        })
        .unwrap_or(text.len())
}

/// The length of the hyphens, full stops, or full stops with single spaces that a text begins with, or 0.
fn long_punctuation(text: &[char]) -> usize {
    for mark in ['-', '.'] {
        let length = run(text, |one| one == mark);
        if length > 1 {
            return length;
        }
    }
    let mut pairs = 0;
    while let (Some('.'), Some(space)) = (text.get(2 * pairs), text.get(2 * pairs + 1))
        && is_space(*space)
    {
        pairs += 1;
    }
    // A full stop has to follow; the last pair may give its own.
    match text.get(2 * pairs) {
        Some('.') if pairs >= 2 => 2 * pairs + 1,
        _ if pairs >= 3 => 2 * pairs - 1,
        _ => 0,
    }
}

fn starts_word(character: char) -> bool {
    !"(\"`{[:;&#*@)}]-,".contains(character)
}

/// Punctuation that is never part of a word.
fn is_outside_words(character: char) -> bool {
    is_quote_or_bracket(character) || ";*:@({[?!".contains(character)
}

/// What may close a sentence after its full stop.
pub(super) fn is_quote_or_bracket(character: char) -> bool {
    "\"')]}‘’“”«»".contains(character)
}

/// `string.whitespace`.
fn is_ascii_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}
