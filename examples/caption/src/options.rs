use std::path::Path;

use captioning::{CaptionOptions, Captioner, GenerationConfig, Language, Shortlist};

use crate::arguments::Arguments;
use crate::error::StartError;

/// The value of `--shortlist` for the tokens that the languages are written with.
const LANGUAGES: &str = "languages";

/// Returns the options for all pictures, after checking them. `folder` is that of the checkpoint.
pub(crate) fn options(
    arguments: &Arguments,
    captioner: &Captioner,
    folder: Option<&Path>,
    languages: &[Language],
) -> Result<CaptionOptions, StartError> {
    let config = GenerationConfig {
        num_beams: arguments.num_beams,
        num_return_sequences: arguments.num_return_sequences,
        length_penalty: arguments.length_penalty,
        max_length: Some(arguments.max_length),
        max_new_tokens: None,
        ..match (arguments.as_published, folder) {
            (true, Some(folder)) => captioner.as_published().generation_config(folder)?,
            _ => captioner.generation_config().clone(),
        }
    };
    let config = config
        .with_settings(&arguments.set)
        .map_err(StartError::Setting)?;
    if arguments.as_published {
        captioner.as_published().validate(&config)?;
        return Ok(CaptionOptions::new(config));
    }
    if arguments.stream && config.num_return_sequences > 1 {
        return Err(StartError::Stream(config.num_return_sequences));
    }
    let options = CaptionOptions {
        prefix: arguments.prefix.clone(),
        required: arguments.require.clone(),
        forbidden: arguments.forbid.clone(),
        alternatives: arguments.alternatives,
        shortlist: match &arguments.shortlist {
            Some(source) => Some(shortlist(source, captioner, languages)?),
            None => None,
        },
        ..CaptionOptions::new(config)
    };
    captioner.validate_options(&options)?;
    let (asked, layers) = (&arguments.attention_layers, captioner.decoder_layers());
    if asked.iter().any(|layer| *layer >= layers) {
        let asked = asked.clone();
        return Err(captioning::Error::AttentionLayers { asked, layers }.into());
    }
    Ok(options)
}

fn shortlist(
    source: &Path,
    captioner: &Captioner,
    languages: &[Language],
) -> Result<Shortlist, StartError> {
    if source == Path::new(LANGUAGES) {
        return Ok(captioner.shortlist_of_languages(languages)?);
    }
    let text = std::fs::read_to_string(source).map_err(|error| StartError::Shortlist {
        path: source.to_owned(),
        source: error,
    })?;
    if text.trim().is_empty() {
        return Err(StartError::EmptyShortlist(source.to_owned()));
    }
    let tokens = captioner
        .tokenizer()
        .shortlist_of_texts(text.lines(), 1)
        .map_err(captioning::Error::from)?;
    Ok(captioner.shortlist(&tokens)?)
}
