use std::fmt;
use std::time::Instant;

use captioning::{CaptionOptions, Language, RgbImage};

/// A picture, and what is wanted of it.
pub struct Request {
    /// The picture. It is dropped as soon as it is encoded.
    pub image: RgbImage,
    /// Dropped together with the picture: a permit for its memory, for example.
    pub hold: Option<Box<dyn Send + Sync>>,
    /// The languages to caption and to score in. One that is named twice counts once.
    pub languages: Vec<Language>,
    /// How to caption. [`Captioner::validate_options`](captioning::Captioner::validate_options) tells before a request is
    /// made whether the model can do it.
    pub options: CaptionOptions,
    /// Whether captions are wanted, and not only scores.
    pub captions: bool,
    /// Texts to score in every language; see [`Captioner::score`](captioning::Captioner::score).
    pub texts: Vec<String>,
    /// Whether each caption comes with [where the decoder looked](captioning::Captioner::attention).
    pub attention: bool,
    /// Whether captions are shown while they are written.
    pub drafts: bool,
    /// When the request ends, unless [`Limits::deadline`](crate::Limits::deadline) is earlier.
    pub deadline: Option<Instant>,
}

impl Request {
    /// A request for captions alone.
    pub fn new(image: RgbImage, languages: Vec<Language>, options: CaptionOptions) -> Self {
        Self {
            image,
            hold: None,
            languages,
            options,
            captions: true,
            texts: Vec::new(),
            attention: false,
            drafts: false,
            deadline: None,
        }
    }

    /// Gives the memory of the picture back.
    pub(crate) fn forget_image(&mut self) {
        if let Ok(pixel) = RgbImage::new(1, 1, vec![0; 3]) {
            self.image = pixel;
        }
        self.hold = None;
    }

    pub(crate) fn distinct_languages(&self) -> Vec<Language> {
        let mut distinct = Vec::with_capacity(self.languages.len());
        for language in &self.languages {
            if !distinct.contains(language) {
                distinct.push(*language);
            }
        }
        distinct
    }

    /// The rows of a batch that one language takes.
    pub(crate) fn rows_of_a_language(&self) -> usize {
        let generation = &self.options.generation;
        // Contrastive search tries this many continuations of each caption.
        let tried = match generation.penalty_alpha {
            Some(alpha) if alpha > 0.0 => generation.top_k,
            _ => 1,
        };
        let searched = generation.num_beams.max(generation.num_return_sequences);
        searched.max(1).saturating_mul(tried.max(1))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("image", &self.image)
            .field("languages", &self.languages)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
