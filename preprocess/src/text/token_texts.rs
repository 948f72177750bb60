use tokenizers::Decoder;

use super::Tokenizer;

/// Stands before a token while it is decoded. Decoders move spaces and drop marks at the start of a text, so only a
/// token that follows another one shows what it adds; any plain letter does.
const BEFORE: &str = "a";

impl Tokenizer {
    /// For every id, the text that its token adds to a text: `▁dog` adds `" dog"`, `ma` adds `"ma"`.
    ///
    /// `None` stands for what [`decode`](Self::decode) skips, special tokens (`<s>`, `<pad>`, `</s>`, `<unk>`,
    /// `<mask>`, language codes and those that a file adds), and for ids without a token. The list has
    /// [`vocab_size`](Self::vocab_size) entries. It is made anew at every call, 0.05 s for 250,054 tokens, so keep it.
    ///
    /// With mBART-50's decoder, Metaspace, the texts of some ids joined, without one leading space, are
    /// `decode(ids, true)`. A `tokenizer.json` may have another decoder; the texts then follow what it makes of the
    /// token after an ordinary one, and joining them may differ where it looks at several tokens together. With byte
    /// fallback, a piece like `<0xE2>` is a part of a character: alone it decodes, and stands here, as U+FFFD, and only
    /// pieces below `<0x80>` are characters of their own. Who streams such a vocabulary decodes whole texts instead.
    pub fn token_texts(&self) -> Vec<Option<String>> {
        let before = self.joined(vec![BEFORE.to_owned()]).unwrap_or_default();
        let ids = (0..).take(self.vocab_size());
        ids.map(|id| self.token_text(id, &before)).collect()
    }

    /// What the token adds to the text `before`, which is that of [`BEFORE`].
    fn token_text(&self, id: u32, before: &str) -> Option<String> {
        let token = self.inner.id_to_token(id)?;
        if self.inner.get_added_vocabulary().is_special_token(&token) {
            return None;
        }
        let mut text = self.joined(vec![BEFORE.to_owned(), token])?;
        // A decoder that rewrites the end of a text has no place where the token starts; then all of it is its text.
        if text.starts_with(before) {
            text.drain(..before.len());
        }
        Some(text)
    }

    /// The text of tokens, as [`decode`](Self::decode) makes it; `None` if the decoder of a `tokenizer.json` fails.
    fn joined(&self, tokens: Vec<String>) -> Option<String> {
        match self.inner.get_decoder() {
            Some(decoder) => decoder.decode(tokens).ok(),
            None => Some(tokens.join(" ")),
        }
    }
}
