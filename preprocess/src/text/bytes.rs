//! The alphabet of byte-level BPE: a printable character for each byte.

use std::collections::HashMap;
use std::sync::LazyLock;

/// The byte of each character. Printable characters of Latin-1 stand for their own bytes, and the characters from U+0100
/// on for the other bytes, in their order, as in GPT-2.
static BYTES: LazyLock<HashMap<char, u8>> = LazyLock::new(|| {
    let is_printable = |byte: &u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let (own, others): (Vec<u8>, Vec<u8>) = (0..=u8::MAX).partition(is_printable);
    let own = own.into_iter().map(|byte| (char::from(byte), byte));
    own.chain(('\u{100}'..).zip(others)).collect()
});

/// The bytes that the decoder `ByteLevel` makes of a token: those that its characters stand for, or those of its own text
/// if it has a character that stands for none.
pub(super) fn of_token(token: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = token
        .chars()
        .map(|letter| BYTES.get(&letter).copied())
        .collect();
    bytes.unwrap_or_else(|| token.as_bytes().to_vec())
}

/// Number of bytes at the end that begin a character of UTF-8 and do not complete it.
pub(super) fn incomplete(bytes: &[u8]) -> usize {
    // No more than three bytes begin a character without completing it.
    let end = &bytes[bytes.len().saturating_sub(3)..];
    let last = end.utf8_chunks().last();
    let invalid = last.map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(invalid) {
        Err(error) if error.error_len().is_none() => invalid.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use tokenizers::Decoder;
    use tokenizers::pre_tokenizers::byte_level::ByteLevel;

    use super::*;

    #[test]
    fn tokens_have_the_bytes_that_the_decoder_gives_them() {
        assert_eq!(BYTES.len(), 256);
        let letters = ByteLevel::alphabet();
        assert!(letters.iter().all(|letter| BYTES.contains_key(letter)));
        for token in ["Ġdog", "Ċ", "Ã©", "日本", "a b", "<s>", "", "Ġ日"] {
            let decoded = ByteLevel::default().decode(vec![token.to_owned()]);
            assert_eq!(
                String::from_utf8_lossy(&of_token(token)),
                decoded.unwrap(),
                "{token}"
            );
        }
        assert_eq!(of_token("âĤ"), [0xE2, 0x82]);
    }

    #[test]
    fn the_start_of_a_character_is_incomplete_and_invalid_bytes_are_not() {
        let euro = "€".as_bytes();
        for (bytes, expected) in [
            (&b""[..], 0),
            (b"a", 0),
            (&euro[..1], 1),
            (&euro[..2], 2),
            (euro, 0),
            ("a😀".as_bytes(), 0),
            (&"a😀".as_bytes()[..4], 3),
            (&[0x80], 0),
            (&[0xE2, 0xE2], 1),
            (&[0xF0, 0x9F, 0x98, 0xF0, 0x9F], 2),
            (&[0xE0, 0x80], 0),
        ] {
            assert_eq!(incomplete(bytes), expected, "{bytes:?}");
        }
    }
}
