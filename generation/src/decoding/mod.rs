//! The one generation loop, as a value.

mod batch;
mod item;
mod model_step;
mod watcher;

use batch::Batch;
use item::{Item, Shared};
use model_step::ModelStep;
use watcher::Watcher;

use crate::options::Options;
use crate::{GenerateError, Generation, Prompt, PromptResult, Search, StepModel};

/// Prompts under way, of one or many calls: the generation loop as a value, for code that drives the steps
/// itself, such as a server.
///
/// Calls of different options share each step of the model. A call can join between any two steps, if the model
/// [can do that](StepModel::can_join), and each of its prompts leaves as soon as it is over. A result does not
/// depend on the other prompts, nor on when its call joined, as long as the model's rows do not depend on each
/// other.
///
/// ```
/// # use generation::{Decoding, Generation, GenerationConfig, Prompt, StepModel, TokenBatch};
/// # struct Counter;
/// # impl StepModel for Counter {
/// #     type State = ();
/// #     type Error = std::convert::Infallible;
/// #     fn vocab_size(&self) -> usize { 10 }
/// #     fn step(&self, tokens: TokenBatch<'_>, _: &mut ()) -> Result<Vec<f32>, Self::Error> {
/// #         let score = |row, next| if next == tokens.last(row) as usize + 1 { 0.0 } else { -9.0 };
/// #         Ok((0..tokens.rows()).flat_map(|row| (0..10).map(move |next| score(row, next))).collect())
/// #     }
/// #     fn select_rows(&self, _: &mut (), _: &[usize]) -> Result<(), Self::Error> { Ok(()) }
/// #     fn can_join(&self, _: &(), _: &()) -> bool { true }
/// #     fn join(&self, _: &mut (), _: ()) -> Result<(), Self::Error> { Ok(()) }
/// # }
/// # let (model, state, other_state) = (Counter, (), ());
/// let config = GenerationConfig { eos_token_id: vec![5], ..GenerationConfig::default() };
/// let mut decoding = Decoding::new(&model);
/// let first = decoding.add(Generation::new(config.clone()), state, &[Prompt::new(vec![0])])?;
/// decoding.step()?;
/// let second = decoding.add(Generation::new(config), other_state, &[Prompt::new(vec![3])])?;
/// while !decoding.is_empty() {
///     for ended in decoding.step()? {
///         let text = &ended.result.unwrap()[0];
///         assert!(ended.call == first || ended.call == second);
///         assert_eq!(text.tokens.last(), Some(&5));
///     }
/// }
/// # Ok::<(), generation::GenerateError<std::convert::Infallible>>(())
/// ```
pub struct Decoding<'m, 'o, M: StepModel> {
    model: &'m M,
    /// Of all rows; `None` while there are none.
    state: Option<M::State>,
    batch: Batch<'o>,
    /// Whether the model is fed as many tokens at the first step as all prompts have.
    feeds_prompts_at_once: bool,
    calls: u64,
    /// Steps that have succeeded.
    steps: usize,
    /// Memory for the scores of the whole vocabulary, if the model scores a shortlist.
    scattered: Vec<f32>,
}

/// A call of a [`Decoding`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call(u64);

/// A prompt that is over, and has left its [`Decoding`].
#[derive(Debug)]
pub struct Ended {
    /// Its call.
    pub call: Call,
    /// Its index in the call.
    pub prompt: usize,
    /// Its texts, or why it has none.
    pub result: PromptResult,
}

impl<'m, 'o, M: StepModel> Decoding<'m, 'o, M> {
    /// A loop without prompts.
    ///
    /// The model is fed prompts token by token, so that a result is the same, bit for bit, whenever its call joined.
    pub fn new(model: &'m M) -> Self {
        Self {
            model,
            state: None,
            batch: Batch::default(),
            feeds_prompts_at_once: false,
            calls: 0,
            steps: 0,
            scattered: Vec::new(),
        }
    }

    /// A loop for one call, whose prompts are fed in one step as far as they are equally long.
    pub(crate) fn of_one_call(model: &'m M) -> Self {
        Self {
            feeds_prompts_at_once: true,
            ..Self::new(model)
        }
    }

    /// Whether no prompt is under way.
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// The number of rows that the next step feeds.
    pub fn rows(&self) -> usize {
        self.batch.rows()
    }

    /// Whether a call with this state can be [added](Self::add) now.
    pub fn accepts(&self, state: &M::State) -> bool {
        let running = self.state.as_ref();
        running.is_none_or(|running| self.model.can_join(running, state))
    }

