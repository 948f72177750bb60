use std::path::Path;

use generation::{GenerationConfig, Hypothesis};
use preprocess::image::{Backend, ImageProcessor, ImageProcessorConfig, RgbImage};
use preprocess::text::Language;
use pretrained::LoadError;
use pretrained::as_published::{self, PublishedText, truncated_pixels};
use vision_encoder_decoder::{GenerateError, Memory};
use whole_files::limits;

use crate::{Caption, Captioner, Error, LanguageCaptions};

/// A captioner that reproduces what the published model's original code returned, quirks included.
///
/// Use it to reproduce the published captions and their BLEU scores, and [`Captioner::caption`] for
/// anything else. [`pretrained::as_published`] lists the differences.
#[derive(Clone, Copy, Debug)]
pub struct AsPublished<'a> {
    captioner: &'a Captioner,
}

impl Captioner {
    /// Returns this captioner with the quirks of the published model's original code.
    pub fn as_published(&self) -> AsPublished<'_> {
        AsPublished { captioner: self }
    }
}

impl AsPublished<'_> {
    /// Reads the options that the original uses by default for the checkpoint in `folder`. The published
    /// form has them in its `config.json`.
    ///
    /// # Errors
    /// [`Error::Load`], naming the file and what is wrong with it.
    pub fn generation_config(&self, folder: impl AsRef<Path>) -> Result<GenerationConfig, Error> {
        let path = folder.as_ref().join("config.json");
        let json = whole_files::read_text(&path, limits::JSON)
            .map_err(|error| LoadError::from(checkpoint::LoadError::from(error)))?;
        let ordinary = self.captioner.generation_config();
        let options = as_published::generation_config(&json, ordinary);
        let origin = path.display().to_string();
        match options {
            Ok(options) => Ok(options.with_file(origin)),
            Err(source) => Err(LoadError::Config { origin, source }.into()),
        }
    }

    /// Checks options before there is an image, as [`caption`](Self::caption) would.
    ///
    /// # Errors
    /// [`Error::Generate`], naming the invalid options.
    pub fn validate(&self, config: &GenerationConfig) -> Result<(), Error> {
        as_published::validate(config).map_err(GenerateError::from)?;
        self.captioner.validate(config)
    }

    /// Captions images in several languages. The result has an entry for each image, with an entry for
    /// each language, with one caption. The ids of a caption are padded to `max_length`, as in the original.
    ///
    /// # Errors
    /// [`Error`] if the model does not write one of the languages, the original does not know an option, an
    /// image can't be prepared, or the device fails.
    pub fn caption(
        &self,
        images: &[RgbImage],
        languages: &[Language],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<LanguageCaptions>>, Error> {
        if images.is_empty() {
            return Ok(Vec::new());
        }
        self.caption_encoded(self.encode(images)?, languages, config)
    }

    /// Prepares images as the model was trained with them, resized as tensors without antialias, with the original's
    /// truncated pixels, and encodes them.
    ///
    /// # Errors
    /// [`Error::Preprocess`] if an image can't be prepared.
    ///
    /// # Panics
    /// If there are no images.
    pub fn encode(&self, images: &[RgbImage]) -> Result<Memory, Error> {
        let image_processor = ImageProcessor::new(ImageProcessorConfig {
            resize_backend: Backend::TorchvisionWithoutAntialias,
            ..self.captioner.image_processor().config().clone()
        })?;
        let pixel_values = self.captioner.prepare_with(&image_processor, images)?;
        let pixel_values = truncated_pixels(pixel_values);
        Ok(self.captioner.model().encode(pixel_values))
    }

    /// Captions images that [`encode`](Self::encode) has encoded. The result is that of
    /// [`caption`](Self::caption).
    ///
    /// # Errors
    /// [`Error`] if the model does not write one of the languages, the original does not know an option, or
    /// the device fails.
    pub fn caption_encoded(
        &self,
        memory: Memory,
        languages: &[Language],
        config: &GenerationConfig,
    ) -> Result<Vec<Vec<LanguageCaptions>>, Error> {
        let [images, _, _] = memory.hidden.dims();
        let mut captions: Vec<Vec<LanguageCaptions>> = Vec::with_capacity(images);
        captions.resize_with(images, Vec::new);
        for language in languages {
            let language = self.captioner.language(language.code)?;
            let code = self.captioner.tokenizer().language_id(language.code)?;
            let config = GenerationConfig {
                forced_bos_token_id: Some(code),
                ..config.clone()
            };
            let texts = as_published::generate(self.captioner.model(), memory.clone(), &config)?;
            for (captions, text) in captions.iter_mut().zip(texts) {
                let caption = text
                    .map_err(|error| Error::no_caption(language, error))
                    .and_then(|text| self.read(language, text));
                captions.push(LanguageCaptions {
                    language,
                    captions: caption.map(|caption| vec![caption]),
                });
            }
        }
        Ok(captions)
    }

    fn read(&self, language: Language, text: PublishedText) -> Result<Caption, Error> {
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
        self.captioner.read(language, text)
    }
}
