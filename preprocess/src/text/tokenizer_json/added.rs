use serde::Deserialize;
use serde_json::value::RawValue;
use tokenizers::{AddedToken, NormalizedString, Normalizer, Tokenizer};

use super::super::limits;
use super::super::quoted::quoted;
use super::bounded::Bounded;
use super::component::{Place, parse};
use crate::Error;

const PLACE: Place = Place::Part("added_tokens");

/// A token that is found in a text before the model splits the rest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with id and content")]
pub(super) struct Token {
    id: u32,
    content: String,
    single_word: bool,
    lstrip: bool,
    rstrip: bool,
    normalized: bool,
    special: bool,
}

/// Reads the added tokens of a file.
pub(super) fn read(raw: &RawValue) -> Result<Vec<Token>, Error> {
    let Bounded(tokens) = parse::<Bounded<Token, { limits::PIECES }>>(&PLACE, raw)?;
    tokens.iter().try_for_each(Token::check)?;
    Ok(tokens)
}

/// Adds the tokens in the order of their ids, and checks that they got these ids.
pub(super) fn add(tokenizer: &mut Tokenizer, mut added: Vec<Token>) -> Result<(), Error> {
    check_lengths(tokenizer, &added)?;
    added.sort_by_key(|token| token.id);
    let tokens: Vec<_> = added.iter().map(Token::build).collect();
    tokenizer.add_tokens(tokens).map_err(Error::Tokenize)?;
    for Token { id, content, .. } in added {
        let found = tokenizer.token_to_id(&content);
        if found != Some(id) {
            return Err(Error::tokenizer_file(
                format!("the added token {} at id {id}", quoted(&content)),
                found.map_or("none".to_owned(), |found| format!("id {found}")),
            ));
        }
    }
    Ok(())
}

impl Token {
    fn check(&self) -> Result<(), Error> {
        let length = self.content.len();
        if length == 0 || length > limits::PIECE_BYTES {
            return Err(PLACE.refuse(
                format!("a content of 1 to {} bytes", limits::PIECE_BYTES),
                format!("{length} bytes at id {}", self.id),
            ));
        }
        // Each of many spaces in a row would then be a token with all the others in it.
        let blank = self.content.chars().all(char::is_whitespace);
        if blank && (self.lstrip || self.rstrip) {
            return Err(PLACE.refuse(
                "lstrip and rstrip false for a token of white space",
                format!("one of them true for {}", quoted(&self.content)),
            ));
        }
        Ok(())
    }

    fn build(&self) -> AddedToken {
        AddedToken {
            content: self.content.clone(),
            single_word: self.single_word,
            lstrip: self.lstrip,
            rstrip: self.rstrip,
            normalized: self.normalized,
            special: self.special,
        }
    }
}

/// Checks how long the tokens are in the form in which they are looked for in a text, which takes memory for each byte.
fn check_lengths(tokenizer: &Tokenizer, added: &[Token]) -> Result<(), Error> {
    let total: usize = added.iter().map(|token| token.content.len()).sum();
    let limit = limits::ADDED_BYTES.min(total * limits::ADDED_GROWTH + limits::ADDED_MORE_BYTES);
    let mut found = 0;
    for token in added {
        let length = match tokenizer.get_normalizer() {
            Some(normalizer) if token.normalized => {
                let mut text = NormalizedString::from(token.content.as_str());
                normalizer.normalize(&mut text).map_err(Error::Tokenize)?;
                text.get().len()
            }
            _ => token.content.len(),
        };
        if length == 0 {
            // It would be found between any two bytes of a text, also within a character.
            return Err(PLACE.refuse(
                "tokens that normalisation leaves something of",
                quoted(&token.content),
            ));
        }
        found += length;
        if found > limit {
            return Err(PLACE.refuse(
                format!("tokens of at most {limit} bytes together, after normalisation"),
                "more",
            ));
        }
    }
    Ok(())
}
