use std::fs;
use std::path::Path;

use burn::tensor::Device;
use generation::GenerationConfig;

use super::{SafetensorsFile, TensorSource, load_weights};
use crate::config::legacy_generation_config;
use crate::weights::WEIGHTS;
use crate::{ClipVisionMBart50, LoadError, VisionEncoderDecoderConfig};

/// A model with its configurations, as a checkpoint folder holds them.
#[derive(Debug)]
pub struct Pretrained {
    /// The model, its weights loaded.
    pub model: ClipVisionMBart50,
    /// Its sizes.
    pub config: VisionEncoderDecoderConfig,
    /// The options that it is meant to be used with.
    pub generation_config: GenerationConfig,
}

const CONFIG: &str = "config.json";
const GENERATION_CONFIG: &str = "generation_config.json";
const WEIGHTS_FILE: &str = "model.safetensors";

impl Pretrained {
    /// Loads a Hugging Face checkpoint folder: `config.json`, `model.safetensors` and, if there is
    /// one, `generation_config.json`.
    ///
    /// # Errors
    /// [`LoadError`], naming the file and what is wrong with it.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self, LoadError> {
        let folder = folder.as_ref();
        let config = read_text(folder, CONFIG)?.ok_or_else(|| missing(folder, CONFIG))?;
        let generation_config = read_text(folder, GENERATION_CONFIG)?;
        let weights = folder.join(WEIGHTS_FILE);
        if !weights.exists() {
            return Err(missing(folder, WEIGHTS_FILE));
        }
        Self::from_parts(
            &folder.display().to_string(),
            &config,
            generation_config.as_deref(),
            &SafetensorsFile::open(weights)?,
            device,
        )
    }

    /// Loads a checkpoint from the contents of its files. `origin` names the folder in messages.
    ///
    /// # Errors
    /// [`LoadError`], likewise.
    pub fn from_parts(
        origin: &str,
        config_json: &str,
        generation_config_json: Option<&str>,
        weights: &dyn TensorSource,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let in_file = |file: &str| {
            let origin = format!("{origin}/{file}");
            move |source| LoadError::Config { origin, source }
        };
        let mut config =
            VisionEncoderDecoderConfig::from_json(config_json).map_err(in_file(CONFIG))?;
        let generation_config = match generation_config_json {
            Some(json) => GenerationConfig::from_json(json)
                .map_err(|error| in_file(GENERATION_CONFIG)(error.into()))?,
            None => legacy_generation_config(config_json).map_err(in_file(CONFIG))?,
        };
        config.decoder.final_logits_bias = weights.shape("decoder.final_logits_bias").is_some();
        Ok(Self {
            model: load_weights(config.init(device), weights, &WEIGHTS)?,
            config,
            generation_config,
        })
    }
}

fn missing(folder: &Path, file: &str) -> LoadError {
    LoadError::MissingFile {
        folder: folder.to_owned(),
        file: file.into(),
    }
}

/// The contents of a file, or nothing if there is no such file.
fn read_text(folder: &Path, file: &str) -> Result<Option<String>, LoadError> {
    let path = folder.join(file);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LoadError::Io { path, source }),
    }
}
