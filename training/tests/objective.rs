//! The loss and its gradients are those of the formula, differentiated as a whole.

#[expect(dead_code, reason = "not every test needs everything")]
mod common;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};
use common::{alone, apart, batch, labels, model, objective, pixels, pretrained, values};
use pretrained::PretrainedModel;
use training::{Batch, LabelSmoothing, ModuleGradients, Objective};

/// The loss and the gradients of all parameters, with the logits of all positions at once.
fn at_once(
    model: &PretrainedModel,
    objective: &Objective,
    batch: Batch<Tensor<4>>,
) -> (f32, ModuleGradients) {
    let labels = objective.labels(&model.decoder, &batch.labels).unwrap();
    let device = batch.input.device();
    let memory = model.encode(batch.input);
    let (inputs, padding) = (labels.inputs(&device), labels.padding(&device));
    let logits = model.forward_from(memory, &batch.row_sources, inputs, padding);
    let [rows, length, vocabulary] = logits.dims();
    let log_p = log_softmax(logits.reshape([rows * length, vocabulary]), 1);
    // A dense target, which the objective avoids.
    let e = objective.label_smoothing_factor as f32;
    let other = match objective.label_smoothing {
        LabelSmoothing::HuggingFace => e / vocabulary as f32,
        LabelSmoothing::Original => e / (vocabulary - 1) as f32,
    };
    let on_target = match objective.label_smoothing {
        LabelSmoothing::HuggingFace => 1.0 - e + other,
        LabelSmoothing::Original => 1.0 - e,
    };
    let mut target = vec![0.0; rows * length * vocabulary];
    let mut constant = 0.0;
    for (row, texts) in batch.labels.iter().enumerate() {
        for (position, token) in texts.iter().enumerate() {
            let place = (row * length + position) * vocabulary;
            target[place..place + vocabulary].fill(other);
            target[place + *token as usize] = on_target;
            if objective.label_smoothing == LabelSmoothing::Original && e > 0.0 {
                constant -=
                    on_target * on_target.ln() + (vocabulary - 1) as f32 * other * other.ln();
            }
        }
    }
    let target = Tensor::<1>::from_data(target.as_slice(), &device);
    let loss = -(log_p * target.reshape([rows * length, vocabulary])).sum();
    let mut gradients = ModuleGradients::default();
    gradients.add(model, &mut loss.backward());
    (loss.inner().into_scalar::<f32>() - constant, gradients)
}

fn in_blocks(
    model: &PretrainedModel,
    objective: &Objective,
    batch: Batch<Tensor<4>>,
) -> (f32, ModuleGradients) {
    let labels = objective.labels(&model.decoder, &batch.labels).unwrap();
    let mut gradients = ModuleGradients::default();
    let loss = objective
        .backward(model, batch, &labels, 1.0, &mut gradients)
        .unwrap();
    (loss.into_scalar(), gradients)
}

fn assert_equal(found: &(f32, ModuleGradients), expected: &(f32, ModuleGradients), name: &str) {
    assert!(
        apart(&[found.0], &[expected.0]) < 1e-5,
        "{name}: {} {}",
        found.0,
        expected.0
    );
    let paths: Vec<&str> = expected.1.paths().collect();
    assert_eq!(found.1.paths().collect::<Vec<_>>(), paths, "{name}");
    let norm = values(expected.1.squares().unwrap())
        .iter()
        .sum::<f32>()
        .sqrt();
    for path in paths {
        let gradient = |of: &ModuleGradients| values(of.get(path).unwrap().clone());
        let (found, expected) = (gradient(&found.1), gradient(&expected.1));
        for (a, b) in found.iter().zip(&expected) {
            assert!(
                (a - b).abs() < 2e-6 * norm,
                "{name}: {path} {a} {b} of {norm}"
            );
        }
    }
}

#[test]
fn blocks_of_any_size_give_the_gradients_of_all_positions_at_once() {
    let _guard = alone();
    for decoder in ["", r#", "tie_word_embeddings": false"#] {
        let model = pretrained(decoder, "").model;
        let device = Device::flex().autodiff();
        for (factor, form) in [
            (0.0, LabelSmoothing::HuggingFace),
            (0.2, LabelSmoothing::HuggingFace),
            (0.2, LabelSmoothing::Original),
        ] {
            let mut objective = Objective {
                label_smoothing_factor: factor,
                label_smoothing: form,
                ..objective()
            };
            let expected = at_once(&model, &objective, batch(0, &device));
            for bytes in [1, 5 * 37 * 4, 1 << 20] {
                objective.logits_block_bytes = bytes;
                let found = in_blocks(&model, &objective, batch(0, &device));
                let name = format!("{decoder} {factor} {form:?} {bytes}");
                assert_equal(&found, &expected, &name);
                let valid = burn::module::Module::valid(&model);
                let labels = objective.labels(&model.decoder, &labels(3, 0)).unwrap();
                let plain = batch(0, &Device::flex());
                let memory = valid.encode(plain.input);
                let sum = objective.sum(&valid, memory, &plain.row_sources, &labels);
                let sum = sum.unwrap();
                assert!(apart(&values(sum), &[expected.0]) < 1e-5, "{name}");
            }
        }
    }
}

