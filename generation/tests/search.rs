//! The loop and the strategies, with a model whose logits depend on the whole history of a row.

mod common;

use common::{
    Broken, END, Fault, Hashing, VOCABULARY, config, log_prob, logits_after, prompts, run,
};
use generation::{
    EarlyStopping, GenerateError, GenerationConfig, Prompt, PromptError, generate, score,
};

#[test]
fn greedy_search_takes_the_most_likely_token_until_the_end() {
    for prompt in prompts(20) {
        let found = &run(std::slice::from_ref(&prompt), &config(1, 9))[0][0];
        let mut expected = prompt.tokens;
        while expected.len() < 9 && (expected.len() == 2 || expected.last() != Some(&END)) {
            let logits = logits_after(&expected);
            let best = logits.iter().copied().fold(f32::MIN, f32::max);
            expected.push(logits.iter().position(|l| *l == best).unwrap() as u32);
        }
        assert_eq!(found.tokens, expected);
        let mean = log_prob(&expected, 2) / (expected.len() - 2) as f32;
        assert!((found.score - mean).abs() < 1e-5);
    }
}

#[test]
fn enough_beams_find_the_most_likely_text_of_all() {
    // The prompt and up to two more tokens: few enough texts to try them all.
    let config = GenerationConfig {
        length_penalty: 0.0,
        early_stopping: EarlyStopping::Never,
        ..config(150, 4)
    };
    for prompt in prompts(20) {
        let found = &run(std::slice::from_ref(&prompt), &config)[0][0];
        let start = prompt.tokens;
        let tokens = 0..VOCABULARY as u32;
        let best = tokens
            .clone()
            .flat_map(|a| match a {
                END => vec![vec![END]],
                _ => tokens.clone().map(|b| vec![a, b]).collect(),
            })
            .map(|text| [start.clone(), text].concat())
            .max_by(|a, b| log_prob(a, 2).total_cmp(&log_prob(b, 2)))
            .unwrap();
        assert_eq!(found.tokens, best);
        assert!((found.score - log_prob(&best, 2)).abs() < 1e-5);
    }
}

#[test]
fn scores_are_those_of_the_tokens_best_first() {
    let config = GenerationConfig {
        num_return_sequences: 5,
        length_penalty: 0.7,
        ..config(5, 12)
    };
    for found in run(&prompts(30), &config) {
        assert_eq!(found.len(), 5);
        assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        for hypothesis in found {
            let sum: f32 = hypothesis.token_log_probs.iter().sum();
            assert!((sum - log_prob(&hypothesis.tokens, 2)).abs() < 1e-4);
            let generated = hypothesis.generated_tokens().len() as f32;
            assert!((hypothesis.score - sum / generated.powf(0.7)).abs() < 1e-5);
        }
    }
}

#[test]
fn prompts_of_a_batch_are_continued_as_if_alone() {
    for early_stopping in [
        EarlyStopping::Heuristic,
        EarlyStopping::FirstFinished,
        EarlyStopping::Never,
    ] {
        for num_beams in [1, 2, 4] {
            let config = GenerationConfig {
                early_stopping,
                ..config(num_beams, 15)
            };
            let prompts = prompts(40);
            let lengths: Vec<usize> = run(&prompts, &config)
                .iter()
                .zip(&prompts)
                .map(|(together, prompt)| {
                    assert_eq!(together, &run(std::slice::from_ref(prompt), &config)[0]);
                    together[0].tokens.len()
                })
                .collect();
            // Otherwise nothing would have left the batch early.
            assert!(lengths.iter().min() < lengths.iter().max());
        }
    }
}

#[test]
fn prompts_of_different_lengths_are_continued_as_if_alone() {
    let prompts: Vec<Prompt> = [vec![3], vec![3, 4, 5, 6], vec![7, 7], vec![2]]
        .map(Prompt::new)
        .to_vec();
    for num_beams in [1, 3] {
        let config = GenerationConfig {
            max_new_tokens: Some(6),
            ..config(num_beams, 0)
        };
        for (together, prompt) in run(&prompts, &config).iter().zip(&prompts) {
            assert_eq!(together, &run(std::slice::from_ref(prompt), &config)[0]);
        }
    }
}

