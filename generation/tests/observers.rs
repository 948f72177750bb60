//! Observers get the tokens that no longer change, and can end the generation.

mod common;

use std::ops::ControlFlow;

use common::{Hashing, all, config, prompts};
use generation::{Event, Generation, GenerationConfig, Hypothesis, Prompt};

/// The settled tokens of each text, step by step.
type Seen = Vec<Vec<Vec<u32>>>;

fn watch(
    prompts: &[Prompt],
    config: &GenerationConfig,
    texts: usize,
) -> (Seen, Vec<Vec<Hypothesis>>) {
    let mut seen: Seen = vec![Vec::new(); prompts.len() * texts];
    let mut finished: Vec<Vec<Hypothesis>> = vec![Vec::new(); prompts.len()];
    let results = Generation::new(config.clone())
        .with_observer(|event| {
            match event {
                Event::Draft { prompt, draft } => {
                    let settled = &draft.hypothesis.tokens[..draft.settled];
                    seen[prompt * texts + draft.sequence].push(settled.to_vec());
                }
                Event::Finished { prompt, hypotheses } => finished[prompt] = hypotheses.to_vec(),
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .run(
            &Hashing::default(),
            vec![Vec::new(); prompts.len()],
            prompts,
        )
        .unwrap();
    let found = all(results);
    assert_eq!(
        finished, found,
        "the observer gets the texts that are returned"
    );
    (seen, found)
}

#[test]
fn what_is_settled_never_changes() {
    let prompts = prompts(40);
    for (texts, config) in [
        (1, config(1, 12)),
        (1, config(4, 12)),
        (
            1,
            GenerationConfig {
                num_beam_groups: 2,
                diversity_penalty: 1.0,
                ..config(4, 12)
            },
        ),
        (
            1,
            GenerationConfig {
                force_words_ids: vec![vec![vec![6, 9]]],
                ..config(4, 12)
            },
        ),
        (
            3,
            GenerationConfig {
                do_sample: true,
                num_return_sequences: 3,
                ..config(1, 12)
            },
        ),
    ] {
        let (seen, found) = watch(&prompts, &config, texts);
        let mut early = 0;
        for (number, seen) in seen.iter().enumerate() {
            let end = &found[number / texts][number % texts].tokens;
            for (step, settled) in seen.iter().enumerate() {
                assert!(end.starts_with(settled), "{settled:?} became {end:?}");
                assert!(step == 0 || settled.starts_with(&seen[step - 1]));
                early += usize::from(settled.len() > 2);
            }
            assert!(
                seen.iter().all(|settled| settled.len() >= 2),
                "the prompt is settled"
            );
        }
        let grouped = config.num_beam_groups > 1;
        assert!(grouped || early > 20, "{early} of {config:?}");
    }
}

#[test]
fn greedy_search_shows_each_token_at_once() {
    let (seen, found) = watch(&prompts(1), &config(1, 12), 1);
    let lengths: Vec<usize> = seen[0].iter().map(Vec::len).collect();
    assert_eq!(lengths, (3..found[0][0].tokens.len()).collect::<Vec<_>>());
}

#[test]
fn an_observer_that_ends_the_generation_gets_the_texts_so_far() {
    for num_beams in [1, 4] {
        let config = GenerationConfig {
            min_length: 12,
            num_return_sequences: num_beams,
            ..config(num_beams, 30)
        };
        let mut steps = 0;
        let prompts = prompts(3);
        let results = Generation::new(config)
            .with_observer(|event| match event {
                Event::Draft { prompt: 2, draft } => {
                    steps = draft.hypothesis.generated_tokens().len();
                    match steps {
                        5 => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    }
                }
                _ => ControlFlow::Continue(()),
            })
            .run(&Hashing::default(), vec![Vec::new(); 3], &prompts)
            .unwrap();
        assert_eq!(steps, 5, "the observer is not called again");
        for found in all(results) {
            assert_eq!(found.len(), num_beams);
            assert!(found.iter().all(|text| text.generated_tokens().len() == 5));
            assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        }
    }
}

#[test]
fn texts_without_their_phrases_are_not_returned_when_cut_short() {
    let config = GenerationConfig {
        force_words_ids: vec![vec![vec![6]]],
        num_return_sequences: 4,
        ..config(4, 20)
    };
    let prompts = prompts(20);
    let mut returned = 0;
    for stop in 1..4 {
        let mut steps = 0;
        let results = Generation::new(config.clone())
            .with_observer(|_| {
                steps += 1;
                match steps < 20 * stop {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })
            .run(&Hashing::default(), vec![Vec::new(); 20], &prompts)
            .unwrap();
        for text in all(results).iter().flatten() {
            returned += 1;
            assert!(text.tokens.contains(&6), "{text:?}");
        }
    }
    assert!(returned > 20, "{returned}");
}

#[test]
fn a_longer_prompt_has_no_drafts_while_it_is_fed() {
    let prompts = [Prompt::new(vec![3]), Prompt::new(vec![3, 4, 5, 6])];
    let (seen, _) = watch(&prompts, &config(1, 9), 1);
    assert!(seen[1].iter().all(|settled| settled.len() > 4));
}
