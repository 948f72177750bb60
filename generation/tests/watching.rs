//! Who watches a generation sees what no longer changes, and can end it.

mod common;

use std::ops::ControlFlow;

use common::{Hashing, all, config, prompts};
use generation::{Event, Generation, GenerationConfig, Hypothesis, Prompt};

/// What was seen of a text: its settled tokens, step by step.
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
    assert_eq!(finished, found, "the end is told as it is returned");
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
                "the prompt is"
            );
        }
        let grouped = config.num_beam_groups > 1;
        assert!(grouped || early > 20, "{early} of {config:?}");
    }
}

#[test]
fn greedy_search_shows_each_token_as_it_comes() {
    let (seen, found) = watch(&prompts(1), &config(1, 12), 1);
    let lengths: Vec<usize> = seen[0].iter().map(Vec::len).collect();
    assert_eq!(lengths, (3..found[0][0].tokens.len()).collect::<Vec<_>>());
}

#[test]
fn who_ends_it_gets_what_there_is() {
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
        assert_eq!(steps, 5, "and is not asked again");
        for found in all(results) {
            assert_eq!(found.len(), num_beams);
            assert!(found.iter().all(|text| text.generated_tokens().len() == 5));
            assert!(found.is_sorted_by(|a, b| a.score >= b.score));
        }
    }
}

#[test]
fn texts_without_their_phrases_are_not_returned_at_an_early_end_either() {
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
fn what_waits_of_a_longer_prompt_is_no_news() {
    let prompts = [Prompt::new(vec![3]), Prompt::new(vec![3, 4, 5, 6])];
    let (seen, _) = watch(&prompts, &config(1, 9), 1);
    assert!(seen[1].iter().all(|settled| settled.len() > 4));
}
