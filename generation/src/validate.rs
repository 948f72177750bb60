//! What is checked before any work.

use crate::config::too_many;
use crate::limits;
use crate::options::Options;
use crate::phrase::Phrase;
use crate::search::required_phrases;
use crate::{ConfigError, Generation, GenerationConfig, Prompt, Search, StepModel};

/// Checks the prompts, each with its own options, and the options of the call.
pub(crate) fn validate(
    call: &Generation<'_>,
    prompts: &[Prompt],
    vocab_size: usize,
) -> Result<(), ConfigError> {
    let config = |config: &GenerationConfig| {
        validate_option_tokens(config, vocab_size)?;
        config.validate_options()?;
        config.validate_size(vocab_size)?;
        match config.stop_strings.is_empty() || call.vocabulary.is_some() {
            true => Ok(()),
            false => Err(ConfigError::NeedsVocabulary {
                place: "stop_strings",
            }),
        }
    };
    validate_each(call, prompts, vocab_size, config, |options, prompt| {
        options.config.validate_lengths(prompt.tokens.len())?;
        validate_required(options, prompt, vocab_size)
    })
}

/// Checks the prompts and the texts to score. Options that only a search needs are not checked.
pub(crate) fn validate_scoring(
    call: &Generation<'_>,
    prompts: &[Prompt],
    texts: &[Vec<u32>],
    vocab_size: usize,
) -> Result<(), ConfigError> {
    one_for_each("texts to score", texts.len(), prompts)?;
    for text in texts {
        validate_tokens("a text to score", text, vocab_size)?;
        if text.is_empty() {
            return malformed("a text to score", "no tokens");
        }
    }
    let config = |config: &GenerationConfig| {
        validate_option_tokens(config, vocab_size)?;
        config.validate_scoring()
    };
    validate_each(call, prompts, vocab_size, config, |_, _| Ok(()))
}

/// Checks that a model's shortlist is part of its vocabulary and has the end tokens.
pub(crate) fn validate_shortlist<M: StepModel>(
    call: &Generation<'_>,
    prompts: &[Prompt],
    model: &M,
    state: &M::State,
) -> Result<(), ConfigError> {
    let place = "the shortlist";
    let Some(scored) = model.scored_tokens(state) else {
        return Ok(());
    };
    if scored.is_empty() {
        return malformed(place, "no tokens");
    }
    if !scored.is_sorted_by(|a, b| a < b) {
        return malformed(place, "tokens that do not ascend");
    }
    validate_tokens(place, scored, model.vocab_size())?;
    let has_ends = |config: &GenerationConfig| {
        let vocab_size = model.vocab_size();
        let is_absent =
            |end: &&u32| (**end as usize) < vocab_size && scored.binary_search(end).is_err();
        match config.eos_token_id.iter().find(is_absent) {
            Some(end) => Err(ConfigError::ShortlistLacksEnd { token: *end }),
            None => Ok(()),
        }
    };
    validate_configs(call, prompts, has_ends)
}

/// Checks that there is a search for each prompt, which begins with it.
pub(crate) fn validate_searches(
    searches: &[Box<dyn Search>],
    prompts: &[Prompt],
) -> Result<(), ConfigError> {
    one_for_each("searches", searches.len(), prompts)?;
    for (index, (search, prompt)) in searches.iter().zip(prompts).enumerate() {
        if !matches!(search.rows(), [row] if row.tokens == prompt.tokens) {
            return Err(ConfigError::SearchStart { search: index });
        }
    }
    Ok(())
}

