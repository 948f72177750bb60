//! One batch holds different requests, and each gets the result that it would get alone.

mod common;

use common::{END, Telling, all, config};
use generation::{EarlyStopping, GenerationConfig, Prompt, generate};

fn contrastive() -> GenerationConfig {
    GenerationConfig {
        penalty_alpha: Some(0.6),
        top_k: 4,
        ..config(1, 10)
    }
}

fn sampling(seed: u64) -> GenerationConfig {
    GenerationConfig {
        do_sample: true,
        num_return_sequences: 3,
        temperature: 0.8,
        seed,
        ..config(1, 14)
    }
}

/// Different strategies and lengths.
fn configs() -> Vec<GenerationConfig> {
    vec![
        config(1, 9),
        config(1, 15),
        GenerationConfig {
            num_return_sequences: 4,
            length_penalty: 0.3,
            ..config(4, 12)
        },
        GenerationConfig {
            early_stopping: EarlyStopping::Never,
            eos_token_id: vec![END, 8],
            ..config(3, 11)
        },
        sampling(1),
        sampling(2),
        GenerationConfig {
            num_return_sequences: 2,
            ..GenerationConfig {
                num_beams: 3,
                ..sampling(5)
            }
        },
        GenerationConfig {
            num_beam_groups: 2,
            diversity_penalty: 1.0,
            num_return_sequences: 4,
            ..config(4, 12)
        },
        contrastive(),
        GenerationConfig {
            force_words_ids: vec![vec![vec![6, 9]]],
            ..config(4, 14)
        },
        GenerationConfig {
            repetition_penalty: 1.5,
            no_repeat_ngram_size: 2,
            max_new_tokens: Some(6),
            ..config(2, 0)
        },
    ]
}

/// A prompt of one to three tokens.
fn prompt(number: usize) -> Prompt {
    let number = number as u32;
    Prompt::new((0..1 + number % 3).map(|i| (number + i) % 11).collect())
}

#[test]
fn strategies_and_lengths_mix_in_one_batch() {
    let mut mixed = Vec::new();
    let mut alone = Vec::new();
    for repeat in 0..3 {
        for (number, config) in configs().into_iter().enumerate() {
            let prompt = prompt(number + 4 * repeat).with_seed(repeat as u64);
            let one = std::slice::from_ref(&prompt);
            let found = generate(&Telling::default(), vec![vec![]], one, &config).unwrap();
            alone.extend(found);
            mixed.push(prompt.with_config(config));
        }
    }
    // Any configuration will do for the call: each prompt has its own.
    let state = vec![Vec::new(); mixed.len()];
    let together = generate(&Telling::default(), state, &mixed, &config(7, 5)).unwrap();
    assert_eq!(together, alone);
    let texts = all(together);
    let lengths = texts.iter().map(|found| found[0].tokens.len());
    assert!(lengths.clone().min() < lengths.max());
}

#[test]
fn hidden_states_are_asked_for_as_long_as_a_prompt_needs_them() {
    let long = GenerationConfig {
        min_length: 20,
        ..config(2, 20)
    };
    let short = GenerationConfig {
        max_length: Some(6),
        min_length: 6,
        ..contrastive()
    };
    let model = Telling::default();
    let prompts = [
        Prompt::new(vec![3]).with_config(long),
        Prompt::new(vec![4]).with_config(short),
    ];
    all(generate(&model, vec![vec![]; 2], &prompts, &config(1, 9)).unwrap());
    // Once for the prompt and once for each of five tokens, which are chosen by their hidden states.
    assert_eq!(model.asked.get(), 6);
    all(generate(&model, vec![vec![]], &prompts[..1], &config(1, 9)).unwrap());
    assert_eq!(model.asked.get(), 6);
}