#[test]
fn each_prompt_may_have_its_own_first_token() {
    let config = GenerationConfig {
        forced_bos_token_id: Some(9),
        forced_eos_token_id: vec![END],
        ..config(3, 6)
    };
    let prompts = [
        Prompt::new(vec![2]),
        Prompt::new(vec![2]).with_forced_bos_token_id(8),
    ];
    let found = run(&prompts, &config);
    assert_eq!(found[0][0].tokens[..2], [2, 9]);
    assert_eq!(found[1][0].tokens[..2], [2, 8]);
    assert_eq!(found[0][0].token_log_probs[0], 0.0);
    for found in &found {
        assert_eq!(found[0].tokens.last(), Some(&END));
    }
}

#[test]
fn no_text_ends_before_its_shortest_length() {
    let config = GenerationConfig {
        min_length: 8,
        ..config(3, 12)
    };
    for found in run(&prompts(30), &config) {
        let generated = found[0].generated_tokens();
        let end = generated.iter().position(|token| *token == END);
        assert!(end.is_none_or(|place| place + 2 >= 8));
    }
}

#[test]
fn a_given_text_is_as_likely_as_when_it_was_found() {
    let config = config(1, 12);
    let prompts = prompts(12);
    let found = run(&prompts, &config);
    let texts: Vec<Vec<u32>> = found
        .iter()
        .map(|found| found[0].generated_tokens().to_vec())
        .collect();
    let state = vec![Vec::new(); prompts.len()];
    let scored = score(&Hashing::default(), state, &prompts, &texts, &config).unwrap();
    for (scored, found) in scored.iter().zip(&found) {
        let scored = scored.as_ref().unwrap();
        assert_eq!(scored.tokens, found[0].tokens);
        assert_eq!(scored.token_log_probs, found[0].token_log_probs);
    }
    // A text may go on after the end token, and be longer than a generated one.
    let long = vec![vec![END; 30]];
    let scored = score(
        &Hashing::default(),
        vec![vec![]],
        &prompts[..1],
        &long,
        &config,
    )
    .unwrap();
    let scored = scored[0].as_ref().unwrap();
    let expected = log_prob(&scored.tokens, 2);
    assert!((scored.sum() - expected).abs() < 1e-3);
    assert!((scored.score - expected / 30.0).abs() < 1e-4, "per token");
    for texts in [vec![], vec![vec![]], vec![vec![11]]] {
        let result = score(
            &Hashing::default(),
            vec![vec![]],
            &prompts[..1],
            &texts,
            &config,
        );
        assert!(matches!(result, Err(GenerateError::Config(_))));
    }
}

#[test]
fn a_model_that_misbehaves_is_an_error_that_says_where() {
    let run = |fault| {
        let model = Hashing {
            fault: Some((2, fault)),
        };
        let prompts = [Prompt::new(vec![5]), Prompt::new(vec![6])];
        let config = GenerationConfig {
            min_length: 9,
            ..config(2, 9)
        };
        generate(&model, vec![Vec::new(); 2], &prompts, &config)
    };
    assert!(matches!(
        run(Fault::Error),
        Err(GenerateError::Model {
            step: 2,
            source: Broken
        })
    ));
    for fault in [Fault::NotANumber, Fault::Infinity] {
        let results = run(fault).unwrap();
        assert!(results[0].is_ok());
        assert_eq!(results[1], Err(PromptError::NotFinite { step: 2, row: 1 }));
    }
    assert!(matches!(
        run(Fault::OneRowShort),
        Err(GenerateError::WrongSize {
            step: 2,
            found: 33,
            expected: 44,
            rows: 4
        })
    ));
}

#[test]
fn impossible_options_are_errors_before_any_work() {
    let model = Hashing {
        fault: Some((0, Fault::Error)),
    };
    let prompt = || vec![Prompt::new(vec![5])];
    for (prompts, config) in [
        (prompt(), config(0, 9)),
        (prompt(), config(2, 1)),
        (vec![Prompt::default()], config(2, 9)),
        (vec![Prompt::new(vec![11])], config(2, 9)),
        (
            vec![Prompt::new(vec![5]).with_forced_bos_token_id(11)],
            config(2, 9),
        ),
    ] {
        let result = generate(&model, vec![Vec::new()], &prompts, &config);
        assert!(matches!(result, Err(GenerateError::Config(_))));
    }
    assert!(
        generate(&model, vec![], &[], &config(2, 9))
            .unwrap()
            .is_empty()
    );
}
