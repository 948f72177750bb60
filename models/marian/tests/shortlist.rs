//! A shortlist gives its tokens the same scores as the whole head.

use burn::tensor::{Device, Int, Tensor};
use marian::{Decoder, Marian, MarianConfig};

mod common;
use common::{config, largest_difference, model, randomly};
use model_tests::small::{memory, tokens};

const TOKENS: [u32; 5] = [0, 2, 17, 63, 119];

/// The largest difference between the shortlist's logits and the same columns of all logits.
fn difference(model: &Marian, device: &Device) -> f32 {
    let decoder = &model.decoder;
    let mut state = decoder.start(memory(2, device).into(), &[0, 0, 1]);
    let hidden = decoder.forward(tokens(3, device), None, &mut state);
    let shortlist = decoder.shortlist(&TOKENS).unwrap();
    assert_eq!(shortlist.tokens(), TOKENS);
    let columns = Tensor::<1, Int>::from_data(TOKENS.map(i64::from), device);
    let expected = decoder.logits(hidden.clone()).select(2, columns);
    largest_difference(shortlist.logits(hidden), expected)
}

#[test]
fn the_tied_head_and_its_bias_on_some_tokens_equal_their_columns() {
    let device = Device::flex();
    assert!(difference(&randomly(model(&device)), &device) <= 1e-5);
}

#[test]
fn a_separate_head_is_gathered_instead_of_the_embeddings() {
    let device = Device::flex();
    let config = MarianConfig {
        tie_word_embeddings: false,
        ..config()
    };
    let separate = randomly(config.init(&device));
    assert!(difference(&separate, &device) <= 1e-5);
}
