//! Weights of fewer bits predict the tokens that `f32` predicts.

use std::path::PathBuf;

use crate::common::unwrapped;
use burn::tensor::{Int, Tensor, TensorData};
use captioning::{Caption, Captioner, GenerationConfig, Memory, Weights, open_image};

/// A captioner with its weights kept in some way.
fn captioner(weights: Weights) -> Captioner {
    let device = burn::tensor::Device::flex();
    Captioner::builder()
        .weights(weights)
        .build(&device)
        .unwrap()
}

fn packed(format: &str) -> Captioner {
    captioner(Weights::Packed(format.parse().unwrap()))
}

fn samples() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/samples");
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_picture = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "png");
    paths.filter(is_picture).collect()
}

fn encoded(captioner: &Captioner, sample: &PathBuf) -> Memory {
    captioner.encode(&[open_image(sample).unwrap()]).unwrap()
}

/// Greedy captions in all languages.
fn captions(captioner: &Captioner, memory: Memory) -> Vec<Caption> {
    let config = GenerationConfig {
        num_beams: 1,
        ..captioner.generation_config().clone()
    };
    let captions = captioner.caption_encoded(memory, captioner.languages(), &config);
    unwrapped(captions.unwrap()).concat()
}

/// The most likely token after each token of a caption (teacher forcing).
fn predicted(captioner: &Captioner, memory: Memory, caption: &Caption) -> Vec<i64> {
    let ids: Vec<i64> = caption.ids.iter().copied().map(i64::from).collect();
    let ids = TensorData::new(ids, [1, caption.ids.len()]);
    let ids = Tensor::<2, Int>::from_data(ids, &memory.hidden.device());
    let logits = captioner.model().forward_from(memory, &[0], ids, None); // [1, length, vocabulary]
    logits.argmax(2).into_data().try_into_vec_as().unwrap()
}

#[test]
fn packed_f32_writes_the_captions_of_ordinary_weights() {
    let (exact, packed) = (captioner(Weights::Ordinary), packed("f32"));
    for sample in samples() {
        let expected = captions(&exact, encoded(&exact, &sample));
        let found = captions(&packed, encoded(&packed, &sample));
        let ids = |captions: Vec<Caption>| captions.into_iter().map(|caption| caption.ids);
        assert!(ids(found).eq(ids(expected)), "{}", sample.display());
    }
}

/// Along the captions of `f32`, so that a near tie that turns the other way counts once: which way it turns
/// depends on the order of sums, and so on the machine. Compared as captions it would count for all tokens
/// that follow, 10 of 910.
#[test]
fn eight_bits_predict_99_of_100_tokens_as_f32_does() {
    let exact = captioner(Weights::Ordinary);
    for format in ["int8", "int8:64"] {
        let packed = packed(format);
        let (mut all, mut equal) = (0, 0);
        for sample in samples() {
            let (ours, theirs) = (encoded(&packed, &sample), encoded(&exact, &sample));
            for caption in captions(&exact, theirs.clone()) {
                let found = predicted(&packed, ours.clone(), &caption);
                let expected = predicted(&exact, theirs.clone(), &caption);
                // The first prediction is replaced by the language code, nothing follows the last.
                let positions = 1..caption.ids.len() - 1;
                all += positions.len();
                equal += positions.filter(|at| found[*at] == expected[*at]).count();
            }
        }
        println!("{format}: {equal} of {all}");
        assert!(all > 300, "{all}");
        assert!(equal * 100 >= all * 99, "{format}: {equal} of {all}");
    }
}
