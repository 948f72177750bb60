use std::path::Path;

use translation::{Language, language};

use super::row::{Row, Rows, fields};
use crate::error::TranslateError;

/// Where the columns of a table are.
pub(super) struct Header {
    pub(super) row: Row,
    pub(super) columns: usize,
    pub(super) caption: usize,
    pub(super) language: usize,
    image: Option<usize>,
}

impl Header {
    pub(super) fn read(path: &Path, rows: &mut Rows) -> Result<Self, TranslateError> {
        let wrong = |found: &str| TranslateError::Header {
            path: path.to_owned(),
            found: found.to_owned(),
        };
        let row = rows.next()?.ok_or_else(|| wrong("an empty file"))?;
        let names = fields(&row.bytes).ok_or_else(|| wrong("a line that is no row"))?;
        let place = |name: &str| names.iter().position(|known| known.trim() == name);
        let (Some(caption), Some(language)) = (place("caption"), place("lang_id")) else {
            return Err(wrong(&names.join(", ")));
        };
        Ok(Self {
            row,
            columns: names.len(),
            caption,
            language,
            image: place("image_file"),
        })
    }

    /// The image of a row.
    pub(super) fn image<'f>(&self, fields: &'f [String]) -> Option<&'f str> {
        fields.get(self.image?).map(String::as_str)
    }
}

/// Whether a row's language is the one that a user names.
pub(super) fn is_language(found: &str, named: &str) -> bool {
    let found = found.trim();
    found.eq_ignore_ascii_case(named)
        || language(named).is_some_and(|language| language.is_called(found))
}

/// The name of another language, in the form that a row's language has: its code, the first part of it, or its English name.
pub(super) fn like(found: &str, named: &str) -> String {
    let Some(target) = language(named) else {
        return named.to_owned();
    };
    let short = |language: Language| language.code.split('_').next().unwrap_or(language.code);
    match language(found.trim()) {
        Some(known) if known.code.eq_ignore_ascii_case(found.trim()) => target.code.to_owned(),
        Some(known) if known.name.eq_ignore_ascii_case(found.trim()) => target.name.to_owned(),
        Some(_) => short(target).to_owned(),
        None => named.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_named_as_the_row_names_its_own() {
        for (found, expected) in [
            ("en_XX", "fr_XX"),
            ("en", "fr"),
            ("English", "French"),
            ("tlh", "fr"),
        ] {
            assert_eq!(like(found, "fr"), expected);
        }
        assert_eq!(like("en", "klingon"), "klingon");
        assert!(is_language(" en_XX", "english"));
        assert!(is_language("Klingon", "klingon"));
        assert!(!is_language("fr", "en"));
    }
}
