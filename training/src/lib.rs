//! Training of vision encoder-decoders.

pub mod logs;
