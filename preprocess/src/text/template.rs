use tokenizers::processors::template::TemplateProcessing;

use super::languages::Language;
use super::special::END;
use crate::Error;

/// The code of the language that Hugging Face takes if `src_lang` is not given.
const DEFAULT_LANGUAGE: &str = "en_XX";

/// The post-processor of a `tokenizer.json`, `[language] text </s>` with the default language.
///
/// Only other programs that read the file use it.
pub(super) fn template(
    languages: &[(Language, u32)],
    end: u32,
) -> Result<TemplateProcessing, Error> {
    let (language, id) = default_language(languages);
    TemplateProcessing::builder()
        .try_single(vec![language.code, "$A", END])
        .map_err(|error| Error::Tokenize(error.into()))?
        .try_pair(vec![language.code, "$A", "$B", END])
        .map_err(|error| Error::Tokenize(error.into()))?
        .special_tokens(vec![(language.code, id), (END, end)])
        .build()
        .map_err(|error| Error::Tokenize(error.into()))
}

/// English, or the first language of a tokenizer without English.
pub(super) fn default_language(languages: &[(Language, u32)]) -> (Language, u32) {
    let english = languages
        .iter()
        .find(|(language, _)| language.code == DEFAULT_LANGUAGE);
    *english.unwrap_or(&languages[0])
}
