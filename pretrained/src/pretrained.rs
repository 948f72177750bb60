use std::path::Path;

use burn::tensor::Device;
use checkpoint::files::{CONFIG, GENERATION_CONFIG};
use checkpoint::{
    FolderState, PackedFile, Precision, TensorSource, WeightNames, WeightsForm,
    complete_interrupted_save, load_weights, open_weights,
};
use generation::GenerationConfig;
use packed_linear::Format;
use whole_files::{limits, python_json};

use crate::generation_options::legacy_generation_config;
use crate::json::Entries;
use crate::names::with_names;
use crate::{
    ConfigError, LoadError, LoadNotice, LoadOptions, NewToken, PretrainedModel,
    VisionEncoderDecoderConfig, Weights, new_tokens, tied_head,
};

/// A model with its configurations: the content of a checkpoint folder.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// The model, with its weights.
    pub model: PretrainedModel,
    /// The configuration of the model.
    pub config: VisionEncoderDecoderConfig,
    /// The generation options of the checkpoint.
    pub generation_config: GenerationConfig,
    /// The precision that most values of the checkpoint are stored in.
    pub precision: Precision,
    /// The format that the weights are packed in, in memory; `None` if they are ordinary `f32` tensors.
    pub format: Option<Format>,
    /// What the user of the checkpoint should know about it. Programs print it; no library does.
    pub notices: Vec<LoadNotice>,
}

impl Pretrained {
    /// Loads a checkpoint folder: `config.json`, weights in any [form](WeightsForm) and, if it exists,
    /// `generation_config.json`.
    ///
    /// If the options ask for packed weights and the folder has them in the same format, they are read or
    /// mapped unchanged. Otherwise weights are packed while they are read, a few rows at a time.
    ///
    /// # Errors
    /// [`LoadError`] if a file is missing, can't be read or is damaged, if the model is not supported, or if
    /// the weights are not those of the model.
    pub fn from_folder(
        folder: impl AsRef<Path>,
        options: &LoadOptions,
        device: &Device,
    ) -> Result<Self, LoadError> {
        Self::from_folder_with_tokens(folder, &[], options, device)
    }

    /// Loads a checkpoint folder as [`from_folder`](Self::from_folder) does, and gives its vocabulary more tokens:
    /// rows of the embeddings, of the head and of its bias. All other weights are those of the folder; packed ones are
    /// unpacked and packed again, which rounds them a second time.
    ///
    /// Hugging Face: `resize_token_embeddings`.
    ///
    /// # Errors
    /// [`LoadError::NewToken`] if ids of new tokens leave a gap, `LoadError::Checkpoint` if the model does not have
    /// one that they should be like, and every error of [`from_folder`](Self::from_folder).
    pub fn from_folder_with_tokens(
        folder: impl AsRef<Path>,
        tokens: &[NewToken],
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
            (files.source.as_ref(), tokens),
            files.format,
            device,
        )
    }

    /// Loads a model from the contents of its files, such as embedded ones. `origin` is the name of the
    /// folder in messages.
    ///
    /// # Errors
    /// [`LoadError`] if a configuration is invalid, if the model is not supported, or if the weights can't be
    /// read or are not those of the model.
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
            (source, &[]),
            format,
            device,
        )
    }

    fn from_sources(
        origin: &str,
        config_json: &str,
        generation_config_json: Option<&str>,
        (source, tokens): (&dyn TensorSource, &[NewToken]),
        format: Option<Format>,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let mut config = VisionEncoderDecoderConfig::from_json(config_json)
            .map_err(|error| in_file(origin, CONFIG, error))?;
        let source = &new_tokens::add(&mut config, source, tokens)?;
        let generation_config = generation_config(origin, config_json, generation_config_json)?;
        // These two parameters may exist although no configuration says so.
        let groups = config.decoder.weights();
        let notices = tied_head::settle(&mut config.decoder, &groups, source)?;
        let is_in = |path: &str| with_names(&config, |names| names.is_in(path, source));
        let optional = config.decoder.optional_path();
        let (has_optional, has_projection) = (
            optional.is_some_and(|path| is_in(&path)),
            is_in("projection.weight"),
        );
        config.decoder.set_optional(has_optional);
        config.projection |= has_projection;
        let model = config.init_with(format, device);
        let load = |names: &WeightNames<'_>| load_weights(model, source, names);
        Ok(Self {
            model: with_names(&config, load)?,
            config,
            generation_config,
            precision: main_precision(&[source]),
            format,
            notices,
        })
    }

    /// Creates a model with fresh weights. They are allocated when they are first used.
    ///
    /// # Panics
    /// If the configuration of the encoder or the decoder is invalid: see its method `validate`.
    pub fn from_config(
        config: VisionEncoderDecoderConfig,
        generation_config: GenerationConfig,
        weights: Weights,
        device: &Device,
    ) -> Self {
        let format = weights.format(None, device);
        Self {
            model: config.init_with(format, device),
            config,
            generation_config,
            precision: Precision::F32,
            format,
            notices: Vec::new(),
        }
    }

    /// Composes a model from the checkpoints of an encoder and of a decoder, to be trained with
    /// [`Weights::Ordinary`]. The encoder's checkpoint is a whole CLIP or its vision half, the decoder's a
    /// whole mBART or its decoder. If their widths differ, a fresh projection joins them.
    ///
    /// Hugging Face: `from_encoder_decoder_pretrained`. The code of the published model:
    /// `from_clip_vision_mbart_pretrained`.
    ///
    /// # Errors
    /// [`LoadError`] if a file is missing, can't be read or is damaged, if the encoder or the decoder is not
    /// supported, or if the weights are not those of the encoder or the decoder.
    pub fn from_encoder_decoder(
        encoder_folder: impl AsRef<Path>,
        decoder_folder: impl AsRef<Path>,
        weights: Weights,
        device: &Device,
    ) -> Result<Self, LoadError> {
        let (encoder, decoder) = (encoder_folder.as_ref(), decoder_folder.as_ref());
        for folder in [encoder, decoder] {
            complete_interrupted_save(folder);
        }
        let (encoder_name, decoder_name) = (name(encoder), name(decoder));
        let (encoder_json, decoder_json) = (config_text(encoder)?, config_text(decoder)?);
        let (encoder_json, decoder_json) = (
            python_json::standard(&encoder_json),
            python_json::standard(&decoder_json),
        );
        // So that an error names the right file.
        for (name, json) in [
            (&encoder_name, &encoder_json),
            (&decoder_name, &decoder_json),
        ] {
            Entries::of(json, []).map_err(|error| in_file(name, CONFIG, error.into()))?;
        }
        let mut config =
            VisionEncoderDecoderConfig::joined(&encoder_json, &decoder_json).map_err(|error| {
                match error {
                    ConfigError::Decoder(_)
                    | ConfigError::UnsupportedType {
                        part: "the decoder",
                        ..
                    } => in_file(&decoder_name, CONFIG, error),
                    _ => in_file(&encoder_name, CONFIG, error),
                }
            })?;
        let generation_config = generation_config(
            &decoder_name,
            &decoder_json,
            read_text(decoder, GENERATION_CONFIG, limits::JSON)?.as_deref(),
        )?;
        let format = weights.format(None, device);
        let (encoder_weights, decoder_weights) = (open_weights(encoder)?, open_weights(decoder)?);
        let groups = config.decoder.own_weights();
        let notices = tied_head::settle(&mut config.decoder, &groups, decoder_weights.as_ref())?;
        let mut model = config.init_with(format, device);
        model.encoder = config
            .encoder
            .load(model.encoder, encoder_weights.as_ref())?;
        model.decoder = config
            .decoder
            .load(model.decoder, decoder_weights.as_ref())?;
        Ok(Self {
            model,
            config,
            generation_config,
            precision: main_precision(&[encoder_weights.as_ref(), decoder_weights.as_ref()]),
            format,
            notices,
        })
    }
}

