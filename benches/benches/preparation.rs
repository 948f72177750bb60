//! The work before and after the model: pictures to pixel values, texts to tokens and back.

use std::hint::black_box;

use burn::tensor::Device;
use captioning::Captioner;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use preprocess::image::RgbImage;

fn preparation(criterion: &mut Criterion) {
    let captioner = match Captioner::embedded(&Device::flex()) {
        Ok(captioner) => captioner,
        Err(error) => panic!("{error}"),
    };
    let mut group = criterion.benchmark_group("preparation");
    for [width, height] in [[224, 224], [640, 480], [4000, 3000]] {
        let id = BenchmarkId::new("pixels", format!("{width}x{height}"));
        group.bench_function(id, |bencher| {
            let bytes = (0..width * height * 3).map(|index| (index * 31 % 251) as u8);
            let image = RgbImage::new(width, height, bytes.collect());
            let image = image.unwrap_or_else(|error| panic!("{error}"));
            let images = [image];
            bencher.iter(|| black_box(captioner.image_processor().process_batch(&images)));
        });
    }
    let text = "Un pingouin et un ballon rouge devant une maison, sous la pluie.";
    let tokenizer = captioner.tokenizer();
    let ids = tokenizer.encode(text, "fr_XX", None);
    let ids = ids.unwrap_or_else(|error| panic!("{error}"));
    group.bench_function("tokens of a text", |bencher| {
        bencher.iter(|| black_box(tokenizer.encode(text, "fr_XX", None)));
    });
    group.bench_function("text of tokens", |bencher| {
        bencher.iter(|| black_box(tokenizer.decode(&ids, true)));
    });
    group.finish();
}

criterion_group!(benches, preparation);
criterion_main!(benches);
