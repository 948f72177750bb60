use std::path::Path;

use captioning::{CaptionOptions, Captioner, GenerationConfig, Language, Shortlist};
use whole_files::{ReadError, limits};

use crate::arguments::Arguments;
use crate::choice::Choice;
use crate::error::StartError;

/// The value of `--shortlist` for the tokens that the languages are written with.
const LANGUAGES: &str = "languages";

/// Returns the options for all pictures, after checking them, and who chose those of generation. `folder` is that of
/// the checkpoint.
pub(crate) fn options(
    arguments: &Arguments,
    captioner: &Captioner,
    folder: Option<&Path>,
    languages: &[Language],
) -> Result<(CaptionOptions, Choice), StartError> {
    let checkpoint = match (arguments.as_published, folder) {
        (true, Some(folder)) => captioner.as_published().generation_config(folder)?,
        _ => captioner.generation_config().clone(),
    };
    let mut choice = Choice::new(arguments, checkpoint, folder)?;
    if arguments.as_published {
        choice.fit(|config| captioner.as_published().validate(config))?;
        return Ok((CaptionOptions::new(choice.config.clone()), choice));
    }
    let sequences = choice.config.num_return_sequences;
    if arguments.stream && sequences > 1 {
        return Err(StartError::Stream(sequences));
    }
    let mut options = CaptionOptions {
        prefix: arguments.prefix.clone(),
        required: arguments.require.clone(),
        forbidden: arguments.forbid.clone(),
        alternatives: arguments.alternatives,
        shortlist: match &arguments.shortlist {
            Some(source) => Some(shortlist(source, captioner, languages)?),
            None => None,
        },
        ..CaptionOptions::default()
    };
    let with = |generation: &GenerationConfig| CaptionOptions {
        generation: generation.clone(),
        ..options.clone()
    };
    choice.fit(|config| captioner.validate_options(&with(config)))?;
    options.generation = choice.config.clone();
    let (asked, layers) = (&arguments.attention_layers, captioner.decoder_layers());
    if asked.iter().any(|layer| *layer >= layers) {
        let asked = asked.clone();
        return Err(captioning::Error::AttentionLayers { asked, layers }.into());
    }
    Ok((options, choice))
}

fn shortlist(
    source: &Path,
    captioner: &Captioner,
    languages: &[Language],
) -> Result<Shortlist, StartError> {
    if source == Path::new(LANGUAGES) {
        return Ok(captioner.shortlist_of_languages(languages)?);
    }
    let text = whole_files::read_text(source, limits::TEXT).map_err(|error| match error {
        ReadError::Io { path, source } => StartError::Shortlist { path, source },
        other => other.into(),
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
