use preprocess::text::{Language, Tokenizer, language};
use pretrained::NewToken;

use crate::ConvertError;

/// The languages that `--add-language` names, and the one of `--like`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NewLanguages<'a> {
    pub(crate) names: &'a [String],
    pub(crate) like: Option<&'a str>,
}

/// A language that was added.
#[derive(Debug)]
pub(crate) struct Added {
    pub(crate) code: String,
    pub(crate) token: NewToken,
}

impl NewLanguages<'_> {
    /// Adds the languages to a tokenizer. Their tokens are at first like that of the other language, or like the mean
    /// of all languages that the tokenizer has.
    pub(crate) fn add_to(&self, tokenizer: &mut Tokenizer) -> Result<Vec<Added>, ConvertError> {
        let known: Vec<(Language, u32)> = tokenizer.languages().collect();
        let like = match self.like {
            None => known.iter().map(|(_, id)| *id).collect(),
            Some(name) => vec![of_tokenizer(&known, tokenizer, name.trim())?],
        };
        let mut all_added = Vec::with_capacity(self.names.len());
        for name in self.names {
            let name = name.trim();
            let code = language(name).map_or(name, |language| language.code);
            if tokenizer.languages().any(|(known, _)| known.code == code) {
                return Err(ConvertError::HasLanguage(code.to_owned()));
            }
            let token = NewToken {
                id: tokenizer.add_language(code)?,
                like: like.clone(),
            };
            all_added.push(Added {
                code: code.to_owned(),
                token,
            });
        }
        Ok(all_added)
    }
}

/// The token of a language, by code or name.
fn of_tokenizer(
    known: &[(Language, u32)],
    tokenizer: &Tokenizer,
    name: &str,
) -> Result<u32, ConvertError> {
    match known.iter().find(|(language, _)| language.is_called(name)) {
        Some((_, id)) => Ok(*id),
        None => Ok(tokenizer.language_id(name)?), // the error lists the languages
    }
}
