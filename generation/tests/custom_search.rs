//! Custom searches in the generation loop.

use std::convert::Infallible;

use generation::search::Step;
use generation::{
    ConfigError, GenerateError, Generation, GenerationConfig, Hypothesis, Prompt, Search,
    StepModel, TokenBatch,
};

const VOCABULARY: usize = 12;
const END: u32 = 9;

/// The most likely token after `n` is `n + 1`, the next `n + 2`.
struct Counting;

impl StepModel for Counting {
    /// The last token of each row, to check that the right rows are continued.
    type State = Vec<Option<u32>>;
    type Error = Infallible;

    fn vocab_size(&self) -> usize {
        VOCABULARY
    }

    fn step(
        &self,
        tokens: TokenBatch<'_>,
        state: &mut Self::State,
    ) -> Result<Vec<f32>, Infallible> {
        assert_eq!(tokens.rows(), state.len());
        let mut logits = vec![0.0; tokens.rows() * VOCABULARY];
        for (row, scores) in logits.chunks_mut(VOCABULARY).enumerate() {
            let token = tokens.last(row);
            let goes_on = state[row].is_none_or(|last| last < token);
            assert!(goes_on, "row {row}: {token} after {:?}", state[row]);
            state[row] = Some(token);
            scores[token as usize + 1] = 5.0;
            scores[token as usize + 2] = 4.0;
        }
        Ok(logits)
    }

    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Infallible> {
        *state = parents.iter().map(|parent| state[*parent]).collect();
        Ok(())
    }
}

/// Begins with each of the most likely first tokens and continues greedily from there.
struct FirstTokens {
    count: usize,
    running: Vec<Hypothesis>,
    complete: Vec<Hypothesis>,
}

impl FirstTokens {
    fn boxed(count: usize, prompt: &Prompt) -> Box<dyn Search> {
        Box::new(Self {
            count,
            running: vec![Hypothesis::of_prompt(prompt.tokens.clone())],
            complete: Vec::new(),
        })
    }
}

impl Search for FirstTokens {
    fn rows(&self) -> &[Hypothesis] {
        &self.running
    }

    fn processes_log_probs(&self) -> bool {
        true
    }

    fn advance(&mut self, step: Step<'_>) -> Vec<usize> {
        let is_first = self.running[0].token_log_probs.is_empty();
        let count = if is_first { self.count } else { 1 };
        let mut parents = Vec::new();
        let mut running = Vec::new();
        for (number, row) in self.running.iter().enumerate() {
            for mut next in step.best_tokens(number, count) {
                next.score += row.score;
                let longer = step.extended(row, &next);
                if step.is_complete(&longer) {
                    self.complete.push(longer);
                } else {
                    running.push(longer);
                    parents.push(number);
                }
            }
        }
        self.running = running;
        parents
    }

    fn finish(mut self: Box<Self>) -> Vec<Hypothesis> {
        self.complete.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.complete
    }
}

fn config() -> GenerationConfig {
    GenerationConfig {
        eos_token_id: vec![END],
        max_length: Some(10),
        ..GenerationConfig::default()
    }
}

fn tokens(found: &[Hypothesis]) -> Vec<&[u32]> {
    found.iter().map(|found| found.tokens.as_slice()).collect()
}

#[test]
fn custom_searches_run_side_by_side() {
    let prompts = [
        Prompt::new(vec![5]),
        Prompt::new(vec![3]).with_forced_bos_token_id(7),
    ];
    let searches = vec![
        FirstTokens::boxed(2, &prompts[0]),
        FirstTokens::boxed(3, &prompts[1]),
    ];
    let found = Generation::new(config())
        .with_searches(searches)
        .run(&Counting, vec![None; 2], &prompts)
        .unwrap();
    let expected: [&[u32]; 2] = [&[5, 6, 7, 8, 9], &[5, 7, 8, 9]];
    assert_eq!(tokens(found[0].as_ref().unwrap()), expected);
    // Here a processor leaves one possible first token.
    assert_eq!(tokens(found[1].as_ref().unwrap()), [[3, 7, 8, 9]]);
}

#[test]
fn continuations_are_best_first_without_impossible_ones() {
    let rows: Vec<Hypothesis> = [0.0, -1.0]
        .map(|score| Hypothesis {
            score,
            ..Hypothesis::of_prompt(vec![0])
        })
        .to_vec();
    let mut scores = [-3.0, -1.0, f32::NEG_INFINITY, 0.0, -3.0, -2.0];
    let step = Step::new(&mut scores, 3);
    let found = step.best_continuations(&rows, 10);
    let found: Vec<_> = found.iter().map(|c| (c.row, c.token, c.score)).collect();
    let expected = [
        (0, 1, -1.0),
        (1, 0, -1.0),
        (0, 0, -3.0),
        (1, 2, -3.0),
        (1, 1, -4.0),
    ];
    assert_eq!(found, expected);
    assert_eq!(step.best_continuations(&rows, 2).len(), 2);
    assert_eq!((step.rows(), step.vocab_size()), (2, 3));
}

#[test]
fn each_prompt_needs_a_search_that_begins_with_it() {
    let prompts = [Prompt::new(vec![5]), Prompt::new(vec![3])];
    let search = |prompt| FirstTokens::boxed(2, prompt);
    for searches in [
        vec![search(&prompts[0])],
        vec![search(&prompts[1]), search(&prompts[0])],
    ] {
        let result = Generation::new(config()).with_searches(searches).run(
            &Counting,
            vec![None; 2],
            &prompts,
        );
        assert!(matches!(
            result,
            Err(GenerateError::Config(
                ConfigError::Count {
                    found: 1,
                    prompts: 2,
                    ..
                } | ConfigError::SearchStart { search: 0 }
            ))
        ));
    }
    let wrong = GenerationConfig {
        forced_bos_token_id: Some(VOCABULARY as u32),
        ..config()
    };
    let searches = prompts.iter().map(search).collect();
    let result =
        Generation::new(wrong)
            .with_searches(searches)
            .run(&Counting, vec![None; 2], &prompts);
    assert!(matches!(result, Err(GenerateError::Config(_))));
}

/// Continues a row that it does not have.
struct Misleading(Hypothesis);

impl Search for Misleading {
    fn rows(&self) -> &[Hypothesis] {
        std::slice::from_ref(&self.0)
    }

    fn processes_log_probs(&self) -> bool {
        false
    }

    fn advance(&mut self, _: Step<'_>) -> Vec<usize> {
        vec![1]
    }

    fn finish(self: Box<Self>) -> Vec<Hypothesis> {
        Vec::new()
    }
}

#[test]
#[should_panic(expected = "a search with 1 rows says that its 1 new ones continue rows [1]")]
fn a_search_that_continues_the_row_of_another_panics() {
    let prompts = [Prompt::new(vec![5]), Prompt::new(vec![5])];
    let row = Hypothesis::of_prompt(vec![5]);
    let searches: Vec<Box<dyn Search>> = vec![
        Box::new(Misleading(row)),
        FirstTokens::boxed(1, &prompts[1]),
    ];
    let _ =
        Generation::new(config())
            .with_searches(searches)
            .run(&Counting, vec![None; 2], &prompts);
}
