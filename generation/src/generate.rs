use crate::numeric::{is_usable, log_softmax};
use crate::processor::processors;
use crate::search::{ForcedSearch, strategy};
use crate::stopping::criteria;
use crate::{
    ConfigError, GenerateError, GenerationConfig, Hypothesis, LogitsProcessor, Search, StepModel,
    StoppingCriterion, TokenBatch,
};

/// What to continue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Tokens to begin with, at least one: usually the start token.
    pub tokens: Vec<u32>,
    /// First token to generate, instead of the configuration's: prompts of one batch may be
    /// continued in different languages.
    pub forced_bos_token_id: Option<u32>,
}

impl Prompt {
    /// Tokens to begin with.
    pub fn new(tokens: Vec<u32>) -> Self {
        Self {
            tokens,
            forced_bos_token_id: None,
        }
    }

    /// Forces the first generated token.
    pub fn with_forced_bos_token_id(mut self, token: u32) -> Self {
        self.forced_bos_token_id = Some(token);
        self
    }
}

/// A prompt that is still being continued.
struct Item<'a> {
    number: usize,
    /// Tokens of a prompt longer than the shortest that the model has not been fed. They are fed
    /// step by step, so that all rows always have the same length.
    waiting: &'a [u32],
    search: Box<dyn Search>,
    processors: Vec<Box<dyn LogitsProcessor>>,
    stopping: Vec<Box<dyn StoppingCriterion>>,
}

/// Continues prompts until each search is over.
///
/// `state` must have one row per prompt, in their order, that has been fed nothing yet. Returns for
/// each prompt up to `num_return_sequences` hypotheses, best first. Rows of finished prompts leave
/// the batch at once.
///
/// # Errors
/// [`GenerateError`]: contradictory options before any work, or what the model did wrong.
pub fn generate<M: StepModel>(
    model: &M,
    state: M::State,
    prompts: &[Prompt],
    config: &GenerationConfig,
) -> Result<Vec<Vec<Hypothesis>>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    validate(prompts, config, model.vocab_size())?;
    let searches = prompts
        .iter()
        .map(|prompt| strategy(config, prompt.tokens.clone()));
    run(model, state, prompts, searches.collect(), config)
}

/// Continues prompts with searches of one's own, `searches[i]` the one behind `prompts[i]`, which
/// begins with one row, its prompt. Processors and stopping criteria are those of `config`, as in
/// [`generate`]; the rest is the searches' own affair.
///
/// `state` is as for [`generate`]. Returns what each search found.
///
/// # Errors
/// [`GenerateError`], likewise; a search that does not begin with its prompt is one.
///
/// # Panics
/// If a search returns other parents than [`Search::advance`] asks for.
pub fn generate_with<M: StepModel>(
    model: &M,
    state: M::State,
    prompts: &[Prompt],
    searches: Vec<Box<dyn Search>>,
    config: &GenerationConfig,
) -> Result<Vec<Vec<Hypothesis>>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    validate(prompts, config, model.vocab_size())?;
    validate_searches(&searches, prompts)?;
    run(model, state, prompts, searches, config)
}

/// The log-probabilities of given texts: `texts[i]` behind `prompts[i]`, token by token, with the
/// processors that the configuration asks for and normalised after them, as greedy search has them.
///
/// `state` is as for [`generate`]. The score of a result is the sum of its log-probabilities.
///
/// # Errors
/// [`GenerateError`], likewise; a text that is empty or has a token beyond the vocabulary is one.
pub fn score<M: StepModel>(
    model: &M,
    state: M::State,
    prompts: &[Prompt],
    texts: &[Vec<u32>],
    config: &GenerationConfig,
) -> Result<Vec<Hypothesis>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    if texts.len() != prompts.len() || texts.iter().any(Vec::is_empty) {
        return Err(GenerateError::Config(ConfigError::Invalid(
            "scoring needs one text per prompt, none of them empty".into(),
        )));
    }
    validate(prompts, config, model.vocab_size())?;
    let mut searches: Vec<Box<dyn Search>> = Vec::with_capacity(texts.len());
    for (prompt, text) in prompts.iter().zip(texts) {
        validate_tokens("a text", text, model.vocab_size())?;
        let search = ForcedSearch::new(prompt.tokens.clone(), text.clone());
        searches.push(Box::new(search));
    }
    let results = run(model, state, prompts, searches, config)?;
    Ok(results.into_iter().flatten().collect())
}

