//! Training checkpoints that are Hugging Face folders.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use checkpoint::files::{PREPROCESSOR_CONFIG, PROCESSOR_CONFIG, tokenizer_files};
use checkpoint::{SaveOptions, StagedFolder, write_file};
use pretrained::{ImageEncoder, LoadOptions, Pretrained, PretrainedModel, TextDecoder, Weights};

use crate::{BoxError, ModelFiles};

/// Files of a [`PretrainedModel`]: a folder that `pretrained` and transformers open, with names of parameters as
/// in it.
#[derive(Clone, Debug)]
pub struct PretrainedFiles {
    /// Configurations; its weights are never used, and never allocated.
    pretrained: Pretrained,
    /// Where the files of tokenizer and preprocessing are copied from.
    side_files: Option<PathBuf>,
}

impl PretrainedFiles {
    /// The files of this model. Those of tokenizer and preprocessing are copied from the folder, if there is
    /// one, so that every training checkpoint can be used as it is.
    pub fn new(pretrained: &Pretrained, side_files: Option<&Path>) -> Self {
        let devices = burn::module::Module::devices(&pretrained.model);
        let device = devices.into_iter().next().unwrap_or_default();
        let empty = Pretrained::from_config(
            pretrained.config.clone(),
            pretrained.generation_config.clone(),
            Weights::Ordinary,
            &device,
        );
        Self {
            pretrained: Pretrained {
                precision: pretrained.precision,
                format: pretrained.format,
                notices: pretrained.notices.clone(),
                ..empty
            },
            side_files: side_files.map(Path::to_owned),
        }
    }
}

/// The largest file of a tokenizer that is copied.
const LIMIT: u64 = whole_files::limits::VOCABULARY;

impl ModelFiles<ImageEncoder, TextDecoder> for PretrainedFiles {
    fn parameter_name(&self, path: &str) -> Option<String> {
        self.pretrained.config.parameter_name(path)
    }

    fn write(&self, model: &PretrainedModel, folder: &StagedFolder) -> Result<(), BoxError> {
        let pretrained = Pretrained {
            model: model.clone(),
            ..self.pretrained.clone()
        };
        pretrained.write(folder, &SaveOptions::default())?;
        let Some(from) = &self.side_files else {
            return Ok(());
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(from)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        let is_preprocessing =
            |name: &&String| [PREPROCESSOR_CONFIG, PROCESSOR_CONFIG].contains(&name.as_str());
        let preprocessing = names.iter().filter(is_preprocessing).cloned();
        let tokenizer = tokenizer_files(&names).unwrap_or_default();
        for file in tokenizer.into_iter().chain(preprocessing) {
            let content = whole_files::read(from.join(&file), LIMIT)?;
            write_file(&folder.path().join(file), &content)?;
        }
        Ok(())
    }

    fn read(
        &self,
        _model: PretrainedModel,
        folder: &Path,
        device: &Device,
    ) -> Result<PretrainedModel, BoxError> {
        let options = LoadOptions {
            weights: Weights::Ordinary,
            ..LoadOptions::default()
        };
        Ok(Pretrained::from_folder(folder, &options, device)?.model)
    }
}