    /// Adds the prompts of a call, with everything that [`Generation::run`] has. `state` has one row per prompt, in
    /// their order, that the model has been fed nothing of.
    ///
    /// The observer of the call is told of its own prompts only, and ends only those.
    ///
    /// # Errors
    /// [`GenerateError::Config`] if options contradict each other or the prompts, and
    /// [`GenerateError::CannotJoin`] if the state is not one that the loop [accepts](Self::accepts); other calls go
    /// on. [`GenerateError::Model`] ends all calls.
    pub fn add(
        &mut self,
        generation: Generation<'o>,
        state: M::State,
        prompts: &[Prompt],
    ) -> Result<Call, GenerateError<M::Error>> {
        let (generation, searches) = generation.prepare(self.model, &state, prompts)?;
        self.begin(generation, state, prompts, searches)
    }

    /// Adds prompts that have been validated. `searches[i]` is that of `prompts[i]`.
    pub(crate) fn begin(
        &mut self,
        mut generation: Generation<'o>,
        state: M::State,
        prompts: &[Prompt],
        searches: Vec<Box<dyn Search>>,
    ) -> Result<Call, GenerateError<M::Error>> {
        let call = Call(self.calls);
        self.calls += 1;
        if prompts.is_empty() {
            return Ok(call);
        }
        if !self.accepts(&state) {
            return Err(GenerateError::CannotJoin);
        }
        let watcher = Watcher::new(generation.observer.take());
        // The rest of each prompt follows step by step, so that all rows are always fed equally many tokens.
        let fed = match self.feeds_prompts_at_once {
            true => prompts.iter().map(|p| p.tokens.len()).min().unwrap_or(1),
            false => 1,
        };
        let mut shared = Shared::default();
        let items = prompts.iter().zip(searches).enumerate();
        let items = items.map(|(index, (prompt, search))| {
            let options = Options::new(&generation, index, prompt);
            Item::new(call, index, prompt, fed, &options, search, &mut shared)
        });
        let items = items.collect();
        let tokens = prompts.iter().flat_map(|prompt| &prompt.tokens[..fed]);
        match &mut self.state {
            None => self.state = Some(state),
            Some(running) => {
                let joined = self.model.join(running, state);
                self.or_end(joined)?;
            }
        }
        self.batch.add(call, items, tokens.copied(), watcher);
        Ok(call)
    }

    /// Feeds the model and lets each search choose. Returns the prompts that are over.
    ///
    /// # Errors
    /// [`GenerateError`] if the model fails, returns the wrong number of logits, or has no hidden states for
    /// contrastive search. That ends all calls, without results.
    ///
    /// # Panics
    /// If a custom search returns parents that break the contract of [`Search::advance`].
    pub fn step(&mut self) -> Result<Vec<Ended>, GenerateError<M::Error>> {
        let Some(mut state) = self.state.take() else {
            return Ok(Vec::new());
        };
        // Without a state again after an error.
        match self.step_with(&mut state) {
            Ok(over) => {
                self.steps += 1;
                self.state = (!self.is_empty()).then_some(state);
                Ok(over)
            }
            Err(error) => {
                self.batch = Batch::default();
                Err(error)
            }
        }
    }

    fn step_with(&mut self, state: &mut M::State) -> Result<Vec<Ended>, GenerateError<M::Error>> {
        let step = ModelStep {
            model: self.model,
            rows: self.batch.rows(),
            step: self.steps,
        };
        let mut logits = step.logits(self.batch.tokens(), state)?;
        let hidden_states = match self.batch.needs_hidden_states() {
            true => step.hidden_states(state)?,
            false => Vec::new(),
        };
        let scores = match self.model.scored_tokens(state) {
            None => logits.as_mut_slice(),
            Some(scored) => step.scatter(&logits, scored, &mut self.scattered),
        };
        let vocab_size = self.model.vocab_size();
        let over = self.batch.advance(scores, vocab_size, &hidden_states);
        self.model.recycle(logits);
        if self.batch.is_empty() {
            return Ok(over);
        }
        if let Some(parents) = self.batch.parents_if_moved(step.rows) {
            self.model
                .select_rows(state, parents)
                .map_err(|source| step.failed(source))?;
        }
        Ok(over)
    }

    /// Ends a call before the next step. Returns those of its prompts that were not over, with their texts as they
    /// are.
    ///
    /// # Errors
    /// [`GenerateError::Model`] if the model fails to drop the rows. That ends all calls.
    pub fn cancel(&mut self, call: Call) -> Result<Vec<Ended>, GenerateError<M::Error>> {
        let rows = self.batch.rows();
        let over = self.batch.cancel(call);
        match (&mut self.state, self.batch.parents_if_moved(rows)) {
            (_, _) if self.batch.is_empty() => self.state = None,
            (Some(state), Some(parents)) => {
                let dropped = self.model.select_rows(state, parents);
                self.or_end(dropped)?;
            }
            _ => {}
        }
        Ok(over)
    }

    /// Ends all calls if the model has failed.
    fn or_end(&mut self, result: Result<(), M::Error>) -> Result<(), GenerateError<M::Error>> {
        let step = self.steps;
        result.map_err(|source| {
            self.state = None;
            self.batch = Batch::default();
            GenerateError::Model { step, source }
        })
    }
}
