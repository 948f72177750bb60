//! The one generation loop.

use crate::item::{Brought, Item, items};
use crate::search::required_phrases;
use crate::{
    Event, GenerateError, Generation, Hypothesis, Observer, Prompt, Search, StepModel, TokenBatch,
};

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
    let mut watcher = Watcher::new(generation.observer.take());
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
        let mut logits = logits(model, &tokens, rows, &mut state, step)?;
        let scores = match model.scored_tokens(&state) {
            None => logits.as_mut_slice(),
            Some(scored) => scatter(&logits, scored, rows, vocab_size, &mut all_scores),
        };
        let are_needed = items.iter().any(|item| item.search.needs_hidden_states());
        let hidden_states = match are_needed {
            true => hidden_states(model, rows, &state, step)?,
            false => Vec::new(),
        };
        let width = hidden_states.len() / rows;

        tokens.clear();
        let mut parents = Vec::with_capacity(rows);
        let mut live = Vec::with_capacity(items.len());
        let mut rest = scores;
        let mut first_row = 0;
        for mut item in items {
            let item_rows = item.search.rows().len();
            let (scores, others) = rest.split_at_mut(item_rows * vocab_size);
            rest = others;
            let last_row = first_row + item_rows;
            let brought = Brought {
                scores,
                hidden_states: are_needed
                    .then(|| &hidden_states[first_row * width..last_row * width]),
                vocab_size,
                alternatives: generation.alternatives,
            };
            let continued = item.advance(brought, &mut tokens);
            let continued = continued.map_err(|row| GenerateError::NotFinite {
                step,
                row: first_row + row,
            })?;
            let is_over = continued.is_empty();
            parents.extend(continued.iter().map(|row| first_row + row));
            first_row = last_row;
            if is_over {
                let prompt = item.number;
                results[prompt] = item.search.finish();
                if results[prompt].is_empty() {
                    return Err(nothing_found(&generation, &prompts[prompt], prompt, step));
                }
                watcher.finished(prompt, &results[prompt]);
            } else {
                watcher.drafts(&item);
                live.push(item);
            }
        }
        items = live;
        if watcher.has_ended {
            break;
        }
        if !items.is_empty() {
            model.recycle(logits);
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

/// Who is told what happens, if anybody is.
struct Watcher<'o> {
    observer: Option<Box<Observer<'o>>>,
    /// Whether it was asked to stop; then it is told nothing more.
    has_ended: bool,
}

impl<'o> Watcher<'o> {
    fn new(observer: Option<Box<Observer<'o>>>) -> Self {
        Self {
            observer,
            has_ended: false,
        }
    }

    fn tell(&mut self, event: Event<'_>) {
        if let Some(observer) = self.observer.as_mut().filter(|_| !self.has_ended) {
            self.has_ended = observer(event).is_break();
        }
    }

    fn finished(&mut self, prompt: usize, hypotheses: &[Hypothesis]) {
        self.tell(Event::Finished { prompt, hypotheses });
    }

    fn drafts(&mut self, item: &Item<'_>) {
        // What waits of a prompt is no news.
        if self.observer.is_none() || !item.has_begun() {
            return;
        }
        for draft in item.search.drafts() {
            let prompt = item.number;
            self.tell(Event::Draft { prompt, draft });
        }
    }
}

/// The logits of a step, as many as they have to be.
fn logits<M: StepModel>(
    model: &M,
    tokens: &[u32],
    rows: usize,
    state: &mut M::State,
    step: usize,
) -> Result<Vec<f32>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    let logits = model
        .step(TokenBatch::new(tokens, rows), state)
        .map_err(|source| GenerateError::Model { step, source })?;
    let scored = model.scored_tokens(state).map(<[u32]>::len);
    let expected = rows * scored.unwrap_or(model.vocab_size());
    match logits.len() == expected {
        true => Ok(logits),
        false => Err(GenerateError::WrongSize {
            step,
            found: logits.len(),
            expected,
            rows,
        }),
    }
}

/// The hidden states of a step, `[rows, width]`.
fn hidden_states<M: StepModel>(
    model: &M,
    rows: usize,
    state: &M::State,
    step: usize,
) -> Result<Vec<f32>, GenerateError<M::Error>>
where
    M::Error: 'static,
{
    model
        .hidden_states(state)
        .map_err(|source| GenerateError::Model { step, source })?
        .filter(|states| !states.is_empty() && states.len().is_multiple_of(rows))
        .ok_or(GenerateError::NoHiddenStates { step, rows })
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
