use super::CaptionRule;
use crate::Caption;

/// Drops captions that are UTF-8 read as Windows-1252: those that become valid UTF-8, with fewer characters, when all their
/// characters are written as bytes of Windows-1252 again. A caption that mixes broken and sound characters is not found,
/// and a sound one is hit only if each of its characters beyond ASCII is, by chance, part of such a sequence.
pub(super) struct Mojibake;

impl CaptionRule for Mojibake {
    fn name(&self) -> &'static str {
        "mojibake"
    }

    fn check(&self, caption: &Caption) -> Option<String> {
        if caption.text.is_ascii() {
            return None;
        }
        let bytes: Vec<u8> = caption
            .text
            .chars()
            .map(to_windows_1252)
            .collect::<Option<_>>()?;
        let text = String::from_utf8(bytes).ok()?;
        let repaired = text.chars().find(|character| !character.is_ascii())?;
        Some(format!(
            "U+{:04X} was meant, for example",
            u32::from(repaired)
        ))
    }
}

/// The characters of the bytes 0x80 to 0x9F, as WHATWG's Encoding Standard has them.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn to_windows_1252(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0..0x80 | 0xa0..0x100) => u8::try_from(code).ok(),
        _ => {
            let position = HIGH.iter().position(|high| *high == character)?;
            u8::try_from(position + 0x80).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::caption;
    use super::*;

    /// What a program makes of UTF-8 that it reads as Windows-1252.
    fn misread(text: &str) -> String {
        let byte = |byte: u8| match byte {
            0x80..0xa0 => HIGH[usize::from(byte) - 0x80],
            _ => char::from(byte),
        };
        text.bytes().map(byte).collect()
    }

    #[test]
    fn texts_that_were_misread_are_found_and_the_same_texts_are_not() {
        for text in [
            "un café crème",
            "Mädchen für “alle”",
            "niño – mañana",
            "кошка",
            "一只猫",
            "CAFÉ",
            "it’s",
            "À Noël…",
        ] {
            assert!(Mojibake.check(&caption(&misread(text))).is_some(), "{text}");
            assert_eq!(Mojibake.check(&caption(text)), None, "{text}");
        }
        for text in ["“MAÇÃ”", "« CAFÉ »", "a cat", "Ã la carte"] {
            assert_eq!(Mojibake.check(&caption(text)), None, "{text}");
        }
    }
}
