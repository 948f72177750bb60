use std::slice;

use tokenizers::decoders::DecoderWrapper;
use tokenizers::{Decoder, Model};

use super::bytes::{self, incomplete};
use crate::Error;

/// Decoded before tokens that do not begin a text, since decoders treat the first token differently. Any plain letter
/// would do.
const CONTEXT: &str = "a";

/// How a tokenizer's decoder turns tokens into text, part by part.
#[derive(Clone)]
pub(super) struct Decoding<'t> {
    tokenizer: &'t tokenizers::Tokenizer,
    /// What [`CONTEXT`] decodes to.
    context: String,
    dependence: Dependence,
}

/// Which other tokens the text of a token depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dependence {
    /// On none, but the first token of a text is special.
    First,
    /// As [`First`](Self::First), and a byte piece such as `<0xE2>` depends on the byte pieces next to it.
    ByteRun,
    /// On the tokens next to it if it has only some bytes of a character.
    Bytes,
    /// On all.
    All,
}

impl<'t> Decoding<'t> {
    pub(super) fn new(tokenizer: &'t tokenizers::Tokenizer) -> Self {
        let mut decoding = Self {
            tokenizer,
            context: String::new(),
            dependence: dependence(tokenizer.get_decoder()),
        };
        decoding.context = decoding.join(vec![CONTEXT.to_owned()]).unwrap_or_default();
        // A decoder that changes a plain letter may depend on it in ways that `dependence` does not see.
        if decoding.context != CONTEXT {
            decoding.dependence = Dependence::All;
        }
        decoding
    }

    /// The token with this id, spelled as the decoder reads it; `None` if no token has this id.
    pub(super) fn token(&self, id: u32) -> Option<String> {
        let added = self.tokenizer.get_added_vocabulary();
        added
            .simple_id_to_token(id)
            .or_else(|| self.tokenizer.get_model().id_to_token(id))
    }

    pub(super) fn is_special(&self, token: &str) -> bool {
        self.tokenizer
            .get_added_vocabulary()
            .is_special_token(token)
    }

    /// The text of tokens that begin a text.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the decoder fails.
    pub(super) fn first(&self, tokens: &[String]) -> Result<String, Error> {
        // Some decoders can't take an empty list.
        match tokens {
            [] => Ok(String::new()),
            tokens => self.join(tokens.to_vec()),
        }
    }

    /// The text that tokens add to a text before them.
    ///
    /// # Errors
    /// [`Error::Tokenize`] if the decoder fails.
    pub(super) fn later(&self, tokens: &[String]) -> Result<String, Error> {
        if tokens.is_empty() {
            return Ok(String::new());
        }
        let context = [CONTEXT.to_owned()];
        let mut text = self.join([&context, tokens].concat())?;
        // If the decoder changes the context because of the tokens, nothing tells their texts apart.
        if text.starts_with(&self.context) {
            text.drain(..self.context.len());
        }
        Ok(text)
    }

    /// How many of these tokens have a text that no later token changes.
    pub(super) fn settled(&self, tokens: &[String]) -> usize {
        match self.dependence {
            Dependence::First => tokens.len(),
            Dependence::ByteRun => tokens.len() - last_bytes(tokens).len(),
            Dependence::Bytes => whole_characters(tokens),
            Dependence::All => 0,
        }
    }

    /// How many of these tokens there are without the byte pieces of an incomplete character at their end.
    pub(super) fn complete(&self, tokens: &[String]) -> usize {
        match self.dependence {
            Dependence::ByteRun => tokens.len() - incomplete(&last_bytes(tokens)),
            Dependence::First | Dependence::Bytes | Dependence::All => tokens.len(),
        }
    }

    /// Takes the incomplete character at the end of these tokens off their text.
    pub(super) fn without_incomplete(&self, tokens: &[String], mut text: String) -> String {
        if self.dependence == Dependence::Bytes && is_incomplete(tokens) {
            // The bytes that begin a character decode to one U+FFFD.
            text.pop();
        }
        text
    }

