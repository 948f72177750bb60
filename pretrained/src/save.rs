use std::path::Path;

use checkpoint::files::{CONFIG, GENERATION_CONFIG};
use checkpoint::{
    Precision, SaveError, SaveOptions, StagedFolder, num_params, save_packed_weights, save_weights,
    write_file,
};
use generation::GenerationConfig;

use crate::Pretrained;
use crate::names::with_names;

impl Pretrained {
    /// Saves the model as a Hugging Face folder: `config.json`, `generation_config.json` and the weights.
    /// [`StagedFolder`] describes what happens to a folder that exists already.
    ///
    /// # Errors
    /// [`SaveError`] if a file can't be written, a value is too large for the precision, or a parameter can't
    /// be read from its device.
    pub fn save(&self, folder: impl AsRef<Path>, options: &SaveOptions) -> Result<(), SaveError> {
        let staged = StagedFolder::new(folder)?;
        self.write(&staged, options)?;
        staged.commit()
    }

    /// Writes the files of [`save`](Self::save) to a folder that the caller commits, so that the caller can
    /// add other files before.
    ///
    /// # Errors
    /// [`SaveError`] if a file can't be written, a value is too large for the precision, or a parameter can't
    /// be read from its device.
    pub fn write(&self, staged: &StagedFolder, options: &SaveOptions) -> Result<(), SaveError> {
        self.write_configurations(staged, options.precision)?;
        with_names(&self.config, |names| {
            save_weights(&self.model, names, staged.path(), options)
        })
    }

    /// Writes the configurations and the weights as they are packed in memory, to a folder that the caller
    /// commits. Such weights can be loaded without packing them again, or mapped. Only this crate and
    /// `checkpoint` read them.
    ///
    /// # Errors
    /// [`SaveError`] if a file can't be written, or a parameter can't be read from its device.
    pub fn write_packed(&self, staged: &StagedFolder) -> Result<(), SaveError> {
        self.write_configurations(staged, Precision::F32)?;
        with_names(&self.config, |names| {
            save_packed_weights(&self.model, names, staged.path())
        })
    }

    fn write_configurations(
        &self,
        staged: &StagedFolder,
        precision: Precision,
    ) -> Result<(), SaveError> {
        let config = self.config.to_json(&self.generation_config, precision);
        write_configurations(staged, &config, &self.generation_config)
    }

    /// The number of values of the model's parameters, including packed weights.
    pub fn num_params(&self) -> usize {
        num_params(&self.model)
    }

    /// The parts of the model, in words, that Hugging Face's `VisionEncoderDecoderModel` does not have, and
    /// which it ignores when it opens the saved folder. This crate loads all of them again.
    pub fn unknown_to_transformers(&self) -> Vec<&'static str> {
        let config = &self.config;
        let widths_are_equal = config.encoder.width() == config.decoder.memory_width();
        let projection = "the projection between an encoder and a decoder of equal widths";
        let between_equals = config.projection && widths_are_equal;
        let parts = [
            config.decoder.unknown_to_transformers(),
            between_equals.then_some(projection),
        ];
        parts.into_iter().flatten().collect()
    }
}

/// Writes `config.json` and `generation_config.json`.
pub(crate) fn write_configurations(
    staged: &StagedFolder,
    config: &str,
    generation_config: &GenerationConfig,
) -> Result<(), SaveError> {
    let folder = staged.path();
    write_file(&folder.join(CONFIG), config.as_bytes())?;
    let generation_config = generation_config.to_json();
    write_file(
        &folder.join(GENERATION_CONFIG),
        generation_config.as_bytes(),
    )
}
