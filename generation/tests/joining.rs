//! Calls that join a loop between steps, leave it, and are cancelled.

mod common;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Fault, Hashing, Telling, config, prompts};
use generation::{
    Call, Decoding, Event, GenerateError, Generation, GenerationConfig, Prompt, PromptResult,
};

/// Options of many kinds.
fn configs() -> Vec<GenerationConfig> {
    let plain = |beams, length| config(beams, length);
    vec![
        plain(1, 12),
        plain(4, 9),
        GenerationConfig {
            num_return_sequences: 3,
            ..plain(3, 14)
        },
        GenerationConfig {
            do_sample: true,
            num_return_sequences: 2,
            ..plain(1, 20)
        },
        GenerationConfig {
            do_sample: true,
            ..plain(3, 7)
        },
        GenerationConfig {
            num_beam_groups: 2,
            diversity_penalty: 0.7,
            ..plain(4, 10)
        },
        GenerationConfig {
            force_words_ids: vec![vec![vec![5, 6]]],
            ..plain(3, 12)
        },
    ]
}

fn call_of(config: &GenerationConfig) -> Generation<'static> {
    Generation::new(config.clone())
}

/// The results of calls by prompt.
type Results = HashMap<Call, HashMap<usize, PromptResult>>;

fn collect(results: &mut Results, ended: Vec<generation::Ended>) {
    for one in ended {
        let of_call = results.entry(one.call).or_default();
        assert!(of_call.insert(one.prompt, one.result).is_none());
    }
}

fn fresh(prompts: &[Prompt]) -> Vec<Vec<u32>> {
    vec![Vec::new(); prompts.len()]
}

#[test]
fn results_do_not_depend_on_who_else_is_under_way() {
    let configs = configs();
    // A small generator of numbers, so that the order is another in each round, but the same in each run.
    let mut state = 1_u64;
    let mut next = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    for _ in 0..60 {
        let model = Hashing::default();
        let mut decoding = Decoding::new(&model);
        let mut results = Results::new();
        let mut expected = Vec::new();
        for _ in 0..next(12) + 2 {
            let config = &configs[next(configs.len())];
            let prompts: Vec<Prompt> = prompts(next(3) as u32 + 1)
                .into_iter()
                .map(|mut prompt| {
                    prompt.tokens.truncate(next(2) + 1);
                    prompt.with_seed(next(100) as u64)
                })
                .collect();
            let call = decoding
                .add(call_of(config), fresh(&prompts), &prompts)
                .unwrap();
            let alone = call_of(config).run(&model, fresh(&prompts), &prompts);
            expected.push((call, alone.unwrap()));
            for _ in 0..next(5) {
                collect(&mut results, decoding.step().unwrap());
            }
        }
        while !decoding.is_empty() {
            collect(&mut results, decoding.step().unwrap());
        }
        for (call, alone) in expected {
            for (prompt, expected) in alone.iter().enumerate() {
                assert_eq!(&results[&call][&prompt], expected);
            }
        }
    }
}

#[test]
fn a_cancelled_call_returns_its_texts_and_the_others_go_on() {
    let model = Hashing::default();
    let mut decoding = Decoding::new(&model);
    let configs = configs();
    let calls: Vec<Call> = configs
        .iter()
        .map(|config| {
            let prompts = prompts(2);
            decoding
                .add(call_of(config), fresh(&prompts), &prompts)
                .unwrap()
        })
        .collect();
    let mut results = Results::new();
    for _ in 0..4 {
        collect(&mut results, decoding.step().unwrap());
    }
    let before = decoding.rows();
    let cancelled = decoding.cancel(calls[1]).unwrap();
    assert!(decoding.rows() < before);
    for ended in &cancelled {
        assert_eq!(ended.call, calls[1]);
        let texts = ended.result.as_ref().unwrap();
        assert!(texts.iter().all(|text| text.tokens.len() <= 5), "{texts:?}");
    }
    assert!(decoding.cancel(calls[1]).unwrap().is_empty());
    while !decoding.is_empty() {
        collect(&mut results, decoding.step().unwrap());
    }
    for (index, (config, call)) in configs.iter().zip(&calls).enumerate() {
        let prompts = prompts(2);
        let alone = call_of(config).run(&model, fresh(&prompts), &prompts);
        for (prompt, expected) in alone.unwrap().iter().enumerate() {
            let found = results.get(call).and_then(|of_call| of_call.get(&prompt));
            match index {
                1 => assert!(found.is_none_or(|found| found == expected)),
                _ => assert_eq!(found, Some(expected)),
            }
        }
    }
    // The last call leaves nothing.
    let prompts = prompts(1);
    let call = decoding.add(call_of(&configs[0]), fresh(&prompts), &prompts);
    assert_eq!(decoding.cancel(call.unwrap()).unwrap().len(), 1);
    assert!(decoding.is_empty());
    assert!(decoding.step().unwrap().is_empty());
}