    fn join(&self, tokens: Vec<String>) -> Result<String, Error> {
        match self.tokenizer.get_decoder() {
            Some(decoder) => decoder.decode(tokens).map_err(Error::Tokenize),
            None => Ok(tokens.join(" ")),
        }
    }
}

/// What the texts of tokens depend on with this decoder, as far as its steps are known.
fn dependence(decoder: Option<&DecoderWrapper>) -> Dependence {
    let steps = match decoder {
        None => return Dependence::First,
        Some(DecoderWrapper::ByteLevel(_)) => return Dependence::Bytes,
        Some(DecoderWrapper::Sequence(sequence)) => sequence.get_decoders(),
        Some(decoder) => slice::from_ref(decoder),
    };
    let (mut fused, mut bytes, mut makes_bytes) = (false, false, false);
    for step in steps {
        let known = match step {
            DecoderWrapper::Metaspace(_) | DecoderWrapper::WordPiece(_) => {
                makes_bytes = true;
                !fused
            }
            DecoderWrapper::Replace(replace) => {
                makes_bytes |= replace.content != " ";
                !fused
            }
            DecoderWrapper::ByteFallback(_) => !fused && !std::mem::replace(&mut bytes, true),
            DecoderWrapper::Fuse(_) => {
                fused = true;
                true
            }
            DecoderWrapper::Strip(strip) => strip.stop == 0,
            _ => false,
        };
        if !known {
            return Dependence::All;
        }
    }
    match (bytes, makes_bytes) {
        (false, _) => Dependence::First,
        (true, false) => Dependence::ByteRun,
        // Another step could turn a piece into a byte piece, which its spelling does not show.
        (true, true) => Dependence::All,
    }
}

/// The bytes of the byte pieces at the end.
fn last_bytes(tokens: &[String]) -> Vec<u8> {
    let mut bytes: Vec<u8> = tokens.iter().rev().map_while(|token| byte(token)).collect();
    bytes.reverse();
    bytes
}

/// The byte of a byte piece, recognised exactly as the `tokenizers` crate does.
fn byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    match digits.len() {
        2 => u8::from_str_radix(digits, 16).ok(),
        _ => None,
    }
}

/// How many of these tokens there are up to the last one that ends with a whole character.
fn whole_characters(tokens: &[String]) -> usize {
    let (mut text, mut whole) = (Vec::new(), 0);
    for (index, token) in tokens.iter().enumerate() {
        text.extend(bytes::of_token(token));
        if incomplete(&text) == 0 {
            whole = index + 1;
            text.clear();
        }
    }
    whole
}

fn is_incomplete(tokens: &[String]) -> bool {
    let text: Vec<u8> = tokens
        .iter()
        .flat_map(|token| bytes::of_token(token))
        .collect();
    incomplete(&text) > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependence_of(json: &str) -> Dependence {
        let decoder: DecoderWrapper = serde_json::from_str(json).unwrap();
        dependence(Some(&decoder))
    }

    #[test]
    fn the_decoders_of_published_models_are_known() {
        let metaspace = r#"{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}"#;
        assert_eq!(dependence_of(metaspace), Dependence::First);
        let llama = r#"{"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}"#;
        assert_eq!(dependence_of(llama), Dependence::ByteRun);
        let byte_level = r#"{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}"#;
        assert_eq!(dependence_of(byte_level), Dependence::Bytes);
        let word_piece = r###"{"type": "WordPiece", "prefix": "##", "cleanup": true}"###;
        assert_eq!(dependence_of(word_piece), Dependence::First);
        assert_eq!(dependence(None), Dependence::First);
    }

    #[test]
    fn decoders_that_look_at_other_tokens_are_told_apart() {
        for json in [
            r#"{"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": true}"#,
            r#"{"type": "Strip", "content": " ", "start": 0, "stop": 1}"#,
            r#"{"type": "Sequence", "decoders": [
                {"type": "Fuse"}, {"type": "Replace", "pattern": {"String": "a b"}, "content": " "}]}"#,
            r#"{"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "b"}, "content": "<0x62>"}, {"type": "ByteFallback"}]}"#,
        ] {
            assert_eq!(dependence_of(json), Dependence::All, "{json}");
        }
    }
}
