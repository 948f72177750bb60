//! Training of vision encoder-decoders.
