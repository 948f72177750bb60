//! Models with a shortlist, and models with hidden states.

mod common;

use common::{
    Broken, END, Hashing, Telling, VOCABULARY, all, config, hidden, logits_after, prompts,
};
use generation::{
    ConfigError, GenerateError, GenerationConfig, Hypothesis, Prompt, PromptResult, StepModel,
    TokenBatch, generate,
};

/// Scores only some tokens.
struct Shortlisted;

impl StepModel for Shortlisted {
    /// Histories, and the tokens to score.
    type State = (Vec<Vec<u32>>, Vec<u32>);
    type Error = Broken;

    fn vocab_size(&self) -> usize {
        VOCABULARY
    }

    fn step(&self, tokens: TokenBatch<'_>, state: &mut Self::State) -> Result<Vec<f32>, Broken> {
        let logits = Hashing::default().step(tokens, &mut state.0)?;
        let rows = logits.chunks(VOCABULARY);
        Ok(rows
            .flat_map(|row| state.1.iter().map(|token| row[*token as usize]))
            .collect())
    }

    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Broken> {
        Hashing::default().select_rows(&mut state.0, parents)
    }

    fn scored_tokens<'s>(&self, state: &'s Self::State) -> Option<&'s [u32]> {
        Some(&state.1)
    }
}

fn run_shortlisted(
    tokens: &[u32],
    prompts: &[Prompt],
    config: &GenerationConfig,
) -> Result<Vec<PromptResult>, GenerateError<Broken>> {
    let state = (vec![Vec::new(); prompts.len()], tokens.to_vec());
    generate(&Shortlisted, state, prompts, config)
}

#[test]
fn a_shortlist_writes_what_masking_all_others_does() {
    let tokens = [END, 3, 4, 8, 9];
    let prompts = prompts(30);
    for config in [
        config(1, 12),
        GenerationConfig {
            repetition_penalty: 1.3,
            no_repeat_ngram_size: 2,
            ..config(4, 12)
        },
        GenerationConfig {
            do_sample: true,
            top_k: 3,
            ..config(1, 12)
        },
    ] {
        // Not suppress_tokens, which leaves their share of the probability with them.
        let masked = generate(&Masked(&tokens), vec![Vec::new(); 30], &prompts, &config).unwrap();
        let found = run_shortlisted(&tokens, &prompts, &config).unwrap();
        assert_eq!(found, masked);
        let mut all = found
            .iter()
            .flatten()
            .flatten()
            .flat_map(Hypothesis::generated_tokens);
        assert!(all.all(|token| tokens.contains(token)));
    }
}

/// All tokens but these have logits of minus infinity.
struct Masked<'a>(&'a [u32]);

impl StepModel for Masked<'_> {
    type State = Vec<Vec<u32>>;
    type Error = Broken;

    fn vocab_size(&self) -> usize {
        VOCABULARY
    }

    fn step(&self, tokens: TokenBatch<'_>, state: &mut Self::State) -> Result<Vec<f32>, Broken> {
        let mut logits = Hashing::default().step(tokens, state)?;
        for row in logits.chunks_mut(VOCABULARY) {
            for (token, logit) in (0..).zip(row) {
                if !self.0.contains(&token) {
                    *logit = f32::NEG_INFINITY;
                }
            }
        }
        Ok(logits)
    }

    fn select_rows(&self, state: &mut Self::State, parents: &[usize]) -> Result<(), Broken> {
        Hashing::default().select_rows(state, parents)
    }
}

#[test]
fn unusable_shortlists_are_errors_that_say_why() {
    for (tokens, message) in [
        (&[3, 4][..], "lacks eos_token_id 1"),
        (&[1, 4, 3], "do not ascend"),
        (&[1, 4, 4], "do not ascend"),
        (&[1, 11], "token 11"),
        (&[], "has no tokens"),
    ] {
        let error = run_shortlisted(tokens, &prompts(1), &config(1, 9)).unwrap_err();
        assert!(matches!(
            error,
            GenerateError::Config(
                ConfigError::ShortlistLacksEnd { token: 1 }
                    | ConfigError::UnknownToken { token: 11, .. }
                    | ConfigError::Malformed { .. }
            )
        ));
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// A direct implementation of the definition, which tries every candidate at every step.
fn contrastive(start: u32, alpha: f32, top_k: usize, max_length: usize) -> Vec<u32> {
    let mut text = vec![start];
    let mut context = vec![hidden(&text)];
    while text.len() < max_length && (text.len() == 1 || text.last() != Some(&END)) {
        let logits = logits_after(&text);
        let sum: f32 = logits.iter().map(|l| l.exp()).sum();
        let mut order: Vec<u32> = (0..VOCABULARY as u32).collect();
        order.sort_by(|a, b| logits[*b as usize].total_cmp(&logits[*a as usize]));
        let score = |token: u32| {
            let state = hidden(&[text.clone(), vec![token]].concat());
            let alike = context
                .iter()
                .map(|before| before[0] * state[0] + before[1] * state[1])
                .fold(f32::MIN, f32::max);
            (1.0 - alpha) * logits[token as usize].exp() / sum - alpha * alike
        };
        let best = order[..top_k]
            .iter()
            .copied()
            .max_by(|a, b| score(*a).total_cmp(&score(*b)))
            .unwrap();
        text.push(best);
        context.push(hidden(&text));
    }
    text
}

#[test]
fn contrastive_search_avoids_similar_tokens() {
    let prompts: Vec<Prompt> = (0..11).map(|token| Prompt::new(vec![token])).collect();
    let mut different = 0;
    for (alpha, top_k) in [(0.2, 4), (0.6, 3), (0.9, 6)] {
        let contrasting = GenerationConfig {
            penalty_alpha: Some(alpha),
            top_k,
            ..config(1, 10)
        };
        let found = generate(
            &Telling::default(),
            vec![Vec::new(); 11],
            &prompts,
            &contrasting,
        )
        .unwrap();
        let greedy = generate(
            &Telling::default(),
            vec![Vec::new(); 11],
            &prompts,
            &config(1, 10),
        )
        .unwrap();
        for ((found, greedy), start) in all(found).iter().zip(&all(greedy)).zip(0..) {
            let expected = contrastive(start, alpha as f32, top_k, 10);
            assert_eq!(found[0].tokens, expected);
            different += usize::from(found[0].tokens != greedy[0].tokens);
        }
    }
    assert!(different > 15, "{different}");
}

#[test]
fn contrastive_search_needs_hidden_states() {
    let config = GenerationConfig {
        penalty_alpha: Some(0.6),
        top_k: 3,
        ..config(1, 10)
    };
    let error = generate(&Hashing::default(), vec![vec![]], &prompts(1), &config).unwrap_err();
    assert!(matches!(
        error,
        GenerateError::NoHiddenStates { step: 0, rows: 1 }
    ));
    assert!(error.to_string().contains("penalty_alpha"), "{error}");
}
