//! Weights of fewer bits caption the sample pictures as `f32` does.

use burn::tensor::Device;
use captioning::{Captioner, GenerationConfig, open_image};

/// Tokens of greedy captions in four languages, and those that are the same with packed weights.
fn equal_tokens(format: &str) -> (usize, usize) {
    let device = Device::flex();
    let exact = Captioner::embedded_as(None, &device).unwrap();
    let packed = Captioner::embedded_as(Some(format.parse().unwrap()), &device).unwrap();
    let config = GenerationConfig {
        num_beams: 1,
        ..exact.generation_config().clone()
    };
    let (mut all, mut equal) = (0, 0);
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
    for sample in std::fs::read_dir(samples).unwrap() {
        let path = sample.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "png") {
            continue;
        }
        let image = open_image(path).unwrap();
        let languages = exact.languages();
        let captions = |captioner: &Captioner| {
            let captions = captioner.caption(std::slice::from_ref(&image), languages, &config);
            captions.unwrap().concat()
        };
        for (ours, theirs) in captions(&exact).iter().zip(captions(&packed)) {
            all += ours.ids.len();
            equal += ours
                .ids
                .iter()
                .zip(&theirs.ids)
                .filter(|(a, b)| a == b)
                .count();
        }
    }
    assert!(all > 300, "{all}");
    (all, equal)
}

#[test]
fn packed_f32_writes_what_ordinary_weights_do() {
    let (all, equal) = equal_tokens("f32");
    assert_eq!(all, equal);
}

#[test]
fn eight_bits_keep_99_of_100_tokens() {
    for format in ["int8", "int8:64"] {
        let (all, equal) = equal_tokens(format);
        assert!(equal * 100 >= all * 99, "{format}: {equal} of {all}");
    }
}
