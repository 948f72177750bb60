use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use burn::tensor::Device;
use generation::GenerationConfig;
use packed_linear::Format;

use super::{PackedFile, Precision, TensorSource, WeightsForm, load_weights, open_weights};
use crate::config::{decoder_part, encoder_part, legacy_generation_config};
use crate::weights::{CLIP_WEIGHTS, MBART_WEIGHTS, WEIGHTS};
use crate::{ClipVisionMBart50, ConfigError, LoadError, VisionEncoderDecoderConfig};

/// A model with its configurations, as a checkpoint folder holds them.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// The model, its weights loaded.
    pub model: ClipVisionMBart50,
    /// Its sizes.
    pub config: VisionEncoderDecoderConfig,
    /// The options that it is meant to be used with.
    pub generation_config: GenerationConfig,
    /// How most of the checkpoint's weights are stored. In memory they are `f32` or packed.
    pub precision: Precision,
    /// How weights are packed in memory, if they are.
    pub format: Option<Format>,
}

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const GENERATION_CONFIG: &str = "generation_config.json";

impl Pretrained {
    /// Loads a checkpoint folder: `config.json`, weights in any [form](super::WeightsForm) and, if
    /// there is one, `generation_config.json`.
    ///
    /// # Errors
    /// [`LoadError`], naming the file and what is wrong with it.
    pub fn from_folder(folder: impl AsRef<Path>, device: &Device) -> Result<Self, LoadError> {
        Self::from_folder_as(folder, None, device)
    }

    /// Loads a checkpoint folder for inference, its weights packed in some format; `None` is
    /// [`from_folder`](Self::from_folder). Where the folder holds weights that are packed so, they are
    /// mapped; otherwise they are packed while they are read, a few rows at a time.
    ///
    /// # Errors
    /// [`LoadError`], likewise.
    pub fn from_folder_as(
        folder: impl AsRef<Path>,
        format: Option<Format>,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let folder = folder.as_ref();
        let config = config_text(folder)?;
        let generation_config = read_text(folder, GENERATION_CONFIG)?;
        Self::from_parts(
            &name(folder),
            &config,
            generation_config.as_deref(),
            open_weights_as(folder, format)?.as_ref(),
            format,
            device,
        )
    }

    /// The format of a folder's packed weights, if it has such.
    ///
    /// # Errors
    /// [`LoadError`] if it has, and they can't be read.
    pub fn packed_format(folder: impl AsRef<Path>) -> Result<Option<Format>, LoadError> {
        let path = folder.as_ref().join(WeightsForm::Packed.file());
        match path.exists() {
            true => Ok(PackedFile::open(path)?.format()),
            false => Ok(None),
        }
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
        format: Option<Format>,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let mut config = VisionEncoderDecoderConfig::from_json(config_json)
            .map_err(|error| in_file(origin, CONFIG, error))?;
        let generation_config = generation_config(origin, config_json, generation_config_json)?;
        // Configurations do not say of these two whether they are there.
        let has = |path| WEIGHTS.find(path, weights).is_some();
        config.decoder.final_logits_bias = has("decoder.logits_bias");
        config.projection |= has("projection.weight");
        Ok(Self {
            model: load_weights(config.init_as(format, device), weights, &WEIGHTS)?,
            config,
            generation_config,
            precision: main_precision(&[weights]),
            format,
        })
    }

    /// A model of these sizes with fresh weights, packed if there is a format, which nothing is allocated
    /// for until first used.
    ///
    /// # Panics
    /// If either part's `validate` would refuse its configuration.
    pub fn from_config(
        config: VisionEncoderDecoderConfig,
        generation_config: GenerationConfig,
        format: Option<Format>,
        device: &Device,
    ) -> Self {
        Self {
            model: config.init_as(format, device),
            config,
            generation_config,
            precision: Precision::F32,
            format,
        }
    }

