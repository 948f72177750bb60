use std::path::Path;
use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Tensor, TensorData};
use checkpoint::{Precision, SaveOptions, StagedFolder};
use generation::{GenerationConfig, Hypothesis, Vocabulary};
use packed_linear::Format;
use preprocess::image::{ImageProcessor, PixelValues, RgbImage};
use preprocess::text::{Language, Tokenizer, UNDETERMINED};
use pretrained::{LoadNotice, MemoryGrid, Pretrained, PretrainedModel};
use vision_encoder_decoder::Memory;

use crate::{Caption, CaptionOptions, Error, TokenAlternative};

/// Captions images in many languages.
#[derive(Debug)]
pub struct Captioner {
    pub(crate) pretrained: Pretrained,
    pub(crate) languages: Vec<Language>,
    image_processor: ImageProcessor,
    tokenizer: Tokenizer,
    /// Computed at the first use.
    vocabulary: OnceLock<Arc<Vocabulary>>,
    device: Device,
}

impl Captioner {
    /// Joins parts that are already loaded. `languages` are those that [`caption`](Self::caption) will
    /// accept: [`UNDETERMINED`] alone if the model has no codes of languages.
    ///
    /// # Errors
    /// [`Error::Vocabulary`] if the tokenizer has more tokens than the model, [`Error::ImageSize`] if the
    /// preprocessing produces images of another size than the model takes, and [`Error::Preprocess`] if the
    /// preprocessing fails or the tokenizer has no code for a language.
    pub fn new(
        pretrained: Pretrained,
        image_processor: ImageProcessor,
        tokenizer: Tokenizer,
        languages: Vec<Language>,
        device: &Device,
    ) -> Result<Self, Error> {
        let vocab_size = pretrained.config.decoder.vocab_size();
        if tokenizer.vocab_size() > vocab_size {
            return Err(Error::Vocabulary {
                tokenizer: tokenizer.vocab_size(),
                model: vocab_size,
            });
        }
        for language in &languages {
            language_token(&tokenizer, *language)?;
        }
        let captioner = Self {
            pretrained,
            languages,
            image_processor,
            tokenizer,
            vocabulary: OnceLock::new(),
            device: device.clone(),
        };
        // Finds out now, and not at the first image, whether model and preprocessing fit each other.
        captioner.prepare(&[RgbImage::new(1, 1, vec![0; 3])?])?;
        Ok(captioner)
    }

    /// Saves the captioner as a Hugging Face folder that this crate and transformers 5 open: model,
    /// configurations, tokenizer and preprocessing. [`StagedFolder`] says what happens if the folder
    /// exists.
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

    /// The languages that the captioner writes: only [`UNDETERMINED`] if its model has no codes of languages, and
    /// writes what it was trained on.
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// Finds one of the captioner's languages by code (`es_XX`), short code (`es`) or English name.
    ///
    /// # Errors
    /// [`Error::UnknownLanguage`], listing the languages that the captioner writes.
    pub fn language(&self, text: &str) -> Result<Language, Error> {
        let mut languages = self.languages.iter();
        languages
            .find(|known| known.is_called(text))
            .copied()
            .ok_or_else(|| Error::UnknownLanguage {
                asked: text.into(),
                known: self
                    .languages
                    .iter()
                    .map(|known| format!("{} ({})", known.code, known.name))
                    .collect(),
            })
    }

    /// What was unusual about the checkpoint, for users to know.
    pub fn notices(&self) -> &[LoadNotice] {
        &self.pretrained.notices
    }

    /// The generation options of the checkpoint, with the changes made by the
    /// [builder](crate::CaptionerBuilder::generation).
    pub fn generation_config(&self) -> &GenerationConfig {
        &self.pretrained.generation_config
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

    /// The preprocessing of images.
    pub fn image_processor(&self) -> &ImageProcessor {
        &self.image_processor
    }

    /// Prepares images in another way than the checkpoint says, for example as the model was trained.
    ///
    /// # Errors
    /// [`Error::ImageSize`] if images have another size than the model takes then, [`Error::Preprocess`] if they can't be
    /// prepared.
    pub fn with_image_processor(mut self, image_processor: ImageProcessor) -> Result<Self, Error> {
        self.image_processor = image_processor;
        self.prepare(&[RgbImage::new(1, 1, vec![0; 3])?])?;
        Ok(self)
    }

    /// Where the positions of the [memory](Self::encode) are in the image that the model sees.
    pub fn memory_grid(&self) -> MemoryGrid {
        self.pretrained.config.encoder.grid()
    }

    /// The number of decoder layers, whose attention [`attention`](Self::attention) can average.
    pub fn decoder_layers(&self) -> usize {
        self.pretrained.config.decoder.layers()
    }

    /// The format that weights are packed in, or `None` if they are ordinary `f32` tensors.
    pub fn format(&self) -> Option<Format> {
        self.pretrained.format
    }

    /// The precision that most values of the checkpoint are stored in.
    pub fn precision(&self) -> Precision {
        self.pretrained.precision
    }

    /// The name of the kernel that multiplies packed weights on this machine, or `None` if Burn's own operations do.
    pub fn kernel(&self) -> Option<&'static str> {
        self.format()
            .filter(|_| packed_linear::has_kernels(&self.device))
            .and_then(packed_linear::kernel)
    }

