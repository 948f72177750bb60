use std::path::Path;

use burn::tensor::Device;
use checkpoint::files::CONFIG;
use checkpoint::{FolderState, Precision, TensorSource, complete_interrupted_save, load_weights};
use generation::GenerationConfig;
use marian::{Marian, MarianConfig};
use packed_linear::Format;
use serde_json::{Map, Value};
use whole_files::limits;

use super::config;
use super::names::{savable, settle, with_names};
use crate::pretrained::{Files, generation_config, in_file, main_precision, name};
use crate::{LoadError, LoadNotice, LoadOptions, Weights};

/// A translation model with its configurations: the content of a checkpoint folder whose `config.json` has the
/// `model_type` `marian`, such as those of `Helsinki-NLP/opus-mt-*`.
///
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use generation::GenerationConfig;
/// use pretrained::{LoadOptions, PretrainedTranslator, Weights};
///
/// # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/marian/shared");
/// let device = Device::flex();
/// let loaded = PretrainedTranslator::from_folder(folder, &LoadOptions::default(), &device)?;
/// let ids = Tensor::<2, Int>::from_data([[2, 146, 2, 72, 0]], &device);
/// let options = GenerationConfig {
///     num_beams: 2,
///     max_length: Some(6),
///     ..loaded.generation_config.clone()
/// };
/// let found = loaded.model.generate(marian::SourceTokens::new(ids), &options).unwrap();
/// assert_eq!(found.len(), 1); // a result for each text
/// # Ok::<(), pretrained::LoadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct PretrainedTranslator {
    /// The model, with its weights.
    pub model: Marian,
    /// The configuration of the model.
    pub config: MarianConfig,
    /// The generation options of the checkpoint.
    pub generation_config: GenerationConfig,
    /// The precision that most values of the checkpoint are stored in.
    pub precision: Precision,
    /// The format that the weights are packed in, in memory; `None` if they are ordinary `f32` tensors.
    pub format: Option<Format>,
    /// What the user of the checkpoint should know about it. Programs print it; no library does.
    pub notices: Vec<LoadNotice>,
    /// Keys of the configuration that are not used here but saved again.
    pub(super) kept: Map<String, Value>,
}

impl PretrainedTranslator {
    /// Loads a checkpoint folder: `config.json`, weights in any [form](checkpoint::WeightsForm) and, if it exists,
    /// `generation_config.json`. Older folders have the generation options in `config.json`.
    ///
    /// If the options ask for packed weights and the folder has them in the same format, they are read or mapped
    /// unchanged. Otherwise weights are packed while they are read, a few rows at a time.
    ///
    /// # Errors
    /// [`LoadError`] if a file is missing, can't be read or is damaged, if the model is not supported, or if the
    /// weights are not those of the model.
    pub fn from_folder(
        folder: impl AsRef<Path>,
        options: &LoadOptions,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let folder = folder.as_ref();
        complete_interrupted_save(folder);
        // Another program may be saving to the folder.
        let files = FolderState::while_unchanged(folder, || Files::open(folder, options, device))??;
        Self::from_sources(
            &name(folder),
            &files.config,
            files.generation_config.as_deref(),
            files.source.as_ref(),
            files.format,
            device,
        )
    }

    /// Loads a model from the contents of its files, such as embedded ones. `origin` is the name of the folder in
    /// messages.
    ///
    /// # Errors
    /// [`LoadError`] if a configuration is invalid, if the model is not supported, or if the weights can't be read or
    /// are not those of the model.
    pub fn from_parts(
        origin: &str,
        config_json: &str,
        generation_config_json: Option<&str>,
        source: &dyn TensorSource,
        weights: Weights,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let format = weights.format(None, device);
        Self::from_sources(
            origin,
            config_json,
            generation_config_json,
            source,
            format,
            device,
        )
    }

    fn from_sources(
        origin: &str,
        config_json: &str,
        generation_config_json: Option<&str>,
        source: &dyn TensorSource,
        format: Option<Format>,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let (mut config, kept) =
            config::read(config_json).map_err(|error| in_file(origin, CONFIG, error))?;
        let generation_config = generation_config(origin, config_json, generation_config_json)?;
        let notices = settle(&mut config, source)?;
        let model = init(&config, format, device);
        let mut model = with_names(&config, |names| load_weights(model, source, names))?;
        model.encoder.share_embeddings(&model.decoder);
        Ok(Self {
            model,
            config,
            generation_config,
            precision: main_precision(&[source]),
            format,
            notices,
            kept,
        })
    }

    /// Creates a model with fresh weights. They are allocated when they are first used. If the head has its own table,
    /// so have both languages, as in transformers 5.
    ///
    /// # Panics
    /// If the configuration is invalid: see [`MarianConfig::validate`].
    pub fn from_config(
        config: MarianConfig,
        generation_config: GenerationConfig,
        weights: Weights,
        device: &Device,
    ) -> Self {
        let format = weights.format(None, device);
        let config = savable(config);
        Self {
            model: init(&config, format, device),
            config,
            generation_config,
            precision: Precision::F32,
            format,
            notices: Vec::new(),
            kept: Map::new(),
        }
    }

    /// Whether a folder is the checkpoint of a model which this type loads, by its `config.json`. If that can't be read,
    /// it is not one: loading the folder says why.
    pub fn is_in(folder: impl AsRef<Path>) -> bool {
        whole_files::read_text(folder.as_ref().join(CONFIG), limits::JSON)
            .is_ok_and(|json| config::is_supported(&json))
    }
}

fn init(config: &MarianConfig, format: Option<Format>, device: &Device) -> Marian {
    match format {
        Some(format) => config.init_packed(format, device),
        None => config.init(device),
    }
}
