//! Tokens that are found in a text before the model splits the rest of it.

use std::collections::HashSet;

use tokenizers::{AddedToken, Model, NormalizedString, Normalizer, Tokenizer};

use super::limits;
use super::quoted::quoted;
use crate::Error;

/// A token and the id that its file says it has.
pub(super) type Added = (Option<u32>, AddedToken);

/// Checks a token that stands at `place` of a file.
pub(super) fn check(place: &str, token: &AddedToken) -> Result<(), Error> {
    let length = token.content.len();
    if length == 0 || length > limits::PIECE_BYTES {
        return Err(refuse(
            place,
            format!("a content of 1 to {} bytes", limits::PIECE_BYTES),
            format!("one of {length} bytes, {}", quoted(&token.content)),
        ));
    }
    // Each of many spaces in a row would then be a token with all the others in it.
    let blank = token.content.chars().all(char::is_whitespace);
    if blank && (token.lstrip || token.rstrip) {
        return Err(refuse(
            place,
            "lstrip and rstrip false for a token of white space".to_owned(),
            format!("one of them true for {}", quoted(&token.content)),
        ));
    }
    Ok(())
}

/// Adds the tokens in this order, and checks that they get the ids that their file says.
pub(super) fn add(tokenizer: &mut Tokenizer, place: &str, added: Vec<Added>) -> Result<(), Error> {
    if added.is_empty() {
        return Ok(());
    }
    check_lengths(tokenizer, place, &added)?;
    let tokens: Vec<AddedToken> = added.iter().map(|(_, token)| token.clone()).collect();
    tokenizer.add_tokens(tokens).map_err(Error::Tokenize)?;
    for (id, token) in added {
        let found = tokenizer.token_to_id(&token.content);
        if id.is_some() && found != id {
            return Err(Error::tokenizer_file(
                format!(
                    "the added token {} at id {}",
                    quoted(&token.content),
                    id.unwrap_or_default()
                ),
                found.map_or("none".to_owned(), |found| format!("id {found}")),
            ));
        }
        check_id(tokenizer, &token.content, found)?;
    }
    Ok(())
}

/// The tokens that a tokenizer has been given already.
pub(super) fn contents(tokenizer: &Tokenizer) -> HashSet<String> {
    let tokens = tokenizer.get_added_tokens_decoder().into_values();
    tokens.map(|token| token.content).collect()
}

/// Checks that a token did not get the id of another, which happens if the ids of a vocabulary have gaps.
fn check_id(tokenizer: &Tokenizer, content: &str, id: Option<u32>) -> Result<(), Error> {
    let model = tokenizer.get_model();
    let other = id.and_then(|id| model.id_to_token(id));
    match other {
        Some(other) if other != content => Err(Error::tokenizer_file(
            "a vocabulary without gaps in its ids, or without tokens that are added to it",
            format!(
                "that {} would get the id of {}",
                quoted(content),
                quoted(&other)
            ),
        )),
        _ => Ok(()),
    }
}

/// Checks how long the tokens are in the form in which they are looked for in a text, which takes memory for each byte.
fn check_lengths(tokenizer: &Tokenizer, place: &str, added: &[Added]) -> Result<(), Error> {
    let total: usize = added.iter().map(|(_, token)| token.content.len()).sum();
    let limit = limits::ADDED_BYTES.min(total * limits::ADDED_GROWTH + limits::ADDED_MORE_BYTES);
    let mut found = 0;
    for (_, token) in added {
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
            return Err(refuse(
                place,
                "tokens that normalisation leaves something of".to_owned(),
                quoted(&token.content),
            ));
        }
        found += length;
        if found > limit {
            return Err(refuse(
                place,
                format!("tokens of at most {limit} bytes together, after normalisation"),
                "more".to_owned(),
            ));
        }
    }
    Ok(())
}

fn refuse(place: &str, expected: String, found: String) -> Error {
    Error::TokenizerPart {
        place: place.to_owned(),
        expected,
        found,
    }
}
