use super::Tokenizer;
use super::decoding::Decoding;

impl Tokenizer {
    /// For every id, the text that its token adds to a text: `▁dog` adds `" dog"`, `ma` adds `"ma"`.
    ///
    /// The list has [`vocab_size`](Self::vocab_size) entries. An entry is `None` if [`decode`](Self::decode) skips the
    /// token (special tokens: `<s>`, `<pad>`, `</s>`, `<unk>`, `<mask>`, the language codes and those that a file adds)
    /// and if no token has the id. Each call computes the list anew, which takes 0.05 s for 250,054 tokens, so keep it.
    ///
    /// With mBART-50's decoder, Metaspace, `decode(ids, true)` is the texts of the ids joined, without one leading
    /// space. The decoder of a `tokenizer.json` may be another one. Each text is then what the token adds to an
    /// ordinary token before it, and the joined texts may differ from the decoded text where the decoder looks at
    /// several tokens together. A byte piece like `<0xE2>` is only a part of a character: alone it decodes to U+FFFD,
    /// which is its entry here, and only byte pieces below `<0x80>` are characters. To decode such tokens one after the
    /// other, use [`text_stream`](Self::text_stream).
    pub fn token_texts(&self) -> Vec<Option<String>> {
        let decoding = Decoding::new(&self.inner);
        let text = |id| {
            let token = decoding.token(id)?;
            if decoding.is_special(&token) {
                return None;
            }
            decoding.later(&[token]).ok()
        };
        (0..).take(self.vocab_size()).map(text).collect()
    }
}
