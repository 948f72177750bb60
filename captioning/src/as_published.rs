use std::fs;
use std::path::Path;

use generation::{GenerationConfig, Hypothesis};
use mbart50_decoder::Language;
use preprocess::image::RgbImage;
use vision_encoder_decoder::as_published::{self, PublishedText, truncated_pixels};
use vision_encoder_decoder::{GenerateError, LoadError, Memory};

use crate::{Caption, Captioner, Error};

/// A captioner that says what the published model's original code says, quirks included.
///
/// Use it to reproduce the published captions and their BLEU scores, and [`Captioner::caption`] for
/// anything else. [`vision_encoder_decoder::as_published`] lists what is different.
#[derive(Clone, Copy, Debug)]
pub struct AsPublished<'a> {
    captioner: &'a Captioner,
}

impl Captioner {
    /// The same captioner with the quirks of the published model's original code.
    pub fn as_published(&self) -> AsPublished<'_> {
        AsPublished { captioner: self }
    }
}

impl AsPublished<'_> {
    /// The options that the original takes where a call names none, for the checkpoint in `folder`:
    /// the published form has them in its `config.json`.
    ///
    /// # Errors
    /// [`Error::Load`], naming the file and what is wrong with it.
    pub fn generation_config(&self, folder: impl AsRef<Path>) -> Result<GenerationConfig, Error> {
        let path = folder.as_ref().join("config.json");
        let json = fs::read_to_string(&path).map_err(|source| LoadError::Io {
            path: path.clone(),
            source,
        })?;
        let ordinary = self.captioner.generation_config();
        let options = as_published::generation_config(&json, ordinary);
        Ok(options.map_err(|error| LoadError::Config {
            origin: path.display().to_string(),
            source: error.into(),
        })?)
    }

    /// Checks options before there is an image: what [`caption`](Self::caption) would refuse.
    ///
    /// # Errors
    /// [`Error::Generate`], naming the options.
    pub fn validate(&self, config: &GenerationConfig) -> Result<(), Error> {
        as_published::validate(config).map_err(GenerateError::from)?;
        self.captioner.validate(config)
    }

    /// Captions images in several languages: for each image, in the order of the languages, one
    /// caption. Its ids are filled with padding up to the longest length, as in the original.
    ///
    /// # Errors
    /// [`Error`]: as [`Captioner::caption`], or options that the original does not know.
    pub fn caption(
        &self,
        images: &[RgbImage],
        languages: &[Language],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<Caption>>, Error> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        self.caption_encoded(self.encode(images)?, languages, config)
    }

    /// Prepares and encodes images: the first half of [`caption`](Self::caption).
    ///
    /// # Errors
    /// As [`Captioner::encode`].
    ///
    /// # Panics
    /// If there are no images.
    pub fn encode(&self, images: &[RgbImage]) -> Result<Memory, Error> {
        let pixel_values = truncated_pixels(self.captioner.prepare(images)?);
        Ok(self.captioner.model().encode(pixel_values))
    }

    /// Captions images that are encoded already: the second half of [`caption`](Self::caption).
    ///
    /// # Errors
    /// [`Error`], likewise.
    pub fn caption_encoded(
        &self,
        memory: Memory,
        languages: &[Language],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<Caption>>, Error> {
        let [images, _, _] = memory.hidden.dims();
        let mut captions: Vec<Vec<Caption>> = vec![Vec::new(); images];
        for language in languages {
            let language = self.captioner.language(language.code)?;
            let code = self.captioner.tokenizer().language_id(language.code)?;
            let config = GenerationConfig {
                forced_bos_token_id: Some(code),
                ..config.clone()
            };
            let texts = as_published::generate(self.captioner.model(), memory.clone(), &config)?;
            for (captions, text) in captions.iter_mut().zip(texts) {
                let PublishedText {
                    tokens,
                    token_log_probs,
                    score,
                } = text;
                let text = Hypothesis {
                    tokens,
                    token_log_probs,
                    score,
                    alternatives: Vec::new(),
                };
                captions.push(self.captioner.read(language, text)?);
            }
        }
        Ok(captions)
    }
}
