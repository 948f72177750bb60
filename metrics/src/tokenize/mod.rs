//! How texts become tokens. Each metric is defined with its own tokens, and on others it is another number.

mod contractions;
mod mteval;
mod punkt;
mod punkt_context;
mod punkt_model;
mod substitute;
mod word;

pub use mteval::tokenize_13a;
pub use punkt::Punkt;
pub use punkt_model::PunktModel;
pub use word::{WordTokenizer, treebank_tokens};
