//! From the arguments to a model.

use std::path::{Path, PathBuf};

use checkpoint::{FolderState, complete_interrupted_save};
use packed_linear::Format;
use pretrained::{
    ComposeOptions, LoadError, LoadOptions, NewToken, Pretrained, PretrainedTranslator, Weights,
};
use report::Program;

use crate::model::Model;
use crate::new_languages::{Added, NewLanguages};
use crate::random::RandomSize;
use crate::side_files::SideFiles;
use crate::{Arguments, ConvertError};

/// Loads or creates the model, and writes its tokenizer and its preprocessing. Returns the model and the languages that it
/// gained.
pub(crate) fn source(
    program: &Program,
    arguments: &Arguments,
    format: Option<Format>,
    staged: &Path,
) -> Result<(Model, Vec<Added>), ConvertError> {
    let weights = format.map_or(Weights::Ordinary, Weights::Packed);
    let device = device::device(&arguments.device)?;
    let folder = |name: &Option<String>| {
        let name = name.as_deref();
        name.map(|name| locate::checkpoint(program, name))
            .transpose()
    };
    let model = folder(&arguments.source)?;
    let (encoder, decoder) = (folder(&arguments.encoder)?, folder(&arguments.decoder)?);
    let named = arguments.tokenizer.as_deref();
    let named = named
        .map(|name| locate::tokenizer(program, name))
        .transpose()?;
    // Before any file is read, so that all are of the same checkpoint.
    let folders: Vec<PathBuf> = [&model, &encoder, &decoder, &named]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    for folder in &folders {
        complete_interrupted_save(folder);
    }
    let states: Vec<FolderState> = folders.iter().map(FolderState::of).collect();
    let side_files = SideFiles {
        preprocessing: model.clone().or(encoder.clone()),
        tokenizer_was_named: named.is_some(),
        tokenizer: named.or(model.clone()).or(decoder.clone()),
    };
    let translator = model
        .as_ref()
        .filter(|folder| PretrainedTranslator::is_in(folder));
    if let Some(folder) = translator
        && !arguments.add_language.is_empty()
    {
        let folder = folder.clone();
        return Err(ConvertError::LanguageOfTranslator { folder });
    }
    // Before the model: a missing or damaged tokenizer is then reported at once, and its memory is free
    // again when the model is loaded.
    let languages = NewLanguages {
        names: &arguments.add_language,
        like: arguments.like.as_deref(),
    };
    let (tokens, added) = if translator.is_some() || arguments.random == Some(RandomSize::OpusMt) {
        let tokens = side_files.write_translation_tokenizer(staged)?;
        (tokens, Vec::new())
    } else {
        let (tokens, added) = side_files.write_tokenizer(staged, languages)?;
        (tokens.map(|tokens| [tokens; 2]), added)
    };
    let options = LoadOptions {
        weights,
        ..LoadOptions::default()
    };
    let model = if let Some(size) = arguments.random {
        device.seed(arguments.seed);
        size.model(weights, &device)
    } else if let (Some(encoder), Some(decoder)) = (encoder, decoder) {
        let options = ComposeOptions {
            weights,
            fresh_cross_attention: arguments.fresh_cross_attention,
        };
        let composed = Pretrained::compose(encoder, decoder, &options, &device)?;
        Model::Captioner(Box::new(composed))
    } else if let Some(folder) = translator {
        let loaded = PretrainedTranslator::from_folder(folder, &options, &device)?;
        Model::Translator(Box::new(loaded))
    } else {
        let folder = model.unwrap_or_default();
        let new_tokens: Vec<NewToken> = added.iter().map(|one| one.token.clone()).collect();
        let loaded = Pretrained::from_folder_with_tokens(folder, &new_tokens, &options, &device)?;
        Model::Captioner(Box::new(loaded))
    };
    if let Model::Captioner(model) = &model {
        side_files.write_preprocessing(staged, &model.config)?;
    }
    // Another program may have saved to a folder while its files were read one after another.
    let changed = |(folder, state): &(&PathBuf, &FolderState)| FolderState::of(folder) != **state;
    if let Some((folder, _)) = folders.iter().zip(&states).find(changed) {
        let folder = folder.clone();
        return Err(LoadError::from(checkpoint::LoadError::Changing { folder }).into());
    }
    if let (Some(tokens), Some(folder)) = (tokens, &side_files.tokenizer) {
        for (tokens, vocabulary) in tokens.into_iter().zip(model.vocabularies()) {
            if tokens > vocabulary {
                return Err(ConvertError::Vocabulary {
                    folder: folder.clone(),
                    tokens,
                    vocabulary,
                });
            }
        }
    }
    Ok((model, added))
}
