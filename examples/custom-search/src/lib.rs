//! A logits processor and a search strategy of one's own, written against the public interface of
//! `generation` alone. The loop, the languages, the cache and the batch stay the captioner's.

mod first_tokens;
mod short_words;

pub use first_tokens::FirstTokens;
pub use short_words::ShortWords;
