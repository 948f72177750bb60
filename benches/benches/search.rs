//! The time of a generation step without the model: what processors and search do with the logits.
//!
//! A measurement is a whole text; the printed throughput counts its steps.

use std::time::{Duration, Instant};

use benches::{END, InstantModel, VOCABULARY};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use generation::{Generation, GenerationConfig, Prompt};

/// Number of steps of a text.
const STEPS: usize = 20;

fn config(num_beams: usize) -> GenerationConfig {
    GenerationConfig {
        num_beams,
        max_new_tokens: Some(STEPS),
        eos_token_id: vec![END],
        ..GenerationConfig::default()
    }
}

/// Times searches without the time that the model's logits take.
fn time(model: &InstantModel, config: &GenerationConfig, iterations: u64) -> Duration {
    let rows = match config.do_sample {
        true => config.num_return_sequences,
        false => config.num_beams,
    };
    let mut sum = Duration::ZERO;
    for _ in 0..iterations {
        model.prepare(STEPS, rows);
        let generation = Generation::new(config.clone());
        let start = Instant::now();
        let found = generation.run(model, 0, &[Prompt::new(vec![END])]);
        sum += start.elapsed();
        assert!(found.is_ok_and(|found| found[0].is_ok()));
    }
    sum
}

fn searches(criterion: &mut Criterion) {
    let model = InstantModel::default();
    let mut group = criterion.benchmark_group(format!("search over {VOCABULARY} tokens"));
    group
        .throughput(Throughput::Elements(STEPS as u64))
        .sample_size(20);
    let sampling = |options: GenerationConfig| GenerationConfig {
        do_sample: true,
        ..options
    };
    for (name, config) in [
        ("greedy", config(1)),
        ("4 beams", config(4)),
        ("16 beams", config(16)),
        (
            "4 beams, n-grams, repetition penalty",
            GenerationConfig {
                no_repeat_ngram_size: 3,
                repetition_penalty: 1.2,
                ..config(4)
            },
        ),
        (
            "4 beams in 2 groups",
            GenerationConfig {
                num_beam_groups: 2,
                diversity_penalty: 1.0,
                ..config(4)
            },
        ),
        ("sampling of 50", sampling(config(1))),
        (
            "sampling of a nucleus of 0.9",
            sampling(GenerationConfig {
                top_k: 0,
                top_p: 0.9,
                ..config(1)
            }),
        ),
    ] {
        // The first step always has one row, so its logits are computed in the measured time.
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| time(&model, &config, iterations));
        });
    }
    group.finish();
}

criterion_group!(benches, searches);
criterion_main!(benches);