#[test]
fn several_texts_of_an_image_are_one_encoding_with_the_gradients_of_copies() {
    let _guard = alone();
    let model = model();
    let device = Device::flex().autodiff();
    let images = pixels(3, 5, &device);
    // Grouped by image, and in an order that has to be gathered; one image has no text.
    for sources in [vec![0, 0, 1, 1, 2, 2], vec![2, 0, 2, 2, 0], vec![1]] {
        let rows = labels(sources.len(), 2);
        let shared = Batch {
            input: images.clone(),
            row_sources: sources.clone(),
            labels: rows.clone(),
        };
        let indices: Vec<i64> = sources.iter().map(|source| *source as i64).collect();
        let indices = Tensor::<1, burn::tensor::Int>::from_data(indices.as_slice(), &device);
        let copied = Batch::one_per_source(images.clone().select(0, indices), rows);
        let found = in_blocks(&model, &objective(), shared);
        let expected = in_blocks(&model, &objective(), copied);
        assert_equal(&found, &expected, &format!("{sources:?}"));
    }
}

#[test]
fn padding_changes_nothing() {
    let _guard = alone();
    let model = model();
    let device = Device::flex().autodiff();
    let rows = labels(3, 1);
    let padded: Vec<Vec<u32>> = rows
        .iter()
        .map(|row| row.iter().copied().chain([1; 16]).take(14).collect())
        .collect();
    let of = |rows| {
        in_blocks(
            &model,
            &objective(),
            Batch::one_per_source(pixels(3, 1, &device), rows),
        )
    };
    assert_equal(&of(padded), &of(rows), "padded");
}

#[test]
fn a_start_token_that_is_padding_gets_no_gradient_through_its_embedding() {
    let _guard = alone();
    // A separate head, so that the table of embeddings has only the gradient of looking up.
    let untied = r#", "tie_word_embeddings": false"#;
    let device = Device::flex().autodiff();
    for (decoder, is_zero) in [
        (untied.to_owned(), true),
        (format!(r#"{untied}, "pad_token_id": 99"#), false),
    ] {
        let model = pretrained(&decoder, "").model;
        let mut objective = objective();
        objective.tokens.decoder_start_token_id = 1;
        let (_, gradients) = in_blocks(&model, &objective, batch(0, &device));
        let table = gradients
            .get("decoder.MBart.embeddings.tokens.weight")
            .unwrap();
        let row = values(table.clone().reshape([37, 16]).narrow(0, 1, 1));
        assert_eq!(row.iter().all(|value| *value == 0.0), is_zero);
    }
}

#[test]
fn every_dropout_applies_in_training_only() {
    let _guard = alone();
    let device = Device::flex().autodiff();
    let rates = [
        ("none", "", "", false),
        ("dropout", r#", "dropout": 0.5"#, "", true),
        ("attention", r#", "attention_dropout": 0.5"#, "", true),
        ("activation", r#", "activation_dropout": 0.5"#, "", true),
        ("layers", r#", "decoder_layerdrop": 0.5"#, "", true),
        ("encoder", "", r#", "attention_dropout": 0.5"#, true),
    ];
    for (name, decoder, encoder, changes) in rates {
        let model = pretrained(decoder, encoder).model;
        let of_seed = |seed| {
            device.seed(seed);
            in_blocks(&model, &objective(), batch(0, &device)).0
        };
        let losses: Vec<f32> = (0..8).map(of_seed).collect();
        let differ = losses.iter().any(|loss| *loss != losses[0]);
        assert_eq!(differ, changes, "{name}: {losses:?}");
        assert_eq!(of_seed(3), losses[3], "{name}");

        let valid = burn::module::Module::valid(&model);
        let labels = objective().labels(&valid.decoder, &labels(3, 0)).unwrap();
        let plain = || {
            let batch = batch(0, &Device::flex());
            let memory = valid.encode(batch.input);
            let sum = objective().sum(&valid, memory, &batch.row_sources, &labels);
            sum.unwrap()
        };
        let loss = values(plain());
        assert_eq!(values(plain()), loss, "{name}");
        assert!(loss[0].is_finite());
    }
}

#[test]
fn batches_that_fit_nothing_are_errors() {
    let _guard = alone();
    let model = model();
    let device = Device::flex().autodiff();
    let labels = objective().labels(&model.decoder, &labels(3, 0)).unwrap();
    for (row_sources, message) in [
        (vec![0, 1], "3 rows of labels, but sources for 2"),
        (vec![0, 1, 3], "source 3, but there are 3"),
    ] {
        let batch = Batch {
            row_sources,
            ..batch(0, &device)
        };
        let mut gradients = ModuleGradients::default();
        let error = objective().backward(&model, batch, &labels, 1.0, &mut gradients);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}
