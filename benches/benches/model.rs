//! The model's parts on every device that is compiled in: encoding, feeding a prompt, a step of 1, 4 and 16
//! rows, and a whole caption.
//!
//! A model is created when the first benchmark that needs it runs, so a filter also saves the time for
//! creating the others: `cargo bench -p benches --bench model -- 'full/int8'`.

use std::cell::OnceCell;
use std::hint::black_box;
use std::time::Duration;

use benches::{Size, captions_of, random_model, random_pixels};
use burn::tensor::{Device, Int, Tensor};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use packed_linear::Format;
use pretrained::{Pretrained, PretrainedModel, Weights};
use vision_encoder_decoder::Decoder;

/// The length of the rows before a step that is measured.
const TOKENS_SO_FAR: usize = 16;

fn model(criterion: &mut Criterion) {
    for name in device::DEVICES {
        let device = match device::device(name) {
            Ok(device) => device,
            Err(error) => {
                eprintln!("{name} is left out: {}", report::message(&error));
                continue;
            }
        };
        let mut precisions = vec![("ordinary", Weights::Ordinary)];
        if packed_linear::has_kernels(&device) {
            precisions.extend([
                ("f32", Weights::Packed(Format::F32)),
                ("bf16", Weights::Packed(Format::BF16)),
                ("int8", Weights::Packed(Format::INT8)),
                ("int4:64", Weights::Packed(Format::INT4)),
            ]);
        }
        for (precision, weights) in precisions {
            for size in [Size::Tiny, Size::Full] {
                // Without kernels, the full size takes too long, or too much memory for a software GPU.
                if size == Size::Full && weights == Weights::Ordinary {
                    continue;
                }
                let pretrained = OnceCell::new();
                let get = || pretrained.get_or_init(|| random_model(size, weights, &device));
                let group = format!("{name}/{size}/{precision}");
                measure(criterion, &group, &device, &get);
            }
        }
    }
}

fn measure<'a>(
    criterion: &mut Criterion,
    group: &str,
    device: &Device,
    get: &dyn Fn() -> &'a Pretrained,
) {
    let mut group = criterion.benchmark_group(group);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(1));
    for images in [1, 8] {
        group.bench_function(BenchmarkId::new("encode", images), |bencher| {
            let pretrained = get();
            let pixels = random_pixels(pretrained, images, device);
            bencher.iter(|| read(pretrained.model.encode(pixels.clone()).hidden));
        });
    }
    group.bench_function("prefill/16 tokens", |bencher| {
        let model = &get().model;
        let memory = model.encode(random_pixels(get(), 1, device));
        bencher.iter(|| {
            let mut state = model.decoder.start(memory.clone(), &[0]);
            let hidden = model
                .decoder
                .forward(tokens(1, 16, device), None, &mut state);
            read(hidden)
        });
    });
    for rows in [1, 4, 16] {
        group.bench_function(BenchmarkId::new("step", rows), |bencher| {
            let model = &get().model;
            let memory = model.encode(random_pixels(get(), 1, device));
            let mut state = model.decoder.start(memory, &vec![0; rows]);
            let so_far = tokens(rows, TOKENS_SO_FAR, device);
            model.decoder.forward(so_far, None, &mut state);
            // Each step starts from a copy of the state, so that all start after equally many tokens.
            bencher.iter_batched(
                || state.clone(),
                |mut state| {
                    let hidden = model
                        .decoder
                        .forward(tokens(rows, 1, device), None, &mut state);
                    read(model.decoder.logits(hidden))
                },
                criterion::BatchSize::SmallInput,
            );
        });
    }
    group.bench_function("caption/4 beams, 16 tokens", |bencher| {
        let pretrained = get();
        let pixels = random_pixels(pretrained, 1, device);
        bencher.iter(|| caption(&pretrained.model, pixels.clone()));
    });
    group.finish();
}

fn tokens(rows: usize, length: usize, device: &Device) -> Tensor<2, Int> {
    Tensor::full([rows, length], 5, device)
}

/// Reads a value, which waits for devices that compute asynchronously.
fn read<const D: usize>(tensor: Tensor<D>) {
    let first = tensor.slice([const { 0..1 }; D]);
    black_box(first.into_data());
}

fn caption(model: &PretrainedModel, pixels: Tensor<4>) {
    match model.generate(pixels, &captions_of(16, 4)) {
        Ok(captions) => {
            black_box(captions);
        }
        Err(error) => panic!("{error}"),
    }
}

criterion_group!(benches, model);
criterion_main!(benches);
