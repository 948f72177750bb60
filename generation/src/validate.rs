//! What is checked before there is any work.

use crate::config::MOST_ROWS;
use crate::search::required_phrases;
use crate::{ConfigError, Generation, GenerationConfig, Phrase, Prompt, Search, StepModel};

/// Checks the prompts, every token of the options against the vocabulary, and the options against
/// each other.
pub(crate) fn validate(
    generation: &Generation<'_>,
    prompts: &[Prompt],
    vocab_size: usize,
) -> Result<(), ConfigError> {
    let config = &generation.config;
    for prompt in prompts {
        validate_tokens_of(generation, prompt, vocab_size)?;
        config.validate(prompt.tokens.len())?;
        validate_phrases(generation, prompt, vocab_size)?;
    }
    if !config.stop_strings.is_empty() && generation.vocabulary.is_none() {
        return invalid("stop_strings need the text of tokens: Generation::with_vocabulary".into());
    }
    validate_extras(generation, vocab_size)
}

/// Likewise for texts that are given: what only a search asks for is not looked at.
pub(crate) fn validate_scoring(
    generation: &Generation<'_>,
    prompts: &[Prompt],
    vocab_size: usize,
) -> Result<(), ConfigError> {
    for prompt in prompts {
        validate_tokens_of(generation, prompt, vocab_size)?;
        generation.config.validate_scoring()?;
    }
    validate_extras(generation, vocab_size)
}

/// Checks what is no option.
fn validate_extras(generation: &Generation<'_>, vocab_size: usize) -> Result<(), ConfigError> {
    if generation.alternatives > MOST_ROWS {
        return invalid(format!(
            "{} alternatives of each token are asked for, expected up to {MOST_ROWS}",
            generation.alternatives
        ));
    }
    if let Some(vocabulary) = &generation.vocabulary
        && vocabulary.len() > vocab_size
    {
        return invalid(format!(
            "the vocabulary has the text of {} tokens, but the model scores {vocab_size}",
            vocabulary.len()
        ));
    }
    Ok(())
}

/// Checks every token of a prompt, of the options, and of what is forbidden.
fn validate_tokens_of(
    generation: &Generation<'_>,
    prompt: &Prompt,
    vocab_size: usize,
) -> Result<(), ConfigError> {
    let config = &generation.config;
    if prompt.tokens.is_empty() {
        return invalid("a prompt is empty, expected at least a start token".into());
    }
    let forced_bos = prompt.forced_bos_token_id.or(config.forced_bos_token_id);
    for (name, tokens) in [
        ("a prompt", prompt.tokens.as_slice()),
        ("forced_bos_token_id", forced_bos.as_slice()),
        ("forced_eos_token_id", &config.forced_eos_token_id),
        ("eos_token_id", &config.eos_token_id),
        ("suppress_tokens", &config.suppress_tokens),
        ("begin_suppress_tokens", &config.begin_suppress_tokens),
    ] {
        validate_tokens(name, tokens, vocab_size)?;
    }
    for word in &config.bad_words_ids {
        validate_tokens("bad_words_ids", word, vocab_size)?;
    }
    for (sequence, _) in &config.sequence_bias {
        validate_tokens("sequence_bias", sequence, vocab_size)?;
    }
    for phrase in &prompt.forbidden {
        phrase.validate("forbidden", vocab_size, generation.vocabulary.as_ref())?;
    }
    Ok(())
}

fn validate_phrases(
    generation: &Generation<'_>,
    prompt: &Prompt,
    vocab_size: usize,
) -> Result<(), ConfigError> {
    let (config, vocabulary) = (&generation.config, generation.vocabulary.as_ref());
    let texts = vocabulary.cloned().unwrap_or_default();
    let is_there = |phrase: &Phrase| phrase.is_surely_in(&prompt.tokens, &texts);
    if prompt.forbidden.iter().any(is_there) {
        return invalid("a forbidden phrase is in the prompt (the prefix) already".into());
    }
    let required = required_phrases(config, prompt);
    for phrase in &required {
        phrase.validate("required (or force_words_ids)", vocab_size, vocabulary)?;
    }
    if required.is_empty() {
        return Ok(());
    }
    if config.num_beams < 2 || config.num_beam_groups > 1 || config.do_sample {
        return invalid(
            "phrases that have to come need num_beams above 1, without groups and do_sample".into(),
        );
    }
    // Phrases may overlap, begin in the prompt, or be divided otherwise, so no more can be said.
    let longest = config.longest(prompt.tokens.len());
    let too_long = |phrase: &&Phrase| phrase.is_of_tokens() && phrase.shortest() > longest;
    match required.iter().find(too_long) {
        Some(phrase) => invalid(format!(
            "a phrase that has to come has {} tokens, but a text has {longest} (max_length or max_new_tokens)",
            phrase.shortest()
        )),
        None => Ok(()),
    }
}

/// Checks that the tokens that a model scores are some of its vocabulary, the end among them.
pub(crate) fn validate_model<M: StepModel>(
    config: &GenerationConfig,
    model: &M,
    state: &M::State,
) -> Result<(), ConfigError> {
    let Some(scored) = model.scored_tokens(state) else {
        return Ok(());
    };
    let vocab_size = model.vocab_size();
    if scored.is_empty() {
        return invalid("the shortlist has no tokens".into());
    }
    if !scored.is_sorted_by(|a, b| a < b) {
        return invalid("the shortlist's tokens do not ascend".into());
    }
    validate_tokens("the shortlist", scored, vocab_size)?;
    match config
        .eos_token_id
        .iter()
        .find(|end| scored.binary_search(end).is_err())
    {
        Some(end) => invalid(format!(
            "the shortlist lacks eos_token_id {end}, so no text would end"
        )),
        None => Ok(()),
    }
}

/// Checks that there is a search behind every prompt.
pub(crate) fn validate_searches(
    searches: &[Box<dyn Search>],
    prompts: &[Prompt],
) -> Result<(), ConfigError> {
    let begins_with = |search: &dyn Search, prompt: &Prompt| matches!(search.rows(), [row] if row.tokens == prompt.tokens);
    let fit = searches.len() == prompts.len()
        && searches
            .iter()
            .zip(prompts)
            .all(|(search, prompt)| begins_with(search.as_ref(), prompt));
    match fit {
        true => Ok(()),
        false => invalid(format!(
            "{} searches for {} prompts, expected one for each that begins with one row, the prompt",
            searches.len(),
            prompts.len()
        )),
    }
}

/// Checks that there is a text behind every prompt.
pub(crate) fn validate_texts(
    texts: &[Vec<u32>],
    prompts: &[Prompt],
    vocab_size: usize,
) -> Result<(), ConfigError> {
    if texts.len() != prompts.len() || texts.iter().any(Vec::is_empty) {
        return invalid("scoring needs one text per prompt, none of them empty".into());
    }
    for text in texts {
        validate_tokens("a text", text, vocab_size)?;
    }
    Ok(())
}

fn validate_tokens(name: &str, tokens: &[u32], vocab_size: usize) -> Result<(), ConfigError> {
    match tokens.iter().find(|token| **token as usize >= vocab_size) {
        None => Ok(()),
        Some(token) => invalid(format!(
            "{name} has token {token}, but the vocabulary ends at {}",
            vocab_size.saturating_sub(1)
        )),
    }
}

fn invalid(message: String) -> Result<(), ConfigError> {
    Err(ConfigError::Invalid(message))
}
