use std::path::Path;
use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Tensor, TensorData};
use generation::{GenerationConfig, Hypothesis, Vocabulary};
use mbart50_decoder::{Language, language};
use packed_linear::Format;
use preprocess::image::{ImageProcessor, RgbImage};
use preprocess::text::Tokenizer;
use vision_encoder_decoder::checkpoint::{SaveOptions, StagedFolder};
use vision_encoder_decoder::{ClipVisionMBart50, Memory, Pretrained};

use crate::{Caption, CaptionOptions, Error, TokenAlternative, embedded, folder};

/// Captions images in many languages.
#[derive(Debug)]
pub struct Captioner {
    pretrained: Pretrained,
    image_processor: ImageProcessor,
    tokenizer: Tokenizer,
    languages: Vec<Language>,
    /// Made when it is first asked for.
    vocabulary: OnceLock<Arc<Vocabulary>>,
    /// Channels, height and width that the encoder takes.
    input: [usize; 3],
    device: Device,
}

impl Captioner {
    /// The small model inside this crate: 514 common things in six styles of pictogram art, one or
    /// two on a plain background, in English, French, German and Spanish. No photographs.
    ///
    /// # Errors
    /// [`Error`] only if the device fails.
    pub fn embedded(device: &Device) -> Result<Self, Error> {
        embedded::load(default_format(device), device)
    }

    /// [`embedded`](Self::embedded), its weights packed in some format; `None` means ordinary weights.
    ///
    /// # Errors
    /// [`Error`], likewise.
    pub fn embedded_as(format: Option<Format>, device: &Device) -> Result<Self, Error> {
        embedded::load(format, device)
    }

