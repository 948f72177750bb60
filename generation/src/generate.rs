//! The one generation loop.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crate::numeric::{is_usable, log_softmax};
use crate::processor::{AllowedTokens, Extra, ForbiddenPhrase, processors_with};
use crate::search::{Step, required_phrases};
use crate::stopping::{MaxTime, StoppingCriteria};
use crate::{
    Event, GenerateError, Generation, Hypothesis, LogitsProcessor, Phrase, Prompt, Search,
    StepModel, TokenBatch,
};

/// A prompt that is still being continued.
struct Item<'a> {
    number: usize,
    /// Tokens of a prompt longer than the shortest that the model has not been fed. They are fed
    /// step by step, so that all rows always have the same length.
    waiting: &'a [u32],
    search: Box<dyn Search>,
    processors: Vec<Arc<dyn LogitsProcessor>>,
    stopping: StoppingCriteria,
}

/// What a step has brought for the rows of one item.
struct Brought<'a> {
    /// `[rows, vocab_size]`
    scores: &'a mut [f32],
    /// `[rows, width]`
    hidden_states: Option<&'a [f32]>,
    vocab_size: usize,
    /// How many alternatives of each row are asked for.
    alternatives: usize,
}

/// Feeds the model, lets searches choose, and lets finished prompts leave, until none is left.
pub(crate) fn run<M: StepModel>(
    mut generation: Generation<'_>,
    model: &M,
    mut state: M::State,
    prompts: &[Prompt],
    searches: Vec<Box<dyn Search>>,
) -> Result<Vec<Vec<Hypothesis>>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    let vocab_size = model.vocab_size();
    let first = prompts.iter().map(|p| p.tokens.len()).min().unwrap_or(0);
    let mut items = items(&mut generation, prompts, searches, first);
    let mut observer = generation.observer.take();
    let mut tokens: Vec<u32> = prompts
        .iter()
        .flat_map(|prompt| &prompt.tokens[..first])
        .copied()
        .collect();
    let mut results = vec![Vec::new(); prompts.len()];
    let mut all_scores = Vec::new();

    for step in 0.. {
        let rows = items.iter().map(|item| item.search.rows().len()).sum();
        if rows == 0 {
            break;
        }
        let mut logits = model
            .step(TokenBatch::new(&tokens, rows), &mut state)
            .map_err(|source| GenerateError::Model { step, source })?;
        let scored = model.scored_tokens(&state);
        let expected = rows * scored.map_or(vocab_size, <[u32]>::len);
        if logits.len() != expected {
            return Err(GenerateError::WrongSize {
                step,
                found: logits.len(),
                expected,
                rows,
            });
        }
        let scores = match scored {
            None => logits.as_mut_slice(),
            Some(scored) => scatter(&logits, scored, rows, vocab_size, &mut all_scores),
        };
        let hidden_states = match items.iter().any(|item| item.search.needs_hidden_states()) {
            false => None,
            true => model
                .hidden_states(&state)
                .map_err(|source| GenerateError::Model { step, source })?
                .filter(|states| !states.is_empty() && states.len().is_multiple_of(rows))
                .ok_or(GenerateError::NoHiddenStates { step, rows })
                .map(Some)?,
        };

        tokens.clear();
        let mut parents = Vec::with_capacity(rows);
        let mut live = Vec::with_capacity(items.len());
        let mut rest = scores;
        let mut first_row = 0;
        let mut goes_on = ControlFlow::Continue(());
        for mut item in items {
            let item_rows = item.search.rows().len();
            let (scores, others) = rest.split_at_mut(item_rows * vocab_size);
            rest = others;
            let brought = Brought {
                scores,
                hidden_states: hidden_states.as_deref().map(|states| {
                    let width = states.len() / rows;
                    &states[first_row * width..(first_row + item_rows) * width]
                }),
                vocab_size,
                alternatives: generation.alternatives,
            };
            let continued =
                item.advance(brought, &mut tokens)
                    .map_err(|row| GenerateError::NotFinite {
                        step,
                        row: first_row + row,
                    })?;
            let is_over = continued.is_empty();
            parents.extend(continued.iter().map(|row| first_row + row));
            first_row += item_rows;
            if is_over {
                let prompt = item.number;
                results[prompt] = item.search.finish();
                if results[prompt].is_empty() {
                    return Err(nothing_found(&generation, &prompts[prompt], prompt, step));
                }
                if let Some(observer) = &mut observer
                    && goes_on.is_continue()
                {
                    let hypotheses = &results[prompt];
                    goes_on = observer(Event::Finished { prompt, hypotheses });
                }
                continue;
            }
            // What waits of a prompt is no news.
            let drafts = match &observer {
                Some(_) if item.has_begun() => item.search.drafts(),
                _ => Vec::new(),
            };
            for draft in drafts {
                if let Some(observer) = &mut observer
                    && goes_on.is_continue()
                {
                    let prompt = item.number;
                    goes_on = observer(Event::Draft { prompt, draft });
                }
            }
            live.push(item);
        }
        items = live;
        if goes_on.is_break() {
            break;
        }
        let all_go_on_as_themselves = parents.iter().copied().eq(0..rows);
        if !all_go_on_as_themselves && !parents.is_empty() {
            model
                .select_rows(&mut state, &parents)
                .map_err(|source| GenerateError::Model { step, source })?;
        }
    }
    // Nothing is left unless an observer has ended it.
    for item in items {
        results[item.number] = item.search.finish();
    }
    Ok(results)
}

