//! A custom logits processor and a custom search strategy. They use only the public interface of
//! `generation`; the captioner still runs the generation loop, the batch, the cache and the languages.

mod first_tokens;
mod short_words;

pub use first_tokens::FirstTokens;
pub use short_words::ShortWords;
