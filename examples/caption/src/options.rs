use std::path::Path;

use captioner::SearchArguments;
use captioning::{
    CaptionOptions, Captioner, GenerationConfig, Ignored, Language, Shortlist, card_defaults,
};
use whole_files::{ReadError, limits};

use crate::arguments::Arguments;
use crate::choice::{self, OptionRecords};
use crate::error::StartError;

/// The value of `--shortlist` for the tokens that the languages are written with.
const LANGUAGES: &str = "languages";

/// The number of ignored options that are named.
const MOST_NOTES: usize = 16;

/// How pictures are captioned, and what there is to say about it.
pub(crate) struct Chosen {
    pub(crate) options: CaptionOptions,
    pub(crate) records: OptionRecords,
    /// What could not be done as somebody said.
    pub(crate) notes: Vec<String>,
    /// What has no effect of what the user said.
    pub(crate) in_vain: Vec<String>,
}

/// Returns the options for all pictures, after checking them: what the user says, then the checkpoint in `folder`, then
/// this program.
pub(crate) fn choose(
    arguments: &Arguments,
    captioner: &Captioner,
    folder: Option<&Path>,
    languages: &[Language],
) -> Result<Chosen, StartError> {
    let own = [("num_return_sequences", arguments.num_return_sequences)];
    let said = arguments.search.said(&own)?;
    let checkpoint = match (arguments.as_published, folder) {
        (true, Some(folder)) => published(captioner, folder)?,
        _ => captioner.generation_config().clone(),
    };
    let mut options = CaptionOptions::new(checkpoint.clone());
    if !arguments.as_published {
        options = CaptionOptions {
            prompt: arguments.prompt.clone(),
            prefix: arguments.prefix.clone(),
            required: arguments.require.clone(),
            forbidden: arguments.forbid.clone(),
            alternatives: arguments.alternatives,
            shortlist: match &arguments.shortlist {
                Some(source) => Some(shortlist(source, captioner, languages)?),
                None => None,
            },
            ..options
        };
    }
    let options = captioner.options(options, &said, &card_defaults())?;
    check(arguments, captioner, &options)?;
    let ignored = captioner.ignored(&options);
    let mut notes = notes(&ignored);
    let longest = |config: &GenerationConfig| config.longest(1);
    let says = |option| captioner::says(&said, option);
    let says_length = says("max_length") || says("max_new_tokens");
    let has_length = checkpoint.max_length.is_some() || checkpoint.max_new_tokens.is_some();
    if has_length && !says_length && longest(&options.generation) < longest(&checkpoint) {
        notes.push(format!(
            "the checkpoint asks for captions of up to {} tokens, but its decoder can write {}",
            longest(&checkpoint),
            longest(&options.generation)
        ));
    }
    Ok(Chosen {
        records: choice::records(&options.generation, &said, &checkpoint, &ignored),
        options,
        notes,
        in_vain: SearchArguments::in_vain(&said, &ignored),
    })
}

/// What is ignored of the options. A file may have any number of keys, of which some are enough.
fn notes(ignored: &[Ignored]) -> Vec<String> {
    let mut notes: Vec<String> = ignored
        .iter()
        .take(MOST_NOTES)
        .map(ToString::to_string)
        .collect();
    match ignored.len().saturating_sub(MOST_NOTES) {
        0 => {}
        more => notes.push(format!("{more} more options are ignored")),
    }
    notes
}

/// The options of the published model's original code. Of those that have an argument of this program, its
/// configuration has mBART's values for translation, which captions were not made with.
fn published(captioner: &Captioner, folder: &Path) -> Result<GenerationConfig, StartError> {
    let ordinary = captioner.generation_config();
    Ok(GenerationConfig {
        num_beams: ordinary.num_beams,
        max_length: ordinary.max_length,
        max_new_tokens: ordinary.max_new_tokens,
        length_penalty: ordinary.length_penalty,
        num_return_sequences: ordinary.num_return_sequences,
        ..captioner.as_published().generation_config(folder)?
    })
}

fn check(
    arguments: &Arguments,
    captioner: &Captioner,
    options: &CaptionOptions,
) -> Result<(), StartError> {
    if arguments.as_published {
        return Ok(captioner.as_published().validate(&options.generation)?);
    }
    let sequences = options.generation.num_return_sequences;
    if arguments.stream && sequences > 1 {
        return Err(StartError::Stream(sequences));
    }
    captioner.validate_options(options)?;
    let (asked, layers) = (&arguments.attention_layers, captioner.decoder_layers());
    if asked.iter().any(|layer| *layer >= layers) {
        let asked = asked.clone();
        return Err(captioning::Error::AttentionLayers { asked, layers }.into());
    }
    Ok(())
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
