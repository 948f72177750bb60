use serde::Deserialize;
use serde_json::value::RawValue;
use tokenizers::AddedToken;

use super::super::added::{self, Added};
use super::super::limits;
use super::bounded::Bounded;
use super::component::{Place, parse};
use crate::Error;

/// The key of the file.
pub(super) const NAME: &str = "added_tokens";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with id and content")]
struct Token {
    id: u32,
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

/// Reads the added tokens of a file, in the order of their ids.
pub(super) fn read(raw: &RawValue) -> Result<Vec<Added>, Error> {
    let Bounded(mut tokens) = parse::<Bounded<Token, { limits::PIECES }>>(&Place::Part(NAME), raw)?;
    tokens.sort_by_key(|token| token.id);
    let tokens: Vec<Added> = tokens.into_iter().map(Token::build).collect();
    let mut all = tokens.iter();
    all.try_for_each(|(_, token)| added::check(NAME, token))?;
    Ok(tokens)
}

impl Token {
    fn build(self) -> Added {
        let token = AddedToken {
            content: self.content,
            single_word: self.single_word,
            lstrip: self.lstrip,
            rstrip: self.rstrip,
            normalized: self.normalized,
            special: self.special,
        };
        (Some(self.id), token)
    }
}