    /// Composes a model that is still to be trained: the vision transformer of a CLIP checkpoint,
    /// whole or its vision half, and the decoder of an mBART checkpoint, whole or decoder alone.
    /// Where their widths differ, a freshly initialised projection joins them. To be trained it must
    /// have ordinary weights, no `format`.
    ///
    /// The original calls this `from_clip_vision_mbart_pretrained`, Hugging Face
    /// `from_encoder_decoder_pretrained`.
    ///
    /// # Errors
    /// [`LoadError`], naming the file and what is wrong with it.
    pub fn from_encoder_decoder(
        encoder_folder: impl AsRef<Path>,
        decoder_folder: impl AsRef<Path>,
        format: Option<Format>,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let (encoder, decoder) = (encoder_folder.as_ref(), decoder_folder.as_ref());
        let (encoder_name, decoder_name) = (name(encoder), name(decoder));
        let encoder_config = encoder_part(&config_text(encoder)?)
            .map_err(|error| in_file(&encoder_name, CONFIG, error))?;
        let decoder_json = config_text(decoder)?;
        let decoder_config =
            decoder_part(&decoder_json).map_err(|error| in_file(&decoder_name, CONFIG, error))?;
        let config = VisionEncoderDecoderConfig::joined(encoder_config, decoder_config).map_err(
            |error| match error {
                ConfigError::Decoder(_) => in_file(&decoder_name, CONFIG, error),
                _ => in_file(&encoder_name, CONFIG, error),
            },
        )?;
        let generation_config = generation_config(
            &decoder_name,
            &decoder_json,
            read_text(decoder, GENERATION_CONFIG)?.as_deref(),
        )?;
        let encoder_weights = open_weights(encoder)?;
        let decoder_weights = open_weights(decoder)?;
        let mut model = config.init_as(format, device);
        model.encoder = load_weights(model.encoder, encoder_weights.as_ref(), &CLIP_WEIGHTS)?;
        model.decoder = load_weights(model.decoder, decoder_weights.as_ref(), &MBART_WEIGHTS)?;
        Ok(Self {
            model,
            config,
            generation_config,
            precision: main_precision(&[encoder_weights.as_ref(), decoder_weights.as_ref()]),
            format,
        })
    }
}

/// The weights of a folder, if it has several the ones that are packed as wanted.
fn open_weights_as(
    folder: &Path,
    format: Option<Format>,
) -> Result<Box<dyn TensorSource>, LoadError> {
    let wanted = format.is_some() && Pretrained::packed_format(folder)? == format;
    match wanted {
        true => WeightsForm::Packed.open(folder),
        false => open_weights(folder),
    }
}

/// How most numbers are stored.
fn main_precision(sources: &[&dyn TensorSource]) -> Precision {
    let count = |precision: &Precision| -> usize {
        let tensors = sources.iter().flat_map(|source| {
            source
                .names()
                .into_iter()
                .filter_map(|name| source.info(name))
        });
        tensors
            .filter(|info| info.precision == *precision)
            .map(|info| {
                info.shape
                    .iter()
                    .fold(1, |a: usize, b| a.saturating_mul(*b))
            })
            .fold(0, usize::saturating_add)
    };
    // The first of equals, F32 before the others.
    let rest = Precision::ALL.into_iter().rev();
    rest.max_by_key(count).unwrap_or_default()
}

/// The options of a `generation_config.json`, or those that `config.json` has where there is none.
fn generation_config(
    origin: &str,
    config_json: &str,
    generation_config_json: Option<&str>,
) -> Result<GenerationConfig, LoadError> {
    match generation_config_json {
        Some(json) => GenerationConfig::from_json(json)
            .map_err(|error| in_file(origin, GENERATION_CONFIG, error.into())),
        None => {
            legacy_generation_config(config_json).map_err(|error| in_file(origin, CONFIG, error))
        }
    }
}

fn name(folder: &Path) -> String {
    folder.display().to_string()
}

fn in_file(origin: &str, file: &str, source: ConfigError) -> LoadError {
    LoadError::Config {
        origin: format!("{origin}/{file}"),
        source,
    }
}

fn config_text(folder: &Path) -> Result<String, LoadError> {
    read_text(folder, CONFIG)?.ok_or_else(|| LoadError::MissingFile {
        folder: folder.to_owned(),
        file: CONFIG.into(),
    })
}

/// The contents of a file, or nothing if there is no such file.
fn read_text(folder: &Path, file: &str) -> Result<Option<String>, LoadError> {
    let path = folder.join(file);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LoadError::Io { path, source }),
    }
}
