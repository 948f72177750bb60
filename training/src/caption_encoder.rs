use preprocess::text::{Language, Tokenizer};

/// Turns captions into labels: `[language code] words </s>`.
///
/// If the tokenizer has no codes of languages, labels are the text with the tokens that the tokenizer has around texts
/// and an end token, as `captioning` scores it. A model that learns them can't be told which language to write, so
/// all of its captions have to be in one.
#[derive(Clone, Debug)]
pub struct CaptionEncoder<'a> {
    tokenizer: &'a Tokenizer,
    max_length: usize,
    eos_token_id: Vec<u32>,
    /// The language of the captions so far.
    language: Option<Language>,
}

/// Why a caption can't become labels.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Captions are in several languages, but the model has no codes that say which one to write.
    #[error(
        "captions are in {first} and in {second}, but the model has no codes of languages and learns one; choose it with the setting languages"
    )]
    SeveralLanguages {
        /// The code of the first language that was met.
        first: &'static str,
        /// The code of another.
        second: &'static str,
    },
    /// The tokenizer has no code for the language, or can't split the caption into tokens.
    #[error(transparent)]
    Tokenizer(#[from] preprocess::Error),
}

impl<'a> CaptionEncoder<'a> {
    /// Labels of at most `max_length` tokens. Texts without a code of a language end with the first of `eos_token_id`.
    pub fn new(tokenizer: &'a Tokenizer, max_length: usize, eos_token_id: &[u32]) -> Self {
        Self {
            tokenizer,
            max_length,
            eos_token_id: eos_token_id.to_vec(),
            language: None,
        }
    }

    /// The labels of a caption.
    ///
    /// # Errors
    /// [`EncodeError::SeveralLanguages`] if the tokenizer has no codes of languages and an earlier caption was in another
    /// language; [`EncodeError::Tokenizer`] if it has codes, but none for this language, or the caption can't be split
    /// into tokens.
    pub fn encode(&mut self, text: &str, language: Language) -> Result<Vec<u32>, EncodeError> {
        let max_length = Some(self.max_length);
        if self.tokenizer.languages().next().is_some() {
            return Ok(self.tokenizer.encode(text, language.code, max_length)?);
        }
        let first = *self.language.get_or_insert(language);
        if first != language {
            return Err(EncodeError::SeveralLanguages {
                first: first.code,
                second: language.code,
            });
        }
        let text = text.trim();
        let ends = &self.eos_token_id;
        Ok(self.tokenizer.encode_to_end(text, ends, max_length)?)
    }
}

#[cfg(test)]
mod tests {
    use preprocess::text::language;

    use super::*;

    fn tokenizer(class: &str) -> Tokenizer {
        let folder = format!(
            "{}/../preprocess/tests/data/classes/{class}",
            env!("CARGO_MANIFEST_DIR")
        );
        Tokenizer::from_folder(folder).unwrap()
    }

    #[test]
    fn captions_without_codes_of_languages_end_with_one_end_token() {
        let english = language("en").unwrap();
        let tokenizer = tokenizer("gpt2-json");
        let end = tokenizer.token_id("<|endoftext|>").unwrap();
        let mut encoder = CaptionEncoder::new(&tokenizer, 64, &[end]);
        let text = tokenizer.encode_text("a dog", true).unwrap();
        let labels = encoder.encode(" a dog ", english).unwrap();
        assert_eq!(labels, [&text[..], &[end]].concat());
        // Its end stays if a text is cut.
        let mut encoder = CaptionEncoder::new(&tokenizer, 3, &[end]);
        let labels = encoder.encode("a dog and a cat", english).unwrap();
        assert_eq!(labels.len(), 3);
        assert_eq!(labels[2], end);
    }

    #[test]
    fn several_languages_without_codes_are_refused() {
        let tokenizer = tokenizer("gpt2-json");
        let mut encoder = CaptionEncoder::new(&tokenizer, 64, &[]);
        encoder.encode("a dog", language("en").unwrap()).unwrap();
        let error = encoder.encode("un chien", language("fr").unwrap());
        let error = error.unwrap_err();
        assert!(matches!(error, EncodeError::SeveralLanguages { .. }));
        let message = error.to_string();
        assert!(message.contains("in en_XX and in fr_XX"), "{message}");
    }
}