#[test]
fn an_observer_is_told_of_its_own_call_and_ends_only_that() {
    let model = Hashing::default();
    let prompts = prompts(2);
    let seen = Arc::new(AtomicUsize::new(0));
    let mut decoding = Decoding::new(&model);
    let other = decoding
        .add(call_of(&config(2, 12)), fresh(&prompts), &prompts)
        .unwrap();
    let count = seen.clone();
    let observed = call_of(&config(1, 12)).with_observer(move |event| {
        match event {
            Event::Draft { prompt, .. } => assert!(prompt < 2),
            _ => panic!("the call is ended before its texts are"),
        }
        match count.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    });
    let observed = decoding.add(observed, fresh(&prompts), &prompts).unwrap();
    let mut results = Results::new();
    while !decoding.is_empty() {
        collect(&mut results, decoding.step().unwrap());
    }
    assert_eq!(seen.load(Ordering::Relaxed), 3);
    assert_eq!(results[&observed].len(), 2);
    let alone = call_of(&config(2, 12)).run(&model, fresh(&prompts), &prompts);
    for (prompt, expected) in alone.unwrap().iter().enumerate() {
        assert_eq!(&results[&other][&prompt], expected);
    }
}

#[test]
fn options_that_contradict_each_other_do_not_touch_other_calls() {
    let model = Hashing::default();
    let prompts = prompts(1);
    let mut decoding = Decoding::new(&model);
    decoding
        .add(call_of(&config(1, 12)), fresh(&prompts), &prompts)
        .unwrap();
    let wrong = decoding.add(call_of(&config(0, 12)), fresh(&prompts), &prompts);
    assert!(matches!(wrong, Err(GenerateError::Config(_))));
    assert_eq!(decoding.rows(), 1);
    assert!(decoding.step().is_ok());
}

#[test]
fn a_model_that_fails_ends_all_calls_and_the_loop_can_be_used_again() {
    let model = Hashing {
        fault: Some((1, Fault::Error)),
    };
    let prompts = prompts(1);
    let mut decoding = Decoding::new(&model);
    for _ in 0..2 {
        decoding
            .add(call_of(&config(1, 12)), fresh(&prompts), &prompts)
            .unwrap();
        decoding
            .add(call_of(&config(2, 12)), fresh(&prompts), &prompts)
            .unwrap();
        decoding.step().unwrap();
        assert!(matches!(decoding.step(), Err(GenerateError::Model { .. })));
        assert!(decoding.is_empty());
    }
}

#[test]
fn rows_that_cannot_join_wait_until_the_loop_is_empty() {
    let model = Telling::default();
    let prompts = prompts(1);
    let mut decoding = Decoding::new(&model);
    let call = |config: GenerationConfig| call_of(&config);
    decoding
        .add(call(config(1, 5)), fresh(&prompts), &prompts)
        .unwrap();
    assert!(!decoding.accepts(&fresh(&prompts)));
    let second = decoding.add(call(config(1, 5)), fresh(&prompts), &prompts);
    assert!(matches!(second, Err(GenerateError::CannotJoin)));
    while !decoding.is_empty() {
        decoding.step().unwrap();
    }
    assert!(decoding.accepts(&fresh(&prompts)));
    decoding
        .add(call(config(1, 5)), fresh(&prompts), &prompts)
        .unwrap();
}
