//! JSON as Python writes it.
//!
//! Python's `json` module writes and reads `NaN`, `Infinity` and `-Infinity`, which JSON does not have, so
//! configurations that Python wrote may contain them. [`standard`] replaces them by placeholders of the same length, so
//! that any JSON parser reads the text, positions in its messages stay right, and [`number`] tells what stood there.
//!
//! ```
//! use whole_files::python_json;
//!
//! let text = python_json::standard(r#"{"top_p": NaN, "name": "NaN"}"#);
//! assert_eq!(text, "{\"top_p\": \"\u{7f}\", \"name\": \"NaN\"}");
//! assert!(python_json::number("\u{7f}").unwrap().is_nan());
//! assert_eq!(python_json::number("NaN"), None);
//! ```

use std::borrow::Cow;

/// What Python writes, the string that stands in its place, and the number that it means. A string of one control
/// character is nothing that a configuration says otherwise.
const NUMBERS: [(&str, &str, f64); 3] = [
    ("NaN", "\"\u{7f}\"", f64::NAN),
    ("Infinity", "\"\u{7f}Infin\"", f64::INFINITY),
    ("-Infinity", "\"\u{7f}-Infin\"", f64::NEG_INFINITY),
];

/// The text with a string in place of each `NaN`, `Infinity` and `-Infinity` that is a value. Everything else is
/// unchanged, what is no JSON too. Takes one pass, and no memory if there is nothing to replace.
pub fn standard(text: &str) -> Cow<'_, str> {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let mut replaced = String::with_capacity(text.len());
    let mut copied = 0;
    let mut position = 0;
    let bytes = text.as_bytes();
    while position < bytes.len() {
        match bytes[position] {
            b'"' => position = string_end(bytes, position),
            b'N' | b'I' | b'-' => {
                let rest = &text[position..];
                let found = NUMBERS.iter().find(|(name, _, _)| {
                    rest.starts_with(name)
                        && !rest[name.len()..].trim_ascii_start().starts_with(':')
                });
                match found {
                    Some((name, placeholder, _)) => {
                        replaced.push_str(&text[copied..position]);
                        replaced.push_str(placeholder);
                        position += name.len();
                        copied = position;
                    }
                    None => position += 1,
                }
            }
            _ => position += 1,
        }
    }
    replaced.push_str(&text[copied..]);
    Cow::Owned(replaced)
}

/// The text with what [`standard`] has replaced in its place again.
pub fn original(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{7f}') {
        return Cow::Borrowed(text);
    }
    let replace =
        |text: String, (name, placeholder, _): &(&str, &str, f64)| text.replace(placeholder, name);
    Cow::Owned(NUMBERS.iter().fold(text.to_owned(), replace))
}

/// The number that a string stands for, if it is one that [`standard`] put in its place.
pub fn number(string: &str) -> Option<f64> {
    let is_placeholder = |placeholder: &str| placeholder[1..placeholder.len() - 1] == *string;
    NUMBERS
        .iter()
        .find(|(_, placeholder, _)| is_placeholder(placeholder))
        .map(|(_, _, number)| *number)
}

/// The position after a string that begins here.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut position = start + 1;
    while let Some(byte) = bytes.get(position) {
        match byte {
            b'"' => return position + 1,
            b'\\' => position += 2,
            _ => position += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_as_long_as_what_they_stand_for() {
        for (name, placeholder, expected) in NUMBERS {
            assert_eq!(name.len(), placeholder.len());
            let found = number(placeholder.trim_matches('"')).unwrap();
            assert!(found == expected || (found.is_nan() && expected.is_nan()));
        }
    }

    #[test]
    fn only_values_outside_strings_are_replaced() {
        for unchanged in [
            r#"{"a": "NaN, Infinity", "b": "\"NaN"}"#,
            r#"{"NaN": 1}"#,
            "{NaN : 1}",
            r#"{"a": -1, "b": "Infinity"}"#,
            r#""NaN \"#,
            "é \"NaN",
            "Nan",
        ] {
            assert_eq!(standard(unchanged), unchanged);
        }
        let text = "[NaN,-Infinity, Infinity]";
        assert_eq!(original(&standard(text)), text);
        assert_eq!(
            standard(text),
            "[\"\u{7f}\",\"\u{7f}-Infin\", \"\u{7f}Infin\"]"
        );
    }
}