/// The one generation loop.
fn run<M: StepModel>(
    model: &M,
    mut state: M::State,
    prompts: &[Prompt],
    searches: Vec<Box<dyn Search>>,
    config: &GenerationConfig,
) -> Result<Vec<Vec<Hypothesis>>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    let vocab_size = model.vocab_size();
    let first = prompts.iter().map(|p| p.tokens.len()).min().unwrap_or(0);
    let mut items: Vec<Item> = prompts
        .iter()
        .zip(searches)
        .enumerate()
        .map(|(number, (prompt, search))| Item {
            number,
            waiting: &prompt.tokens[first..],
            search,
            processors: processors(config, prompt),
            stopping: criteria(config, prompt.tokens.len()),
        })
        .collect();
    let mut tokens: Vec<u32> = prompts
        .iter()
        .flat_map(|prompt| &prompt.tokens[..first])
        .copied()
        .collect();
    let mut results = vec![Vec::new(); prompts.len()];

    for step in 0.. {
        let rows = items.iter().map(|item| item.search.rows().len()).sum();
        if rows == 0 {
            break;
        }
        let mut logits = model
            .step(TokenBatch::new(&tokens, rows), &mut state)
            .map_err(|source| GenerateError::Model { step, source })?;
        if logits.len() != rows * vocab_size {
            return Err(GenerateError::WrongSize {
                step,
                found: logits.len(),
                expected: rows * vocab_size,
                rows,
            });
        }

        tokens.clear();
        let mut parents = Vec::with_capacity(rows);
        let mut live = Vec::with_capacity(items.len());
        let mut rest = logits.as_mut_slice();
        let mut first_row = 0;
        for mut item in items {
            let item_rows = item.search.rows().len();
            let (scores, others) = rest.split_at_mut(item_rows * vocab_size);
            rest = others;
            let continued = item
                .advance(scores, vocab_size, &mut tokens)
                .map_err(|row| GenerateError::NotFinite {
                    step,
                    row: first_row + row,
                })?;
            if continued.is_empty() {
                let prompt = item.number;
                results[prompt] = item.search.finish();
                if results[prompt].is_empty() {
                    return Err(GenerateError::NothingPossible { prompt, step });
                }
            } else {
                parents.extend(continued.iter().map(|row| first_row + row));
                live.push(item);
            }
            first_row += item_rows;
        }
        items = live;
        let all_go_on_as_themselves = parents.iter().copied().eq(0..rows);
        if !all_go_on_as_themselves && !parents.is_empty() {
            model
                .select_rows(&mut state, &parents)
                .map_err(|source| GenerateError::Model { step, source })?;
        }
    }
    Ok(results)
}

impl Item<'_> {
    /// Chooses what comes next from the scores of this item's rows and appends it to `tokens`.
    /// Returns which of its rows each new row continues, or the first row whose scores are unusable.
    fn advance(
        &mut self,
        scores: &mut [f32],
        vocab_size: usize,
        tokens: &mut Vec<u32>,
    ) -> Result<Vec<usize>, usize> {
        if let Some((next, waiting)) = self.waiting.split_first() {
            tokens.push(*next);
            self.waiting = waiting;
            return Ok(vec![0]);
        }
        let rows = self.search.rows().iter().zip(scores.chunks_mut(vocab_size));
        for (number, (row, scores)) in rows.enumerate() {
            let usable = if self.search.processes_log_probs() {
                log_softmax(scores)
            } else {
                is_usable(scores)
            };
            if !usable {
                return Err(number);
            }
            for processor in &self.processors {
                processor.process(&row.tokens, scores);
            }
        }
        let old_rows = self.search.rows().len();
        let parents = self.search.advance(scores, vocab_size, &self.stopping);
        if !parents.is_empty() {
            let rows = self.search.rows();
            assert!(
                parents.len() == rows.len() && parents.iter().all(|parent| *parent < old_rows),
                "a search with {old_rows} rows says that its {} new ones continue rows {parents:?}",
                rows.len()
            );
            tokens.extend(rows.iter().filter_map(|row| row.tokens.last()));
        }
        Ok(parents)
    }
}

/// Checks the prompts and every token of the options against the vocabulary.
fn validate(
    prompts: &[Prompt],
    config: &GenerationConfig,
    vocab_size: usize,
) -> Result<(), ConfigError> {
    let forced_eos = &config.forced_eos_token_id;
    for prompt in prompts {
        if prompt.tokens.is_empty() {
            return Err(ConfigError::Invalid(
                "a prompt is empty, expected at least a start token".into(),
            ));
        }
        config.validate(prompt.tokens.len())?;
        let forced_bos = prompt.forced_bos_token_id.or(config.forced_bos_token_id);
        validate_tokens("a prompt", &prompt.tokens, vocab_size)?;
        validate_tokens("forced_bos_token_id", forced_bos.as_slice(), vocab_size)?;
        validate_tokens("forced_eos_token_id", forced_eos, vocab_size)?;
        for (name, tokens) in [
            ("suppress_tokens", &config.suppress_tokens),
            ("begin_suppress_tokens", &config.begin_suppress_tokens),
        ] {
            validate_tokens(name, tokens, vocab_size)?;
        }
        for word in &config.bad_words_ids {
            validate_tokens("bad_words_ids", word, vocab_size)?;
        }
    }
    Ok(())
}

/// Checks that there is a search behind every prompt.
fn validate_searches(searches: &[Box<dyn Search>], prompts: &[Prompt]) -> Result<(), ConfigError> {
    let begins_with = |search: &dyn Search, prompt: &Prompt| matches!(search.rows(), [row] if row.tokens == prompt.tokens);
    let fit = searches.len() == prompts.len()
        && searches
            .iter()
            .zip(prompts)
            .all(|(search, prompt)| begins_with(search.as_ref(), prompt));
    match fit {
        true => Ok(()),
        false => Err(ConfigError::Invalid(format!(
            "{} searches for {} prompts, expected one for each that begins with one row, the prompt",
            searches.len(),
            prompts.len()
        ))),
    }
}

fn validate_tokens(name: &str, tokens: &[u32], vocab_size: usize) -> Result<(), ConfigError> {
    match tokens.iter().find(|token| **token as usize >= vocab_size) {
        None => Ok(()),
        Some(token) => Err(ConfigError::Invalid(format!(
            "{name} has token {token}, but the vocabulary ends at {}",
            vocab_size.saturating_sub(1)
        ))),
    }
}
