use crate::python::{is_space, split};

/// The tokens of sacreBLEU's `13a`, which are those of the WMT's script `mteval-v13a.pl`: SGML entities are decoded,
/// ASCII punctuation stands alone, and so do full stops and commas that are not between digits. Apostrophes stay, and
/// so do hyphens that do not follow a digit. Everything else is split at white space only.
///
/// ```
/// assert_eq!(
///     metrics::tokenize_13a("A 1,000-piece puzzle &amp; a dog's bed."),
///     ["A", "1,000", "-", "piece", "puzzle", "&", "a", "dog's", "bed", "."]
/// );
/// ```
///
/// Source: `Tokenizer13a` of sacreBLEU 2.
pub fn tokenize_13a(text: &str) -> Vec<String> {
    let mut text = text
        .trim_end_matches(is_space)
        .replace("<skipped>", "")
        .replace("-\n", "")
        .replace('\n', " ");
    if text.contains('&') {
        for (entity, character) in [
            ("&quot;", "\""),
            ("&amp;", "&"),
            ("&lt;", "<"),
            ("&gt;", ">"),
        ] {
            text = text.replace(entity, character);
        }
    }
    let mut text: Vec<char> = format!(" {text} ")
        .chars()
        .flat_map(|character| match is_symbol(character) {
            true => vec![' ', character, ' '],
            false => vec![character],
        })
        .collect();
    text = pairs(&text, |a, b| {
        (!a.is_ascii_digit() && is_point(b)).then(|| vec![a, ' ', b, ' '])
    });
    text = pairs(&text, |a, b| {
        (is_point(a) && !b.is_ascii_digit()).then(|| vec![' ', a, ' ', b])
    });
    text = pairs(&text, |a, b| {
        (a.is_ascii_digit() && b == '-').then(|| vec![a, ' ', b, ' '])
    });
    let text: String = text.into_iter().collect();
    split(&text).map(str::to_owned).collect()
}

/// ASCII punctuation but for the apostrophe, comma, hyphen and full stop.
fn is_symbol(character: char) -> bool {
    character.is_ascii_punctuation() && !matches!(character, '\'' | ',' | '-' | '.')
}

fn is_point(character: char) -> bool {
    matches!(character, '.' | ',')
}

/// Replaces two characters where `replace` says by what, from left to right, without overlap.
fn pairs(text: &[char], replace: impl Fn(char, char) -> Option<Vec<char>>) -> Vec<char> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        match tail.first().and_then(|second| replace(*first, *second)) {
            Some(replaced) => {
                result.extend(replaced);
                rest = &tail[1..];
            }
            None => {
                result.push(*first);
                rest = tail;
            }
        }
    }
    result
}
