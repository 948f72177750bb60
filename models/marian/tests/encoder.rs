//! The encoder: padding, shared and separate tables, packed weights.

use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::{Device, Tensor, s};
use marian::{Decoder, Marian, MarianConfig, SourceTokens};
use packed_linear::Format;

mod common;
use common::{config, largest_difference, model, padding, randomly};
use model_tests::relative_difference;
use model_tests::small::{POSITIONS, VOCABULARY, WIDTH, ids, tokens};

/// All tests of the process share the random numbers of a device, so only one test at a time may draw.
fn alone() -> MutexGuard<'static, ()> {
    static RANDOM: Mutex<()> = Mutex::new(());
    RANDOM.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_padded_text_is_encoded_as_by_itself() {
    let _guard = alone();
    let device = Device::flex();
    let model = randomly(model(&device));
    let ids = ids(3, POSITIONS, &device);
    let lengths = [POSITIONS, 4, 1];
    let padded = SourceTokens::new(ids.clone()).with_padding(padding(&lengths, POSITIONS, &device));
    let together = model.encode(padded);
    assert_eq!(together.hidden.dims(), [3, POSITIONS, WIDTH]);
    for (text, length) in lengths.into_iter().enumerate() {
        let alone = ids.clone().slice(s![text..text + 1, 0..length]);
        let alone = model.encode(SourceTokens::new(alone));
        assert!(alone.padding.is_none());
        let found = together
            .hidden
            .clone()
            .slice(s![text..text + 1, 0..length, ..]);
        let difference = relative_difference(found, alone.hidden);
        assert!(difference <= 1e-5, "text {text}: {difference}");
    }
}

/// Logits of the whole model for padded texts.
fn logits(model: &Marian, device: &Device) -> Tensor<3> {
    let source = SourceTokens::new(ids(2, POSITIONS, device));
    let source = source.with_padding(padding(&[POSITIONS, 7], POSITIONS, device));
    model.forward(source, tokens(2, device).slice(s![.., 0..9]), None)
}

#[test]
fn packed_weights_compute_what_ordinary_weights_compute() {
    let _guard = alone();
    let device = Device::flex();
    let with = |format: Option<Format>| {
        device.seed(3);
        let config = config();
        let model = match format {
            Some(format) => config.init_packed(format, &device),
            None => config.init(&device),
        };
        logits(&model, &device)
    };
    let ordinary = with(None);
    for (format, apart) in [
        (Format::F32, 1e-5),
        (Format::BF16, 0.05),
        (Format::INT8, 0.08),
    ] {
        let difference = relative_difference(with(Some(format)), ordinary.clone());
        assert!(difference < apart, "{format}: {difference}");
    }
}

#[test]
fn the_encoder_follows_the_table_that_it_shares() {
    let _guard = alone();
    let device = Device::flex();
    let mut model = model(&device);
    let before = logits(&model, &device);
    device.seed(8);
    model.decoder = config().init(&device).decoder;
    model.encoder.share_embeddings(&model.decoder);
    assert!(largest_difference(before, logits(&model, &device)) > 1e-3);
}

#[test]
fn languages_may_have_tables_of_different_sizes() {
    let _guard = alone();
    let device = Device::flex();
    let config = MarianConfig {
        share_encoder_decoder_embeddings: false,
        decoder_vocab_size: Some(VOCABULARY + 30),
        tie_word_embeddings: false,
        ..config()
    };
    let model = randomly(config.init(&device));
    assert_eq!(model.decoder.vocab_size(), VOCABULARY + 30);
    assert_eq!(logits(&model, &device).dims(), [2, 9, VOCABULARY + 30]);
}

#[test]
#[should_panic(expected = "65 tokens exceed max_position_embeddings 64")]
fn a_text_that_is_too_long_is_refused() {
    let _guard = alone();
    let device = Device::flex();
    model(&device).encode(SourceTokens::new(ids(1, 65, &device)));
}
