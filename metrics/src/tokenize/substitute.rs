//! The kinds of substitution that the rules of a word tokenizer are made of. All go once from left to right.

/// Puts a space on both sides of each run that `length` finds: it is given the text from a character on, and returns
/// how many characters of it belong together, or 0.
pub(super) fn pad(text: &[char], length: impl Fn(&[char]) -> usize) -> Vec<char> {
    replace(text, |rest| {
        let length = length(rest);
        let padded = || [&[' '], &rest[..length], &[' ']].concat();
        (length > 0).then(|| (length, padded()))
    })
}

/// Puts a space on both sides of each character of a set.
pub(super) fn pad_each(text: &[char], is_padded: impl Fn(char) -> bool) -> Vec<char> {
    pad(text, |rest| usize::from(is_padded(rest[0])))
}

/// Replaces what `find` finds: it is given the text from a character on, and returns how many characters to replace,
/// at least one, and by what.
pub(super) fn replace(
    text: &[char],
    find: impl Fn(&[char]) -> Option<(usize, Vec<char>)>,
) -> Vec<char> {
    let mut result = Vec::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(first) = rest.first() {
        match find(rest) {
            Some((length, replaced)) => {
                result.extend(replaced);
                rest = &rest[length..];
            }
            None => {
                result.push(*first);
                rest = &rest[1..];
            }
        }
    }
    result
}

/// Whether a text begins so.
pub(super) fn begins_with(text: &[char], beginning: &str) -> bool {
    let mut characters = text.iter();
    beginning
        .chars()
        .all(|character| characters.next() == Some(&character))
}

/// The number of characters of the same kind that a text begins with.
pub(super) fn run(text: &[char], is_part: impl Fn(char) -> bool) -> usize {
    text.iter().take_while(|one| is_part(**one)).count()
}
