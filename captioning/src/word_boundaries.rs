use std::ops::Range;

use generation::is_unspaced;

/// How SentencePiece spells a space: in front of the piece that begins a word.
const SPACE: char = '▁';

/// What a piece is made of, as far as it matters for the ends of words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Letters or digits of a script with spaces: joins its like.
    Letters,
    /// Only punctuation: joins its like, and letters where it stands between them.
    Punctuation,
    /// Something of a script without spaces: an entry of its own.
    Unspaced,
}

/// The words in a row of tokens, as ranges of it. A token is as the vocabulary spells it; `None` is
/// one that belongs to no word.
///
/// A word reaches from one space to the next; punctuation at its ends is split off, and pieces of
/// scripts without spaces stand alone, since nothing tells which of them are a word.
pub(crate) fn words(tokens: &[Option<String>]) -> Vec<Range<usize>> {
    let goes_on = |_: &Option<String>, token: &Option<String>| {
        token
            .as_ref()
            .is_some_and(|token| !token.starts_with(SPACE))
    };
    let mut words = Vec::new();
    let mut first = 0;
    for group in tokens.chunk_by(goes_on) {
        let pieces: Vec<(usize, &str)> = (first..)
            .zip(group)
            .filter_map(|(index, token)| Some((index, token.as_ref()?.trim_start_matches(SPACE))))
            .collect();
        split(&pieces, &mut words);
        first += group.len();
    }
    words
}

/// Splits what stands between two spaces; pieces come with their indices, without the space.
fn split(pieces: &[(usize, &str)], words: &mut Vec<Range<usize>>) {
    let kinds = kinds(pieces);
    let mut begin = None;
    for (place, (index, piece)) in pieces.iter().enumerate() {
        let start = *begin.get_or_insert(*index);
        let last = place + 1 == pieces.len();
        // A space that is a piece of its own belongs to what it stands before.
        let joined = piece.is_empty()
            || (!last && kinds[place] == kinds[place + 1] && kinds[place] != Kind::Unspaced);
        if !joined {
            words.push(start..index + 1);
            begin = None;
        }
    }
}

fn kinds(pieces: &[(usize, &str)]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = pieces.iter().map(|(_, piece)| kind(piece)).collect();
    // Between letters, punctuation is part of the word: "T-shirt", "l'arbre".
    for place in 1..kinds.len() {
        let after = kinds[place..]
            .iter()
            .find(|kind| **kind != Kind::Punctuation);
        if kinds[place - 1] == Kind::Letters && after == Some(&Kind::Letters) {
            kinds[place] = Kind::Letters;
        }
    }
    kinds
}

fn kind(piece: &str) -> Kind {
    if piece.chars().any(is_unspaced) {
        Kind::Unspaced
    } else if piece.chars().all(is_punctuation) {
        Kind::Punctuation
    } else {
        Kind::Letters
    }
}

/// Unicode's punctuation in the scripts of mBART-50's languages. What is neither letter nor digit
/// would be too much: a vowel sign or virama may be a piece of its own.
fn is_punctuation(character: char) -> bool {
    matches!(character,
        '!'..='#' | '%'..='*' | ','..='/' | ':' | ';' | '?' | '@' | '['..=']' | '_' | '{' | '}'
        | '¡' | '§' | '«' | '¶' | '·' | '»' | '¿'
        | '\u{5be}' | '\u{5f3}' | '\u{5f4}' // Hebrew
        | '،' | '؛' | '؟' | '۔'
        | '।' | '॥'
        | '\u{104a}'..='\u{104f}' // Myanmar
        | '\u{17d4}'..='\u{17da}' // Khmer
        | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{205e}'
        | '\u{3001}'..='\u{3003}'
        | '\u{3008}'..='\u{3011}'
        | '\u{3014}'..='\u{301f}'
        | '\u{ff01}'..='\u{ff0f}'
        | '\u{ff1a}'..='\u{ff20}'
        | '\u{ff3b}'..='\u{ff40}'
        | '\u{ff5b}'..='\u{ff65}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words joined from pieces; an empty piece is a token that belongs to no word.
    fn joined(pieces: &[&str]) -> Vec<String> {
        let tokens: Vec<Option<String>> = pieces
            .iter()
            .map(|piece| (!piece.is_empty()).then(|| piece.to_string()))
            .collect();
        words(&tokens)
            .into_iter()
            .map(|range| pieces[range].concat())
            .collect()
    }

    #[test]
    fn a_space_begins_a_word() {
        let pieces = ["", "▁but", "ter", "fly", "▁and", "▁", "c", "at", ""];
        assert_eq!(joined(&pieces), ["▁butterfly", "▁and", "▁cat"]);
    }

    #[test]
    fn special_tokens_end_a_word_and_belong_to_none() {
        assert_eq!(joined(&["", "dog", "", "", "s"]), ["dog", "s"]);
        assert!(joined(&["", ""]).is_empty());
        assert!(joined(&[]).is_empty());
    }

    #[test]
    fn punctuation_around_a_word_is_an_entry_of_its_own() {
        let pieces = ["▁", "(", "a", "▁dog", ")", ".", "▁.", ""];
        assert_eq!(joined(&pieces), ["▁(", "a", "▁dog", ").", "▁."]);
    }

    #[test]
    fn punctuation_inside_a_word_is_part_of_it() {
        let pieces = ["▁T", "-", "shirt", "▁l", "'", "arbre", ",", "▁a"];
        assert_eq!(joined(&pieces), ["▁T-shirt", "▁l'arbre", ",", "▁a"]);
    }

    #[test]
    fn pieces_of_scripts_without_spaces_stand_alone() {
        let pieces = ["▁", "一只", "狗", "，", "在", "i", "Phone", "上", "。"];
        let expected = ["▁一只", "狗", "，", "在", "iPhone", "上", "。"];
        assert_eq!(joined(&pieces), expected);
        assert_eq!(joined(&["▁สุนัข", "สีขาว"]), ["▁สุนัข", "สีขาว"]);
    }

    #[test]
    fn marks_that_are_no_letters_belong_to_their_word() {
        assert_eq!(joined(&["▁நாய", "்", "▁க"]), ["▁நாய்", "▁க"]);
    }

    #[test]
    fn a_space_before_nothing_is_no_word() {
        assert_eq!(joined(&["▁", "", "▁", "▁dog", "▁"]), ["▁dog"]);
    }
}
