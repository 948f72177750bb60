use std::ops::Range;

use generation::is_unspaced;

/// SentencePiece's character for a space, at the start of a piece that begins a word.
const SPACE: char = '▁';

/// What a piece consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Letters or digits of a script with spaces: one word with other letters next to it.
    Letters,
    /// Only punctuation: one entry with other punctuation next to it; between letters, part of their word.
    Punctuation,
    /// A script without spaces: an entry of its own.
    Unspaced,
}

/// Splits tokens into words, each a range of tokens. Tokens are given as the vocabulary spells them, or as
/// `None` if they belong to no word.
///
/// Words are separated by spaces. Punctuation at the ends of a word is split off. Each piece of a script
/// without spaces is an entry of its own, since its words can't be told without a dictionary.
pub(crate) fn words(tokens: &[Option<String>]) -> Vec<Range<usize>> {
    let continues_word = |_: &Option<String>, token: &Option<String>| {
        token
            .as_ref()
            .is_some_and(|token| !token.starts_with(SPACE))
    };
    let mut words = Vec::new();
    let mut first = 0;
    for group in tokens.chunk_by(continues_word) {
        let pieces: Vec<(usize, &str)> = (first..)
            .zip(group)
            .filter_map(|(index, token)| Some((index, token.as_ref()?.trim_start_matches(SPACE))))
            .collect();
        split(&pieces, &mut words);
        first += group.len();
    }
    words
}

/// Splits the pieces between two spaces, which are given with their indices and without the space.
fn split(pieces: &[(usize, &str)], words: &mut Vec<Range<usize>>) {
    let kinds = kinds(pieces);
    let mut word_start = None;
    for (position, (index, piece)) in pieces.iter().enumerate() {
        let start = *word_start.get_or_insert(*index);
        let kind = kinds[position];
        // A piece that is only a space belongs to the word after it.
        let continues =
            piece.is_empty() || (kind != Kind::Unspaced && kinds.get(position + 1) == Some(&kind));
        if !continues {
            words.push(start..index + 1);
            word_start = None;
        }
    }
}

fn kinds(pieces: &[(usize, &str)]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = pieces.iter().map(|(_, piece)| kind(piece)).collect();
    // Punctuation between letters is part of the word: "T-shirt", "l'arbre".
    for position in 1..kinds.len() {
        let after = kinds[position..]
            .iter()
            .find(|kind| **kind != Kind::Punctuation);
        if kinds[position - 1] == Kind::Letters && after == Some(&Kind::Letters) {
            kinds[position] = Kind::Letters;
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

/// Whether a character is punctuation in a script of mBART-50's languages, according to Unicode. Not
/// everything that is neither letter nor digit is: a vowel sign or a virama may be a piece of its own.
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

    /// The words of some pieces, where an empty piece is a token that belongs to no word.
    fn words_of(pieces: &[&str]) -> Vec<String> {
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
        assert_eq!(words_of(&pieces), ["▁butterfly", "▁and", "▁cat"]);
    }

    #[test]
    fn special_tokens_end_a_word_and_are_not_part_of_one() {
        assert_eq!(words_of(&["", "dog", "", "", "s"]), ["dog", "s"]);
        assert!(words_of(&["", ""]).is_empty());
        assert!(words_of(&[]).is_empty());
    }

    #[test]
    fn punctuation_around_a_word_is_an_entry_of_its_own() {
        let pieces = ["▁", "(", "a", "▁dog", ")", ".", "▁.", ""];
        assert_eq!(words_of(&pieces), ["▁(", "a", "▁dog", ").", "▁."]);
    }

    #[test]
    fn punctuation_inside_a_word_is_part_of_it() {
        let pieces = ["▁T", "-", "shirt", "▁l", "'", "arbre", ",", "▁a"];
        assert_eq!(words_of(&pieces), ["▁T-shirt", "▁l'arbre", ",", "▁a"]);
    }

    #[test]
    fn each_piece_of_a_script_without_spaces_is_an_entry() {
        let pieces = ["▁", "一只", "狗", "，", "在", "i", "Phone", "上", "。"];
        let expected = ["▁一只", "狗", "，", "在", "iPhone", "上", "。"];
        assert_eq!(words_of(&pieces), expected);
        assert_eq!(words_of(&["▁สุนัข", "สีขาว"]), ["▁สุนัข", "สีขาว"]);
    }

    #[test]
    fn vowel_signs_and_viramas_are_part_of_their_word() {
        assert_eq!(words_of(&["▁நாய", "்", "▁க"]), ["▁நாய்", "▁க"]);
    }

    #[test]
    fn a_space_without_a_word_after_it_is_not_a_word() {
        assert_eq!(words_of(&["▁", "", "▁", "▁dog", "▁"]), ["▁dog"]);
    }
}
