//! The tokenizer of Marian's translation models.

mod normalizer;
mod options;
mod pieces;
mod tokenizer;
mod vocabulary;

pub use tokenizer::MarianTokenizer;
