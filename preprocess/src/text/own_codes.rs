//! Language codes that only the files of a tokenizer name.

use std::sync::{PoisonError, RwLock};

use super::Language;
use super::languages::LANGUAGES;
use super::more_languages::MORE_LANGUAGES;

/// How many such codes a process keeps. There are some hundred written languages with users, and a crafted file could
/// name millions.
const LIMIT: usize = 1000;

/// Codes are kept until the process ends, each once, so that a [`Language`] is a value that can be copied.
static OWN: RwLock<Vec<Language>> = RwLock::new(Vec::new());

/// Whether a text is a language in ISO 639 (two or three letters) with a country (`ca_ES`), `XX` or a script
/// (`cat_Latn`).
pub(super) fn is_code(text: &str) -> bool {
    let Some((language, place)) = text.split_once('_') else {
        return false;
    };
    let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let upper = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_place = match place.len() {
        2 => upper(place),
        4 => place.is_char_boundary(1) && upper(&place[..1]) && lower(&place[1..]),
        _ => false,
    };
    matches!(language.len(), 2 | 3) && lower(language) && is_place
}

/// The language of a code; `None` if the text is not one, or if there are too many already.
pub(super) fn declare(code: &str) -> Option<Language> {
    let is_it = |known: &&Language| known.code == code;
    let mut listed = LANGUAGES.iter().chain(MORE_LANGUAGES);
    if let Some(known) = listed.find(is_it) {
        return Some(*known);
    }
    if !is_code(code) {
        return None;
    }
    let mut own = OWN.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = own.iter().find(is_it) {
        return Some(*known);
    }
    if own.len() == LIMIT {
        return None;
    }
    let code: &'static str = String::from(code).leak();
    let language = Language { code, name: code };
    own.push(language);
    Some(language)
}

/// The first of these languages that a test accepts.
pub(super) fn find(accepts: impl FnMut(&&Language) -> bool) -> Option<Language> {
    let own = OWN.read().unwrap_or_else(PoisonError::into_inner);
    own.iter().find(accepts).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::language;

    #[test]
    fn codes_have_a_language_and_a_country_or_a_script() {
        for code in ["ca_ES", "ast_ES", "ca_XX", "cat_Latn", "tlh_XX"] {
            assert!(is_code(code), "{code}");
        }
        for text in [
            "", "ca", "_ES", "ca_", "ca_es", "CA_ES", "ca_ESP", "c_ES", "catal_ES", "ca_latn",
            "ca_ES_x", "ça_ES", "ca_É", "ca_Éab", "<s>", "ca-ES",
        ] {
            assert!(!is_code(text), "{text}");
            assert_eq!(declare(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_is_known_once_it_was_declared() {
        assert_eq!(language("qaa_XX"), None);
        let own = declare("qaa_XX").unwrap();
        assert_eq!((own.code, own.name), ("qaa_XX", "qaa_XX"));
        for text in ["qaa_XX", "QAA_xx", "qaa"] {
            assert_eq!(language(text), Some(own));
        }
        assert!(std::ptr::eq(own.code, declare("qaa_XX").unwrap().code));
        assert_eq!(declare("es_XX"), language("Spanish"));
        assert_eq!(declare("ca_ES").unwrap().name, "Catalan");
    }
}
