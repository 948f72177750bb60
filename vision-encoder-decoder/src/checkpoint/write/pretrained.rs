use std::path::Path;

use super::parameters::num_params;
use super::staged::write_file;
use super::{SaveError, SaveOptions, StagedFolder, save_packed_weights, save_weights};
use crate::Pretrained;
use crate::checkpoint::Precision;
use crate::checkpoint::folder::{CONFIG, GENERATION_CONFIG};
use crate::weights::WEIGHTS;

impl Pretrained {
    /// Saves the model as a Hugging Face folder: `config.json`, `generation_config.json` and
    /// weights. See [`StagedFolder`] for what happens to a folder that exists already.
    ///
    /// # Errors
    /// [`SaveError`].
    pub fn save(&self, folder: impl AsRef<Path>, options: &SaveOptions) -> Result<(), SaveError> {
        let staged = StagedFolder::new(folder)?;
        self.write(&staged, options)?;
        staged.commit()
    }

    /// Writes the files of [`save`](Self::save), for callers that add others before they commit.
    ///
    /// # Errors
    /// [`SaveError`], likewise.
    pub fn write(&self, staged: &StagedFolder, options: &SaveOptions) -> Result<(), SaveError> {
        self.write_configurations(staged, options.precision)?;
        save_weights(&self.model, &WEIGHTS, staged.path(), options)
    }

    /// Writes the files of a folder whose weights are packed as they are in memory. Programs map them
    /// instead of reading them; only this crate does.
    ///
    /// # Errors
    /// [`SaveError`], likewise.
    pub fn write_packed(&self, staged: &StagedFolder) -> Result<(), SaveError> {
        self.write_configurations(staged, Precision::F32)?;
        save_packed_weights(&self.model, &WEIGHTS, staged.path())
    }

    fn write_configurations(
        &self,
        staged: &StagedFolder,
        precision: Precision,
    ) -> Result<(), SaveError> {
        let folder = staged.path();
        let config = self.config.to_json(&self.generation_config, precision);
        write_file(&folder.join(CONFIG), config.as_bytes())?;
        let generation_config = self.generation_config.to_json();
        write_file(
            &folder.join(GENERATION_CONFIG),
            generation_config.as_bytes(),
        )
    }

    /// Numbers that the model has.
    pub fn num_params(&self) -> usize {
        num_params(&self.model)
    }

    /// What of the model Hugging Face's `VisionEncoderDecoderModel` has no place for and ignores
    /// when it opens the saved folder, in words. This crate reads it all back.
    pub fn unknown_to_transformers(&self) -> Vec<&'static str> {
        let bias = self.config.decoder.final_logits_bias;
        let widths_differ = self.config.encoder.hidden_size != self.config.decoder.d_model;
        let between_equals = self.config.projection && !widths_differ;
        let parts = [
            (bias, "the bias of the logits (final_logits_bias)"),
            (
                between_equals,
                "the projection between an encoder and a decoder of equal widths",
            ),
        ];
        let unknown = parts.into_iter().filter(|(there, _)| *there);
        unknown.map(|(_, part)| part).collect()
    }
}
