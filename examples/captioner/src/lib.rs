//! Arguments about models, the search of captions and pictures, and what they mean: the same in every program.

mod model;
mod pictures;
mod search;

pub use model::{LoadError, Loaded, ModelArguments, languages, languages_or_default};
pub use pictures::PictureArguments;
pub use search::{SearchArguments, says};
