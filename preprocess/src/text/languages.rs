use super::more_languages::MORE_LANGUAGES;
use super::own_codes;

/// A language that a model reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Language {
    /// The code, which is also the language's token: `es_XX`.
    pub code: &'static str,
    /// The English name: `Spanish`. For a language that only a tokenizer's files name, the code.
    pub name: &'static str,
}

/// The language of a model that has no codes of languages, and writes what it was trained on. `und` is the code of ISO
/// 639-2 for a language that is not known.
pub const UNDETERMINED: Language = Language {
    code: "und",
    name: "undetermined",
};

/// mBART-50's 52 languages in the order of their token ids: the 25 of mBART first, then those added for mBART-50.
///
/// The codes and their order are fairseq's; Hugging Face has them as `FAIRSEQ_LANGUAGE_CODES` in
/// `tokenization_mbart50.py`.
#[rustfmt::skip]
pub const LANGUAGES: [Language; 52] = [
    Language { code: "ar_AR", name: "Arabic" },
    Language { code: "cs_CZ", name: "Czech" },
    Language { code: "de_DE", name: "German" },
    Language { code: "en_XX", name: "English" },
    Language { code: "es_XX", name: "Spanish" },
    Language { code: "et_EE", name: "Estonian" },
    Language { code: "fi_FI", name: "Finnish" },
    Language { code: "fr_XX", name: "French" },
    Language { code: "gu_IN", name: "Gujarati" },
    Language { code: "hi_IN", name: "Hindi" },
    Language { code: "it_IT", name: "Italian" },
    Language { code: "ja_XX", name: "Japanese" },
    Language { code: "kk_KZ", name: "Kazakh" },
    Language { code: "ko_KR", name: "Korean" },
    Language { code: "lt_LT", name: "Lithuanian" },
    Language { code: "lv_LV", name: "Latvian" },
    Language { code: "my_MM", name: "Burmese" },
    Language { code: "ne_NP", name: "Nepali" },
    Language { code: "nl_XX", name: "Dutch" },
    Language { code: "ro_RO", name: "Romanian" },
    Language { code: "ru_RU", name: "Russian" },
    Language { code: "si_LK", name: "Sinhala" },
    Language { code: "tr_TR", name: "Turkish" },
    Language { code: "vi_VN", name: "Vietnamese" },
    Language { code: "zh_CN", name: "Chinese" },
    Language { code: "af_ZA", name: "Afrikaans" },
    Language { code: "az_AZ", name: "Azerbaijani" },
    Language { code: "bn_IN", name: "Bengali" },
    Language { code: "fa_IR", name: "Persian" },
    Language { code: "he_IL", name: "Hebrew" },
    Language { code: "hr_HR", name: "Croatian" },
    Language { code: "id_ID", name: "Indonesian" },
    Language { code: "ka_GE", name: "Georgian" },
    Language { code: "km_KH", name: "Khmer" },
    Language { code: "mk_MK", name: "Macedonian" },
    Language { code: "ml_IN", name: "Malayalam" },
    Language { code: "mn_MN", name: "Mongolian" },
    Language { code: "mr_IN", name: "Marathi" },
    Language { code: "pl_PL", name: "Polish" },
    Language { code: "ps_AF", name: "Pashto" },
    Language { code: "pt_XX", name: "Portuguese" },
    Language { code: "sv_SE", name: "Swedish" },
    Language { code: "sw_KE", name: "Swahili" },
    Language { code: "ta_IN", name: "Tamil" },
    Language { code: "te_IN", name: "Telugu" },
    Language { code: "th_TH", name: "Thai" },
    Language { code: "tl_XX", name: "Tagalog" },
    Language { code: "uk_UA", name: "Ukrainian" },
    Language { code: "ur_PK", name: "Urdu" },
    Language { code: "xh_ZA", name: "Xhosa" },
    Language { code: "gl_ES", name: "Galician" },
    Language { code: "sl_SI", name: "Slovene" },
];

/// Finds a language by its code (`es_XX`), the first part of the code (`es`) or its English name (`Spanish`), in upper
/// or lower case.
///
/// The languages are [`LANGUAGES`], then [`MORE_LANGUAGES`], then those of the tokenizers that this process has opened
/// whose codes are in neither.
pub fn language(text: &str) -> Option<Language> {
    let is_it = |known: &&Language| known.is_called(text);
    let mut listed = LANGUAGES.iter().chain(MORE_LANGUAGES);
    listed
        .find(is_it)
        .copied()
        .or_else(|| own_codes::find(is_it))
}

impl Language {
    /// Whether a text is the code of this language (`es_XX`), the first part of the code (`es`) or the English name
    /// (`Spanish`), in upper or lower case.
    pub fn is_called(self, text: &str) -> bool {
        let (short, _) = self.code.split_once('_').unwrap_or((self.code, ""));
        [self.code, short, self.name]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(text))
    }

    /// The id of this language's token in a vocabulary of `vocab_size` tokens that ends, like mBART-50's, with the 52
    /// language codes and `<mask>`: 250005 for Spanish among 250,054 tokens.
    ///
    /// `None` if the vocabulary is too small for them, or if the language is not one of [`LANGUAGES`]. With a
    /// tokenizer at hand, [`Tokenizer::language_id`](super::Tokenizer::language_id) looks the id up.
    pub fn token_id(self, vocab_size: usize) -> Option<u32> {
        let index = LANGUAGES.iter().position(|language| *language == self)?;
        let first = vocab_size.checked_sub(LANGUAGES.len() + 1)?;
        u32::try_from(first + index).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_short_codes_and_names_are_found_in_any_case() {
        for text in ["es_XX", "es", "spanish", "ES_xx", "Spanish"] {
            assert_eq!(language(text).unwrap().code, "es_XX");
        }
        for text in ["", "e", "es_", "klingon", "xx"] {
            assert_eq!(language(text), None);
        }
    }

    #[test]
    fn every_code_and_name_is_found_as_itself() {
        for known in LANGUAGES.iter().chain(MORE_LANGUAGES) {
            let (short, _) = known.code.split_once('_').unwrap();
            for text in [known.code, known.name, short] {
                assert_eq!(language(text), Some(*known), "{text}");
            }
            assert!(own_codes::is_code(known.code), "{}", known.code);
        }
    }

    #[test]
    fn tokens_are_those_of_the_published_vocabulary() {
        let id = |code| language(code).unwrap().token_id(250_054);
        assert_eq!(id("ar_AR"), Some(250_001));
        assert_eq!(id("de_DE"), Some(250_003));
        assert_eq!(id("es_XX"), Some(250_005));
        assert_eq!(id("fr_XX"), Some(250_008));
        assert_eq!(id("sl_SI"), Some(250_052));
    }

    #[test]
    fn a_vocabulary_without_room_and_a_foreign_language_have_no_token() {
        assert_eq!(LANGUAGES[51].token_id(53), Some(51));
        assert_eq!(LANGUAGES[51].token_id(52), None);
        let klingon = Language {
            code: "tlh_XX",
            name: "Klingon",
        };
        assert_eq!(klingon.token_id(250_054), None);
    }
}
