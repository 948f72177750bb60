use std::time::Duration;

use crate::{Error, LanguageCaptions};

/// What has become of a picture.
#[derive(Debug)]
#[non_exhaustive]
pub struct Record<T, E> {
    /// The place of the picture in the iterator, from 0.
    pub index: u64,
    /// The picture, as `open` has left it.
    pub picture: T,
    /// Its captions, language by language, or why there are none.
    pub captions: Result<Vec<LanguageCaptions>, Failure<E>>,
    /// Its share of the time that preparing it and encoding its batch took.
    pub encode: Duration,
    /// The time from when it was encoded to its last caption, which it has shared with other pictures.
    pub generate: Duration,
}

/// Why a picture has no captions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure<E> {
    /// It could not be opened.
    #[error("can't open the picture")]
    Open(#[source] E),
    /// It could not be prepared, encoded or captioned.
    #[error("can't caption the picture")]
    Caption(#[source] Error),
    /// There is a fault in what opens or captions pictures.
    #[error("there is a fault in this program: {message}")]
    Panicked {
        /// What the panic said.
        message: String,
    },
}

impl<T, E> Record<T, E> {
    /// Whether the picture has captions in every language.
    pub fn is_complete(&self) -> bool {
        let has_captions =
            |captions: &Vec<LanguageCaptions>| captions.iter().all(|one| one.captions.is_ok());
        self.captions.as_ref().is_ok_and(has_captions)
    }
}
