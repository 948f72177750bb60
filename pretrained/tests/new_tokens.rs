//! Vocabularies that grow while a model is loaded.

use std::path::Path;

use crate::common::{Sizes, Tensors, chain, load, write, write_flax};
use burn::tensor::{Device, Int, Tensor};
use checkpoint::SaveOptions;
use pretrained::{LoadError, LoadOptions, NewToken, Pretrained, Weights};
use tempfile::TempDir;

const SMALL: Sizes = Sizes {
    encoder_width: 16,
    decoder_width: 24,
    layers: 1,
    vocabulary: 60,
};

const EMBEDDINGS: &str = "decoder.model.decoder.embed_tokens.weight";

fn token(id: u32, like: &[u32]) -> NewToken {
    NewToken {
        id,
        like: like.to_vec(),
    }
}

fn grown(folder: &Path, tokens: &[NewToken], weights: Weights) -> Result<Pretrained, LoadError> {
    let options = LoadOptions {
        weights,
        ..LoadOptions::default()
    };
    Pretrained::from_folder_with_tokens(folder, tokens, &options, &Device::flex())
}

/// The logits after three tokens, the last of which is `last`.
fn logits(pretrained: &Pretrained, last: u32) -> Vec<f32> {
    let pixels = Tensor::<4>::ones([1, 3, 16, 16], &Device::flex());
    let tokens = Tensor::<2, Int>::from_data([[2, 9, i64::from(last)]], &Device::flex());
    let logits = pretrained.model.forward(pixels, tokens, None);
    let [_, positions, vocabulary] = logits.dims();
    assert_eq!(vocabulary, pretrained.config.decoder.vocab_size());
    let values: Vec<f32> = logits.into_data().try_into_vec().unwrap();
    values[(positions - 1) * vocabulary..].to_vec()
}

fn assert_near(found: &[f32], expected: &[f32]) {
    assert_within(1e-5, found, expected);
}

fn assert_within(tolerance: f32, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let apart = (found - expected).abs();
        assert!(apart <= tolerance, "{found} {expected}");
    }
}

/// A checkpoint with a bias, and with a head of its own or without.
fn write_small(folder: &Path, tied: bool, flax: bool) {
    let mut tensors: Tensors = SMALL.tensors();
    let bias = (0..60).map(|id| id as f32 / 10.0).collect();
    tensors.insert("final_logits_bias".into(), (vec![1, 60], bias));
    let mut config = SMALL.config_json();
    if !tied {
        let (shape, values) = tensors[EMBEDDINGS].clone();
        let mut values: Vec<f32> = values.iter().map(|value| value * 2.0).collect();
        if flax {
            let (rows, columns) = (shape[0], shape[1]);
            let column = |column| (0..rows).map(move |row| row * columns + column);
            let order = (0..columns).flat_map(column);
            values = order.map(|place| values[place]).collect();
        }
        tensors.insert("decoder.lm_head.weight".into(), (shape, values));
        config = config.replace(
            r#""model_type": "mbart","#,
            r#""model_type": "mbart", "tie_word_embeddings": false,"#,
        );
    }
    match flax {
        true => write_flax(folder, &config, &tensors),
        false => write(folder, &config, &tensors),
    }
}

#[test]
fn a_new_token_is_the_mean_of_others_and_changes_nothing_else() {
    for (tied, flax) in [(true, false), (false, false), (true, true), (false, true)] {
        let folder = TempDir::new().unwrap();
        write_small(folder.path(), tied, flax);
        let before = load(folder.path()).unwrap();
        let tokens = [token(60, &[7, 8, 30]), token(61, &[7])];
        let after = grown(folder.path(), &tokens, Weights::Ordinary).unwrap();
        assert_eq!(after.config.decoder.has_tied_head(), tied);

        let (expected, found) = (logits(&before, 7), logits(&after, 7));
        assert_near(&found[..60], &expected);
        // The head is linear, so this is true of its bias too.
        let mean = (expected[7] + expected[8] + expected[30]) / 3.0;
        assert_near(&found[60..], &[mean, expected[7]]);
        // As embeddings.
        assert_near(&logits(&after, 61), &found);
        assert_ne!(logits(&after, 60), found);

        let saved = TempDir::new().unwrap();
        after.save(saved.path(), &SaveOptions::default()).unwrap();
        let again = load(saved.path()).unwrap();
        assert_eq!(logits(&again, 61), logits(&after, 61));
    }
}

#[test]
fn packed_weights_grow_too() {
    let folder = TempDir::new().unwrap();
    write_small(folder.path(), true, false);
    for weights in ["f32", "bf16", "int8"] {
        let weights = weights.parse().unwrap();
        let after = grown(folder.path(), &[token(60, &[7])], weights).unwrap();
        let found = logits(&after, 7);
        assert_near(&found[60..], &found[7..8]);
        assert_near(&logits(&after, 60), &found);
    }
}

#[test]
fn packed_files_are_packed_anew() {
    let folder = TempDir::new().unwrap();
    write_small(folder.path(), true, false);
    let options = LoadOptions {
        weights: "int8".parse().unwrap(),
        ..LoadOptions::default()
    };
    let packed = Pretrained::from_folder(folder.path(), &options, &Device::flex()).unwrap();
    let saved = TempDir::new().unwrap();
    let staged = checkpoint::StagedFolder::new(saved.path()).unwrap();
    packed.write_packed(&staged).unwrap();
    staged.commit().unwrap();
    let after = grown(saved.path(), &[token(60, &[7])], options.weights).unwrap();
    let found = logits(&after, 7);
    assert_near(&found[60..], &found[7..8]);
    // Scales are rounded up, so integers that are packed again are not always the same ones.
    assert_within(0.02, &found[..60], &logits(&packed, 7));
}

#[test]
fn a_row_that_no_token_used_becomes_the_new_token() {
    let folder = TempDir::new().unwrap();
    write_small(folder.path(), true, false);
    let after = grown(folder.path(), &[token(59, &[7])], Weights::Ordinary).unwrap();
    let found = logits(&after, 9);
    assert_eq!(found.len(), 60);
    assert_near(&found[59..], &found[7..8]);
}

#[test]
fn a_gap_and_a_token_to_be_like_that_does_not_exist_are_errors() {
    let folder = TempDir::new().unwrap();
    write_small(folder.path(), true, false);
    let error = grown(folder.path(), &[token(61, &[7])], Weights::Ordinary).unwrap_err();
    assert!(
        matches!(
            error,
            LoadError::NewToken {
                id: 61,
                vocab_size: 60
            }
        ),
        "{error}"
    );
    let error = grown(folder.path(), &[token(60, &[60])], Weights::Ordinary).unwrap_err();
    assert!(chain(&error).contains("has no row 60"), "{error}");
}
