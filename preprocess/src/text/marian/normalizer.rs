use std::collections::HashSet;

use crate::Error;
use crate::text::charsmap::{self, HAS_LEAF, LABEL_MASK, VALUE_FLAG, offset};
use crate::text::sentencepiece::{Model, USER_DEFINED, Whitespace};

/// The character that stands for a space in pieces.
pub(super) const SPACE: char = '▁';

/// SentencePiece's normalisation of a text before it is split into pieces.
///
/// The `tokenizers` crate has a normaliser for the same table, but looks at one grapheme at a time. This one replaces
/// the longest key of the table at each place, whatever it consists of, as SentencePiece itself does.
#[derive(Clone, Debug)]
pub(super) struct Normalizer {
    table: Option<Table>,
    /// Pieces that are never changed.
    symbols: HashSet<String>,
    /// Bytes of the longest symbol.
    longest_symbol: usize,
    pub(super) whitespace: Whitespace,
}

impl Normalizer {
    pub(super) fn new(model: &Model<'_>) -> Result<Self, Error> {
        let symbols = model.pieces.iter();
        let symbols = symbols.filter(|piece| piece.kind == Some(USER_DEFINED));
        let symbols: HashSet<String> = symbols.map(|piece| piece.text.to_owned()).collect();
        let table = model.table.filter(|table| !table.is_empty());
        Ok(Self {
            table: table.map(Table::new).transpose()?,
            longest_symbol: symbols.iter().map(String::len).max().unwrap_or(0),
            symbols,
            whitespace: model.whitespace,
        })
    }

    /// The normalised text, with [`SPACE`] for spaces.
    pub(super) fn normalize(&self, text: &str) -> String {
        let Whitespace {
            add_dummy_prefix,
            remove_extra,
            escape,
            as_suffix,
        } = self.whitespace;
        let space = if escape { SPACE } else { ' ' };
        let mut rest = text;
        if remove_extra {
            while let Some((" ", after)) = self.first(rest) {
                rest = after;
            }
        }
        let mut normalized = String::with_capacity(text.len() + SPACE.len_utf8());
        if rest.is_empty() {
            return normalized;
        }
        if add_dummy_prefix && !as_suffix {
            normalized.push(space);
        }
        let mut after_space = remove_extra;
        while let Some((mut replacement, after)) = self.first(rest) {
            if after_space {
                replacement = replacement.trim_start_matches(' ');
            }
            if !replacement.is_empty() {
                let characters = replacement.chars();
                normalized.extend(characters.map(|one| if one == ' ' { space } else { one }));
                after_space = replacement.ends_with(' ');
            }
            after_space &= remove_extra;
            rest = after;
        }
        if remove_extra {
            let length = normalized.trim_end_matches(space).len();
            normalized.truncate(length);
        }
        if add_dummy_prefix && as_suffix {
            normalized.push(space);
        }
        normalized
    }

    /// What the beginning of a text is replaced by, and the text after it; `None` at the end.
    fn first<'t>(&'t self, text: &'t str) -> Option<(&'t str, &'t str)> {
        let first = text.chars().next()?;
        if let Some(length) = self.symbol(text) {
            return text.split_at_checked(length);
        }
        let replaced = self.table.as_ref().and_then(|table| table.longest(text));
        match replaced {
            // Keys are texts, but nothing in the file says so.
            Some((length, replacement)) if text.is_char_boundary(length) => {
                Some((replacement, &text[length..]))
            }
            _ => text.split_at_checked(first.len_utf8()),
        }
    }

    /// The length of the longest symbol that a text begins with.
    fn symbol(&self, text: &str) -> Option<usize> {
        let lengths = (1..=self.longest_symbol.min(text.len())).rev();
        let mut symbols = lengths.filter(|length| text.is_char_boundary(*length));
        symbols.find(|length| self.symbols.contains(&text[..*length]))
    }
}

/// The normalisation table, which [`charsmap`] describes.
#[derive(Clone, Debug)]
struct Table {
    units: Vec<u32>,
    texts: String,
}

impl Table {
    fn new(table: &[u8]) -> Result<Self, Error> {
        charsmap::check(table)?;
        let (units, texts) = charsmap::split(table).unwrap_or_default();
        Ok(Self {
            units,
            texts: String::from_utf8_lossy(texts).into_owned(),
        })
    }

    /// The length of the longest key that a text begins with, and its replacement.
    fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut node = offset(*self.units.first()?);
        let mut found = None;
        for (index, byte) in text.bytes().enumerate() {
            let child = node ^ usize::from(byte);
            let unit = match self.units.get(child) {
                Some(unit) if byte != 0 && unit & LABEL_MASK == u32::from(byte) => *unit,
                _ => break,
            };
            node = child ^ offset(unit);
            if unit & HAS_LEAF != 0
                && let Some(leaf) = self.units.get(node)
            {
                found = Some((index + 1, (leaf & !VALUE_FLAG) as usize));
            }
        }
        let (length, start) = found?;
        let text = self.texts.get(start..)?;
        let end = text.find('\0').unwrap_or(text.len());
        Some((length, &text[..end]))
    }
}