    /// The model.
    pub fn model(&self) -> &PretrainedModel {
        &self.pretrained.model
    }

    /// Prepares and encodes images. The memory can be captioned several times, with
    /// [`caption_encoded`](Self::caption_encoded) for example.
    ///
    /// # Errors
    /// [`Error::Preprocess`] if an image can't be prepared.
    ///
    /// # Panics
    /// If there are no images.
    pub fn encode(&self, images: &[RgbImage]) -> Result<Memory, Error> {
        Ok(self.model().encode(self.prepare(images)?))
    }

    /// The pixel values of at least one image, `[images, channels, height, width]`.
    fn prepare(&self, images: &[RgbImage]) -> Result<Tensor<4>, Error> {
        self.prepare_with(&self.image_processor, images)
    }

    /// The pixel values of at least one image with other preprocessing, `[images, channels, height, width]`.
    pub(crate) fn prepare_with(
        &self,
        image_processor: &ImageProcessor,
        images: &[RgbImage],
    ) -> Result<Tensor<4>, Error> {
        assert!(!images.is_empty(), "there is no image to encode");
        self.tensor(image_processor.process_batch(images)?)
    }

    /// Encodes images that [`image_processor`](Self::image_processor) has prepared, at least one.
    pub(crate) fn encode_prepared(&self, images: &[&PixelValues]) -> Result<Memory, Error> {
        let mut shape = images.first().map_or([0; 4], |first| first.shape);
        shape[0] = images.iter().map(|image| image.shape[0]).sum();
        let values = images.iter().flat_map(|image| &image.values).copied();
        let values = values.collect();
        Ok(self
            .model()
            .encode(self.tensor(PixelValues { values, shape })?))
    }

    fn tensor(&self, pixels: PixelValues) -> Result<Tensor<4>, Error> {
        let [_, channels, height, width] = pixels.shape;
        let expected = self.pretrained.config.encoder.input();
        if [channels, height, width] != expected {
            return Err(Error::ImageSize {
                expected,
                found: [channels, height, width],
            });
        }
        let pixels = TensorData::new(pixels.values, pixels.shape);
        Ok(Tensor::from_data(pixels, &self.device))
    }

    /// About how many bytes the weights take in memory.
    pub(crate) fn weight_bytes(&self) -> u64 {
        let bits = match self.format() {
            Some(Format::Int4 { .. }) => 4,
            Some(Format::Int8 { .. }) => 8,
            Some(Format::BF16) => 16,
            _ => 32,
        };
        self.pretrained.num_params() as u64 * bits / 8
    }

    /// About how many bytes a row takes while it is captioned: its cache, and copies of its logits.
    pub(crate) fn row_bytes(&self, options: &CaptionOptions) -> u64 {
        let decoder = &self.pretrained.config.decoder;
        let cached = 2 * decoder.layers() * decoder.memory_width() * options.generation.longest(1);
        (size_of::<f32>() * (cached + 3 * decoder.vocab_size())) as u64
    }

    /// How many bytes the pixel values of an image take.
    pub(crate) fn pixel_bytes(&self) -> u64 {
        let values: usize = self.pretrained.config.encoder.input().iter().product();
        (size_of::<f32>() * values) as u64
    }

    /// The token with which texts in a language begin, if they begin with one.
    pub(crate) fn language_token(&self, language: Language) -> Result<Option<u32>, Error> {
        language_token(&self.tokenizer, language)
    }

    /// Turns generated tokens into a caption.
    pub(crate) fn read(&self, language: Language, found: Hypothesis) -> Result<Caption, Error> {
        let Hypothesis {
            tokens,
            token_log_probs,
            score,
            alternatives,
        } = found;
        let alternatives = alternatives.into_iter().map(|position| {
            let named = position.into_iter().map(|one| TokenAlternative {
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

    /// The text that a token adds; for a special token, its name.
    fn token_text(&self, token: u32) -> String {
        match self.vocabulary().text(token) {
            Some(text) => text.to_owned(),
            None => self.tokenizer.id_to_token(token).unwrap_or_default(),
        }
    }
}

fn language_token(tokenizer: &Tokenizer, language: Language) -> Result<Option<u32>, Error> {
    match language == UNDETERMINED {
        true => Ok(None),
        false => Ok(Some(tokenizer.language_id(language.code)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captioner_is_send_and_sync() {
        fn check<T: Send + Sync>() {}
        check::<Captioner>();
    }
}
