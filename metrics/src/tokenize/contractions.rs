use crate::python::{folded, is_space, is_word};

/// Words that the Penn Treebank splits: `cannot` is `can` and `not`.
const CONTRACTIONS: [(&str, &str); 8] = [
    ("can", "not"),
    ("d", "'ye"),
    ("gim", "me"),
    ("gon", "na"),
    ("got", "ta"),
    ("lem", "me"),
    ("more", "'n"),
    ("wan", "na"),
];

/// The same for words that begin with an apostrophe, after a space.
const AFTER_A_SPACE: [(&str, &str); 2] = [("'t", "is"), ("'t", "was")];

/// Splits contractions, in any case of letters.
pub(super) fn split(mut text: Vec<char>) -> Vec<char> {
    for (first, second) in CONTRACTIONS {
        text = split_one(&text, first, second, false);
    }
    for (first, second) in AFTER_A_SPACE {
        text = split_one(&text, first, second, true);
    }
    text
}

fn split_one(text: &[char], first: &str, second: &str, after_a_space: bool) -> Vec<char> {
    let word: Vec<char> = first.chars().chain(second.chars()).collect();
    let middle = first.len(); // all of it is ASCII
    let mut result = Vec::with_capacity(text.len());
    let mut position = 0;
    while position < text.len() {
        let start = position + usize::from(after_a_space);
        let begins = match after_a_space {
            true => text[position] == ' ',
            false => position == 0 || !is_word(text[position - 1]),
        };
        if begins && ends(text, start, &word) {
            result.push(' ');
            result.extend(&text[start..start + middle]);
            result.push(' ');
            result.extend(&text[start + middle..start + word.len()]);
            result.push(' ');
            position = start + word.len();
        } else {
            result.push(text[position]);
            position += 1;
        }
    }
    result
}

/// Whether the word stands at `start` and ends there.
fn ends(text: &[char], start: usize, word: &[char]) -> bool {
    let Some(found) = text.get(start..start + word.len()) else {
        return false;
    };
    let equal = found.iter().zip(word).all(|(a, b)| folded(*a) == *b);
    let next = text.get(start + word.len()).copied();
    equal
        && match word {
            // The one word that has to be followed by white space.
            ['w', 'a', 'n', ..] => next.is_some_and(is_space),
            _ => !next.is_some_and(is_word),
        }
}