/// What every prompt is continued with.
fn items<'p>(
    generation: &mut Generation<'_>,
    prompts: &'p [Prompt],
    searches: Vec<Box<dyn Search>>,
    first: usize,
) -> Vec<Item<'p>> {
    let config = &generation.config;
    let limit = config.max_time.map(Duration::try_from_secs_f64);
    if let Some(Ok(limit)) = limit {
        generation.stopping.push(Arc::new(MaxTime::new(limit)));
    }
    let mut forbidden = ForbiddenPhrases::default();
    let prompts = prompts.iter().zip(searches).enumerate();
    prompts
        .map(|(number, (prompt, search))| {
            let stopping = StoppingCriteria::of(
                &generation.config,
                prompt.tokens.len(),
                generation.vocabulary.as_ref(),
                &generation.stopping,
            );
            let extra = Extra {
                forbidden: forbidden.of(prompt, &stopping, generation),
                allowed: generation
                    .allowed
                    .clone()
                    .map(|allowed| AllowedTokens::shared(number, allowed)),
                custom: generation.processors.clone(),
            };
            Item {
                number,
                waiting: &prompt.tokens[first..],
                search,
                processors: processors_with(&generation.config, prompt, extra),
                stopping,
            }
        })
        .collect()
}

/// Processors of forbidden phrases, each made once for all prompts: making one looks through the
/// vocabulary.
#[derive(Default)]
struct ForbiddenPhrases(Vec<(Phrase, usize, Arc<ForbiddenPhrase>)>);

impl ForbiddenPhrases {
    fn of(
        &mut self,
        prompt: &Prompt,
        stopping: &StoppingCriteria,
        generation: &Generation<'_>,
    ) -> Vec<Arc<dyn LogitsProcessor>> {
        let config = &generation.config;
        // Where the last token is forced, a word has to be over before it.
        let forced = usize::from(!config.forced_eos_token_id.is_empty());
        let longest = config.longest(prompt.tokens.len()) - forced;
        let one = |phrase: &Phrase| {
            let is_it =
                |(known, length, _): &&(Phrase, usize, _)| (known, *length) == (phrase, longest);
            if let Some((_, _, known)) = self.0.iter().find(is_it) {
                return known.clone() as Arc<dyn LogitsProcessor>;
            }
            let vocabulary = generation.vocabulary.clone().unwrap_or_default();
            let processor = Arc::new(ForbiddenPhrase::new(
                phrase,
                vocabulary,
                longest,
                stopping.clone(),
            ));
            self.0.push((phrase.clone(), longest, processor.clone()));
            processor
        };
        prompt.forbidden.iter().map(one).collect()
    }
}

/// Puts the logits of some tokens in their places; all others are impossible.
fn scatter<'s>(
    logits: &[f32],
    scored: &[u32],
    rows: usize,
    vocab_size: usize,
    all_scores: &'s mut Vec<f32>,
) -> &'s mut [f32] {
    all_scores.clear();
    all_scores.resize(rows * vocab_size, f32::NEG_INFINITY);
    for (row, logits) in all_scores
        .chunks_mut(vocab_size)
        .zip(logits.chunks(scored.len()))
    {
        for (token, logit) in scored.iter().zip(logits) {
            row[*token as usize] = *logit;
        }
    }
    all_scores
}

fn nothing_found<E: std::error::Error + 'static>(
    generation: &Generation<'_>,
    of: &Prompt,
    prompt: usize,
    step: usize,
) -> GenerateError<E> {
    match required_phrases(&generation.config, of).len() {
        0 => GenerateError::NothingPossible { prompt, step },
        phrases => GenerateError::PhrasesMissing {
            prompt,
            phrases,
            step,
        },
    }
}

impl Item<'_> {
    fn has_begun(&self) -> bool {
        let rows = self.search.rows();
        rows.iter().any(|row| !row.token_log_probs.is_empty())
    }

    /// Chooses what comes next from the scores of this item's rows and appends it to `tokens`.
    /// Returns which of its rows each new row continues, or the first row whose scores are unusable.
    fn advance(
        &mut self,
        brought: Brought<'_>,
        tokens: &mut Vec<u32>,
    ) -> Result<Vec<usize>, usize> {
        if let Some((next, waiting)) = self.waiting.split_first() {
            tokens.push(*next);
            self.waiting = waiting;
            return Ok(vec![0]);
        }
        let Brought {
            scores, vocab_size, ..
        } = brought;
        let are_logits = !self.search.processes_log_probs();
        let (now, later) = match self.search.runs_processors() {
            true => (&[][..], self.processors.as_slice()),
            false => (self.processors.as_slice(), &[][..]),
        };
        let rows = self.search.rows().iter().zip(scores.chunks_mut(vocab_size));
        for (number, (row, scores)) in rows.enumerate() {
            let usable = match are_logits {
                true => is_usable(scores),
                false => log_softmax(scores),
            };
            if !usable {
                return Err(number);
            }
            for processor in now {
                processor.process(&row.tokens, scores);
            }
        }
        self.stopping.begin_step();
        let old_rows = self.search.rows().len();
        let step = Step::new(scores, vocab_size, &self.stopping)
            .with_processors(later)
            .with_alternatives(brought.alternatives, are_logits)
            .with_hidden_states(brought.hidden_states);
        let parents = self.search.advance(step);
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
