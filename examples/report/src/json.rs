use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::is_escaped;

/// A value as a line of JSON, with its line break, in which everything that [`is_escaped`] has an escape of JSON's.
///
/// # Errors
/// An error of the value's own, such as a key that is not text.
pub fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    let mut line = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut line, Escaping))?;
    line.push(b'\n');
    String::from_utf8(line).map_err(serde::ser::Error::custom)
}

/// JSON without spaces in which DEL, C1 and bidirectional controls have escapes too; JSON itself requires them for C0.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((start, character)) = rest
            .char_indices()
            .find(|(_, character)| is_escaped(*character))
        {
            writer.write_all(&rest.as_bytes()[..start])?;
            // All of them are below 65,536, so there are no pairs of surrogates.
            write!(writer, r"\u{:04x}", u32::from(character))?;
            rest = &rest[start + character.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_character_that_is_escaped_and_reads_back_the_same() {
        let all: String = ('\0'..='\u{ffff}').filter(|c| is_escaped(*c)).collect();
        let text = format!("a{all}b\u{202e}\u{202d} é 🐧 \\ \"");
        let value = serde_json::json!({ &text: [&text, 1.5, null] });
        let line = json_line(&value).unwrap();
        let content = line.strip_suffix('\n').unwrap();
        assert!(!content.contains(is_escaped), "{content}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(content).unwrap(),
            value
        );
        assert!(content.contains("é 🐧"));
    }
}