/// Checks the configurations, then what every prompt needs, and last what only some calls need.
fn validate_each(
    call: &Generation<'_>,
    prompts: &[Prompt],
    vocab_size: usize,
    config: impl Fn(&GenerationConfig) -> Result<(), ConfigError>,
    more: impl Fn(&Options<'_>, &Prompt) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    validate_configs(call, prompts, config)?;
    for (index, prompt) in prompts.iter().enumerate() {
        let options = Options::new(call, index, prompt);
        validate_prompt(&options, prompt, vocab_size)
            .and_then(|()| more(&options, prompt))
            .map_err(|error| of_prompt(index, prompts, error))?;
    }
    match &call.vocabulary {
        Some(vocabulary) if vocabulary.len() > vocab_size => Err(ConfigError::VocabularyTooLong {
            texts: vocabulary.len(),
            vocab_size,
        }),
        _ => Ok(()),
    }
}

/// Checks the call's configuration, if a prompt uses it, and those of prompts that have their own.
fn validate_configs(
    call: &Generation<'_>,
    prompts: &[Prompt],
    check: impl Fn(&GenerationConfig) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    if prompts.iter().any(|prompt| prompt.config.is_none()) {
        check(&call.config)?;
    }
    for (index, prompt) in prompts.iter().enumerate() {
        if let Some(config) = &prompt.config {
            check(config).map_err(|error| of_prompt(index, prompts, error))?;
        }
    }
    Ok(())
}

/// An error that concerns one prompt. It says which one if there are several.
fn of_prompt(prompt: usize, prompts: &[Prompt], error: ConfigError) -> ConfigError {
    match prompts.len() {
        1 => error,
        _ => ConfigError::Prompt {
            prompt,
            source: Box::new(error),
        },
    }
}

/// Checks what a prompt has besides its configuration.
fn validate_prompt(
    options: &Options<'_>,
    prompt: &Prompt,
    vocab_size: usize,
) -> Result<(), ConfigError> {
    if prompt.tokens.is_empty() {
        return malformed("a prompt", "no tokens, expected at least a start token");
    }
    validate_tokens("a prompt", &prompt.tokens, vocab_size)?;
    let config = options.config;
    if prompt.forced_bos_token_id.is_none() {
        let readable = config.check_readable("forced_bos_token_id");
        readable.map_err(|error| config.located(error))?;
    }
    let forced_bos = prompt.forced_bos_token_id.or(config.forced_bos_token_id);
    validate_tokens("forced_bos_token_id", forced_bos.as_slice(), vocab_size)?;
    let alternatives = |phrases: &[Phrase]| -> usize {
        phrases.iter().map(|phrase| phrase.alternatives.len()).sum()
    };
    let phrases = alternatives(&prompt.forbidden).saturating_add(alternatives(&prompt.required));
    too_many("a prompt", "phrases", phrases, limits::PHRASES, "")?;
    for phrase in &prompt.forbidden {
        phrase.validate("a forbidden phrase", vocab_size, options.vocabulary)?;
    }
    match options.alternatives > limits::ROWS {
        true => Err(ConfigError::OutOfRange {
            option: "alternatives",
            value: options.alternatives as f64,
            expected: format!("up to {}", limits::ROWS),
        }),
        false => Ok(()),
    }
}

/// Checks the phrases that a text has to contain, and those that its prompt contains already.
fn validate_required(
    options: &Options<'_>,
    prompt: &Prompt,
    vocab_size: usize,
) -> Result<(), ConfigError> {
    let (config, vocabulary) = (options.config, options.vocabulary);
    let texts = vocabulary.cloned().unwrap_or_default();
    let is_there = |phrase: &Phrase| phrase.is_surely_in(&prompt.tokens, &texts);
    if prompt.forbidden.iter().any(is_there) {
        return Err(ConfigError::ForbiddenInPrompt);
    }
    let in_config = config.force_words_ids.iter().map(Vec::len);
    let in_prompt = prompt
        .required
        .iter()
        .map(|phrase| phrase.alternatives.len());
    let count = in_config.chain(in_prompt).sum();
    validate_required_work(config, count)?;
    let required = required_phrases(config, prompt);
    for phrase in &required {
        let place = "a required phrase (or force_words_ids)";
        phrase.validate(place, vocab_size, vocabulary)?;
    }
    if required.is_empty() {
        return Ok(());
    }
    config.validate_beams_for_phrases("required")?;
    // Phrases may overlap, begin in the prompt, or be divided otherwise, so no more can be said.
    let longest = config.longest(prompt.tokens.len());
    let too_long = |phrase: &&Phrase| phrase.is_of_tokens() && phrase.shortest() > longest;
    match required.iter().find(too_long) {
        Some(phrase) => Err(ConfigError::PhraseTooLong {
            tokens: phrase.shortest(),
            longest,
        }),
        None => Ok(()),
    }
}

/// Checks that required phrases with this number of alternatives don't keep a search busy.
fn validate_required_work(config: &GenerationConfig, count: usize) -> Result<(), ConfigError> {
    let limit = (limits::REQUIRED_WORK / config.num_beams.max(1)).isqrt();
    let option = match config.force_words_ids.is_empty() {
        true => "required",
        false => "force_words_ids",
    };
    too_many(
        option,
        "required alternatives",
        count,
        limit,
        format!(" with {} beams", config.num_beams),
    )
    .map_err(|error| config.located(error))
}

/// Checks the tokens of a configuration that its prompts can't replace or add to. Tokens that end a text or are
/// suppressed may be unknown, as in transformers: the model never writes them.
fn validate_option_tokens(config: &GenerationConfig, vocab_size: usize) -> Result<(), ConfigError> {
    let check = || {
        validate_tokens(
            "forced_eos_token_id",
            &config.forced_eos_token_id,
            vocab_size,
        )?;
        for word in &config.bad_words_ids {
            validate_tokens("bad_words_ids", word, vocab_size)?;
        }
        for (sequence, _) in &config.sequence_bias {
            validate_tokens("sequence_bias", sequence, vocab_size)?;
        }
        Ok(())
    };
    check().map_err(|error| config.located(error))
}

fn validate_tokens(
    place: &'static str,
    tokens: &[u32],
    vocab_size: usize,
) -> Result<(), ConfigError> {
    match tokens.iter().find(|token| **token as usize >= vocab_size) {
        None => Ok(()),
        Some(token) => Err(ConfigError::UnknownToken {
            place,
            token: *token,
            vocab_size,
        }),
    }
}

fn one_for_each(what: &'static str, found: usize, prompts: &[Prompt]) -> Result<(), ConfigError> {
    let prompts = prompts.len();
    match found == prompts {
        true => Ok(()),
        false => Err(ConfigError::Count {
            what,
            found,
            prompts,
        }),
    }
}

fn malformed(place: &'static str, problem: &'static str) -> Result<(), ConfigError> {
    Err(ConfigError::Malformed { place, problem })
}
