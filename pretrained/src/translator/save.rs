use std::path::Path;

use checkpoint::{
    Precision, SaveError, SaveOptions, StagedFolder, num_params, save_packed_weights, save_weights,
};

use super::PretrainedTranslator;
use super::config::written;
use super::names::with_names;
use crate::save::write_configurations;

impl PretrainedTranslator {
    /// Saves the model as a Hugging Face folder: `config.json`, `generation_config.json` and the weights.
    /// [`StagedFolder`] describes what happens to a folder that exists already.
    ///
    /// # Errors
    /// [`SaveError`] if a file can't be written, a value is too large for the precision, or a parameter can't be read
    /// from its device.
    pub fn save(&self, folder: impl AsRef<Path>, options: &SaveOptions) -> Result<(), SaveError> {
        let staged = StagedFolder::new(folder)?;
        self.write(&staged, options)?;
        staged.commit()
    }

    /// Writes the files of [`save`](Self::save) to a folder that the caller commits, so that the caller can add other
    /// files before.
    ///
    /// # Errors
    /// [`SaveError`] if a file can't be written, a value is too large for the precision, or a parameter can't be read
    /// from its device.
    pub fn write(&self, staged: &StagedFolder, options: &SaveOptions) -> Result<(), SaveError> {
        self.write_configurations(staged, options.precision)?;
        with_names(&self.config, |names| {
            save_weights(&self.model, names, staged.path(), options)
        })
    }

    /// Writes the configurations and the weights as they are packed in memory, to a folder that the caller commits.
    /// Such weights can be loaded without packing them again, or mapped. Only this crate and `checkpoint` read them.
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
        let config = written(&self.config, &self.kept, &self.generation_config, precision);
        write_configurations(staged, &config, &self.generation_config)
    }

    /// The number of values of the model's parameters, including packed weights.
    pub fn num_params(&self) -> usize {
        num_params(&self.model)
    }
}