/// The files of a checkpoint: the texts of the small ones, and the weights, which are open.
struct Files {
    config: String,
    generation_config: Option<String>,
    source: Box<dyn TensorSource>,
    /// The format that the weights will be packed in, in memory.
    format: Option<Format>,
}

impl Files {
    fn open(folder: &Path, options: &LoadOptions, device: &Device) -> Result<Self, LoadError> {
        let config = config_text(folder)?;
        let generation_config = read_text(folder, GENERATION_CONFIG, limits::JSON)?;
        // Nothing of a packed file counts for ordinary weights, not even that it is damaged.
        let packed = match options.weights {
            Weights::Ordinary => None,
            _ => open_packed(folder, options.memory_map)?,
        };
        let in_checkpoint = packed.as_ref().and_then(PackedFile::format);
        let format = options.weights.format(in_checkpoint, device);
        let source: Box<dyn TensorSource> = match packed {
            Some(packed) if format.is_some() && format == in_checkpoint => Box::new(packed),
            _ => open_weights(folder)?,
        };
        Ok(Self {
            config,
            generation_config,
            source,
            format,
        })
    }
}

/// The packed weights of a folder, if it has any.
fn open_packed(folder: &Path, memory_map: bool) -> Result<Option<PackedFile>, LoadError> {
    let path = folder.join(WeightsForm::Packed.file());
    Ok(match (path.exists(), memory_map) {
        (false, _) => None,
        (true, true) => Some(PackedFile::map_unchanging(path)?),
        (true, false) => Some(PackedFile::open(path)?),
    })
}

/// The precision that most values are stored in.
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
    // If several are equal, `max_by_key` returns the last, which should be F32.
    let last_first = Precision::ALL.into_iter().rev();
    last_first.max_by_key(count).unwrap_or_default()
}

/// The options in `generation_config.json`. If there is no such file, those in `config.json`.
fn generation_config(
    origin: &str,
    config_json: &str,
    generation_config_json: Option<&str>,
) -> Result<GenerationConfig, LoadError> {
    match generation_config_json {
        Some(json) => GenerationConfig::from_json(json)
            .map(|options| options.with_file(format!("{origin}/{GENERATION_CONFIG}")))
            .map_err(|error| in_file(origin, GENERATION_CONFIG, error.into())),
        None => legacy_generation_config(config_json)
            .map(|options| options.with_file(format!("{origin}/{CONFIG}")))
            .map_err(|error| in_file(origin, CONFIG, error)),
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
    let missing = || checkpoint::LoadError::MissingFile {
        folder: folder.to_owned(),
        file: CONFIG.into(),
    };
    Ok(read_text(folder, CONFIG, limits::CONFIGURATION)?.ok_or_else(missing)?)
}

/// The contents of a file of at most `limit` bytes; `None` if it does not exist.
fn read_text(folder: &Path, file: &str, limit: u64) -> Result<Option<String>, LoadError> {
    match whole_files::read_text(folder.join(file), limit) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(checkpoint::LoadError::from(error).into()),
    }
}
