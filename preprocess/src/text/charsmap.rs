use super::limits;
use crate::Error;

/// Checks SentencePiece's normalisation table before the `tokenizers` crate uses it.
///
/// The table is a double-array trie over UTF-8 bytes (a `u32` byte length, then that many bytes of `u32` units),
/// followed by NUL-terminated replacement texts that its leaves point to. The `tokenizers` crate follows its indices
/// unchecked, so a damaged table would panic later, at some text. Following every path once here prevents that.
pub(super) fn check(table: &[u8]) -> Result<(), Error> {
    if table.len() > limits::TABLE_BYTES {
        return Err(Error::tokenizer_file(
            format!(
                "a SentencePiece normalisation table (precompiled_charsmap) of at most {} bytes",
                limits::TABLE_BYTES
            ),
            format!("{} bytes", table.len()),
        ));
    }
    let (units, texts) = split(table).ok_or_else(|| refuse("a table that is cut short"))?;
    let texts = std::str::from_utf8(texts)
        .map_err(|error| refuse(&format!("replacement texts with an {error}")))?;
    walk(&units, texts).map_err(refuse)
}

fn refuse(found: &str) -> Error {
    Error::tokenizer_file(
        "a complete SentencePiece normalisation table (precompiled_charsmap)",
        found,
    )
}

/// The units of the trie and the bytes of the texts.
pub(super) fn split(table: &[u8]) -> Option<(Vec<u32>, &[u8])> {
    let (length, rest) = table.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize / 4 * 4;
    let (trie, texts) = rest.split_at_checked(length)?;
    let (units, _) = trie.as_chunks();
    let units: Vec<u32> = units.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
    Some((units, texts))
}

const LEADS_OUT: &str = "an index that leads out of it";

/// Follows every byte from every reachable node, level by level, so that a node is first reached on its shortest path.
/// The error says what is wrong.
fn walk(units: &[u32], texts: &str) -> Result<(), &'static str> {
    let root = offset(*units.first().ok_or(LEADS_OUT)?);
    let mut seen = vec![false; units.len()];
    let mut level = vec![root];
    let mut depth = 0;
    while !level.is_empty() {
        depth += 1;
        if depth > limits::KEY_BYTES {
            return Err("a key that is far longer than a character");
        }
        let mut next_level = Vec::new();
        for node in level {
            // 0xF4 is the highest byte of UTF-8, and NUL ends a look-up.
            for byte in 1..=0xF4 {
                let child = node ^ byte;
                let unit = *units.get(child).ok_or(LEADS_OUT)?;
                if unit & LABEL_MASK != byte as u32 {
                    continue;
                }
                let next = child ^ offset(unit);
                if unit & HAS_LEAF != 0 {
                    let text = units.get(next).ok_or(LEADS_OUT)? & !VALUE_FLAG;
                    check_replacement(texts, text as usize, depth)?;
                }
                // Several paths may lead to one node. Visiting it once keeps a damaged table from looping forever.
                let visited = seen.get_mut(next).ok_or(LEADS_OUT)?;
                if !std::mem::replace(visited, true) {
                    next_level.push(next);
                }
            }
        }
        level = next_level;
    }
    Ok(())
}

/// Checks that the text at an offset, which ends before a NUL, is not much longer than the bytes that it replaces.
fn check_replacement(texts: &str, start: usize, replaced: usize) -> Result<(), &'static str> {
    let text = texts.get(start..).ok_or(LEADS_OUT)?.as_bytes();
    let longest = replaced * limits::REPLACEMENT_GROWTH;
    let end = text.iter().take(longest + 1).position(|byte| *byte == 0);
    match end.unwrap_or(text.len()) > longest {
        true => Err("a replacement that is many times as long as what it replaces"),
        false => Ok(()),
    }
}

// The units of a Darts double array, as darts-clone packs them.
pub(super) const HAS_LEAF: u32 = 1 << 8;
pub(super) const VALUE_FLAG: u32 = 1 << 31;
pub(super) const LABEL_MASK: u32 = VALUE_FLAG | 0xFF;

pub(super) fn offset(unit: u32) -> usize {
    ((unit >> 10) as usize) << ((unit & (1 << 9)) >> 6)
}

/// Decodes the padded base64 (RFC 4648) in which `tokenizer.json` holds the table; `None` if the text is not base64.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [None; 256];
    for (value, letter) in (0u32..).zip(ALPHABET) {
        values[usize::from(*letter)] = Some(value);
    }
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let letters = text.trim_end_matches('=');
    if text.len() - letters.len() > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3 + 2);
    for group in letters.as_bytes().chunks(4) {
        let mut bits = 0;
        for letter in group {
            bits = bits << 6 | values[usize::from(*letter)]?;
        }
        bits <<= 6 * (4 - group.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trie of one block whose only key is "a", with the replacement "b".
    fn table() -> Vec<u8> {
        // The root's children are at 256 ^ byte. The child for "a" leads to 510, which holds the offset of its text.
        let mut units = vec![0u32; 512];
        units[0] = 256 << 10;
        let child = 256 ^ usize::from(b'a');
        units[child] = ((child as u32 ^ 510) << 10) | HAS_LEAF | u32::from(b'a');
        units[510] = VALUE_FLAG;
        let mut bytes = (units.len() as u32 * 4).to_le_bytes().to_vec();
        bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes.extend(b"b\0");
        bytes
    }

    #[test]
    fn a_valid_table_passes() {
        check(&table()).unwrap();
    }

    /// A trie without texts whose only path has this many bytes.
    fn chain(length: usize) -> Vec<u8> {
        let node = |index: usize| 256 * (index + 1);
        let mut units = vec![0u32; node(length + 1)];
        units[0] = (node(0) as u32) << 10;
        for index in 0..length {
            let child = node(index) ^ usize::from(b'a');
            units[child] = ((child ^ node(index + 1)) as u32) << 10 | u32::from(b'a');
        }
        let mut bytes = (units.len() as u32 * 4).to_le_bytes().to_vec();
        bytes.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        bytes
    }

    #[test]
    fn a_key_that_is_far_longer_than_a_character_is_refused() {
        check(&chain(limits::KEY_BYTES - 1)).unwrap();
        let error = check(&chain(limits::KEY_BYTES + 1)).unwrap_err();
        assert!(error.to_string().contains("far longer"), "{error}");
    }

    #[test]
    fn a_table_that_is_cut_short_is_refused() {
        let complete = table();
        for length in 0..complete.len() - 2 {
            assert!(check(&complete[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn an_index_out_of_bounds_is_refused() {
        let mut bytes = table();
        bytes[4..8].copy_from_slice(&u32::to_le_bytes(100_000 << 10));
        let error = check(&bytes).unwrap_err();
        assert!(error.to_string().contains("leads out"), "{error}");
    }

    #[test]
    fn base64_decodes_with_and_without_padding() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
        ] {
            assert_eq!(from_base64(text).unwrap(), bytes.as_bytes());
        }
        for text in ["Z", "Zg=", "Zm9v=", "====", "Zm\u{e9}v", "Z!8="] {
            assert_eq!(from_base64(text), None, "{text}");
        }
    }
}