    /// Loads a checkpoint folder: what [`Pretrained::from_folder`] reads,
    /// `sentencepiece.bpe.model` or `tokenizer.json`, and `preprocessor_config.json`, without which
    /// CLIP's own settings are taken.
    ///
    /// Weights are as the folder has them packed, or `f32`, packed for the device's kernels where it
    /// has some.
    ///
    /// # Errors
    /// [`Error`], naming the file and what is wrong with it.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        let folder = folder.as_ref();
        Self::from_folder_with_tokenizer(folder, folder, device)
    }

    /// Like [`from_folder`](Self::from_folder), with the tokenizer of another folder: the published
    /// checkpoint comes without one.
    ///
    /// # Errors
    /// [`Error`], likewise.
    pub fn from_folder_with_tokenizer(
        folder: impl AsRef<Path>,
        tokenizer_folder: impl AsRef<Path>,
        device: &Device,
    ) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let packed = Pretrained::packed_format(folder).map_err(Error::Load)?;
        let format = packed.or(default_format(device));
        folder::load(folder, tokenizer_folder.as_ref(), format, device)
    }

    /// Like [`from_folder_with_tokenizer`](Self::from_folder_with_tokenizer), with weights packed in
    /// some format; `None` means ordinary weights.
    ///
    /// # Errors
    /// [`Error`], likewise.
    pub fn from_folder_as(
        folder: impl AsRef<Path>,
        tokenizer_folder: impl AsRef<Path>,
        format: Option<Format>,
        device: &Device,
    ) -> Result<Self, Error> {
        folder::load(folder.as_ref(), tokenizer_folder.as_ref(), format, device)
    }

    /// Joins parts that are loaded already. `languages` are those that [`caption`](Self::caption)
    /// will accept.
    ///
    /// # Errors
    /// [`Error::Vocabulary`], [`Error::ImageSize`] or [`Error::Preprocess`] if the tokenizer or the
    /// preprocessing is not the model's.
    pub fn new(
        pretrained: Pretrained,
        image_processor: ImageProcessor,
        tokenizer: Tokenizer,
        languages: Vec<Language>,
        device: &Device,
    ) -> Result<Self, Error> {
        let config = &pretrained.config;
        if tokenizer.vocab_size() > config.decoder.vocab_size {
            return Err(Error::Vocabulary {
                tokenizer: tokenizer.vocab_size(),
                model: config.decoder.vocab_size,
            });
        }
        for language in &languages {
            tokenizer.language_id(language.code)?;
        }
        let encoder = &config.encoder;
        let captioner = Self {
            input: [encoder.num_channels, encoder.image_size, encoder.image_size],
            pretrained,
            image_processor,
            tokenizer,
            languages,
            vocabulary: OnceLock::new(),
            device: device.clone(),
        };
        // A model and a preprocessing that do not belong together are better found now than at
        // the first image.
        captioner.prepare(&[RgbImage::new(1, 1, vec![0; 3])?])?;
        Ok(captioner)
    }

    /// Saves the captioner as a Hugging Face folder that this crate and transformers 5 open: model,
    /// configurations, tokenizer and preprocessing. [`StagedFolder`] says what happens to a folder
    /// that exists already.
    ///
    /// # Errors
    /// [`Error::Save`] or [`Error::Preprocess`], naming the file.
    pub fn save(&self, folder: impl AsRef<Path>, options: &SaveOptions) -> Result<(), Error> {
        let staged = StagedFolder::new(folder)?;
        self.pretrained.write(&staged, options)?;
        self.image_processor.config().save(staged.path())?;
        self.tokenizer.save(staged.path())?;
        staged.commit()?;
        Ok(())
    }

    /// The languages that it writes.
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// Finds one of its languages by code (`es_XX`), short code (`es`) or English name.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`], listing those it writes.
    pub fn language(&self, text: &str) -> Result<Language, Error> {
        language(text)
            .filter(|found| self.languages.contains(found))
            .ok_or_else(|| Error::UnknownLanguage {
                asked: text.into(),
                known: self
                    .languages
                    .iter()
                    .map(|known| format!("{} ({})", known.code, known.name))
                    .collect(),
            })
    }

    /// The options that the checkpoint is meant to be used with.
    pub fn generation_config(&self) -> &GenerationConfig {
        &self.pretrained.generation_config
    }

    /// Checks options before there is an image: what [`caption`](Self::caption) would refuse.
    ///
    /// # Errors
    /// [`Error::Generate`], naming the options.
    pub fn validate(&self, config: &GenerationConfig) -> Result<(), Error> {
        self.validate_options(&CaptionOptions::new(config.clone()))
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The text that each token adds.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        let texts = || Arc::new(Vocabulary::new(self.tokenizer.token_texts()));
        self.vocabulary.get_or_init(texts)
    }

    /// The preprocessing.
    pub fn image_processor(&self) -> &ImageProcessor {
        &self.image_processor
    }

    /// Layers of the decoder: what [`attention`](Self::attention) can be asked of.
    pub fn decoder_layers(&self) -> usize {
        self.pretrained.config.decoder.decoder_layers
    }

    /// How weights are packed, if they are.
    pub fn format(&self) -> Option<Format> {
        self.pretrained.format
    }

    /// The model.
    pub fn model(&self) -> &ClipVisionMBart50 {
        &self.pretrained.model
    }

    /// Captions images in several languages. For each image, in the order of the languages and best
    /// first, `num_return_sequences` captions per language.
    ///
    /// The language comes from `languages`, not from the configuration's `forced_bos_token_id`.
    ///
    /// # Errors
    /// [`Error`]: a language that the model does not write, contradictory options, or images that
    /// do not fit the model.
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
    /// [`Error::Preprocess`] or [`Error::ImageSize`].
    ///
    /// # Panics
    /// If there are no images.
    pub fn encode(&self, images: &[RgbImage]) -> Result<Memory, Error> {
        Ok(self.model().encode(self.prepare(images)?))
    }

    /// Pixel values, `[images, channels, height, width]`, of at least one image.
    pub(crate) fn prepare(&self, images: &[RgbImage]) -> Result<Tensor<4>, Error> {
        assert!(!images.is_empty(), "there is no image to encode");
        let pixels = self.image_processor.process_batch(images)?;
        let [_, channels, height, width] = pixels.shape;
        if [channels, height, width] != self.input {
            return Err(Error::ImageSize {
                expected: self.input,
                found: [channels, height, width],
            });
        }
        let pixels = TensorData::new(pixels.values, pixels.shape);
        Ok(Tensor::from_data(pixels, &self.device))
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
        self.caption_with(memory, languages, &CaptionOptions::new(config.clone()))
    }

    /// Turns tokens into text.
    pub(crate) fn read(&self, language: Language, found: Hypothesis) -> Result<Caption, Error> {
        let Hypothesis {
            tokens,
            token_log_probs,
            score,
            alternatives,
        } = found;
        let alternatives = alternatives.into_iter().map(|place| {
            let named = place.into_iter().map(|one| TokenAlternative {
                id: one.token,
                text: self.token_text(one.token),
                log_prob: one.log_prob,
            });
            named.collect()
        });
        Ok(Caption {
            language,
            text: self.tokenizer.decode(&tokens, true)?,
            alternatives: alternatives.collect(),
            ids: tokens,
            token_log_probs,
            score,
        })
    }

    /// What a token adds to a text; of a special one its name.
    fn token_text(&self, token: u32) -> String {
        match self.vocabulary().text(token) {
            Some(text) => text.to_owned(),
            None => self.tokenizer.id_to_token(token).unwrap_or_default(),
        }
    }
}

/// Weights of a checkpoint as they are, packed where that makes a device faster.
fn default_format(device: &Device) -> Option<Format> {
    packed_linear::has_kernels(device).then_some(Format::F32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captioner_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<Captioner>();
    }

    #[test]
    fn both_tables_of_languages_are_the_same() {
        let codes = mbart50_decoder::LANGUAGES.map(|language| language.code);
        assert_eq!(codes, preprocess::text::LANGUAGE_CODES);
    }
}
