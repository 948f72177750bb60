//! Updates, and what is saved of them.

#[expect(dead_code, reason = "not every test needs everything")]
mod common;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use common::{
    Cycle, Files, alone, apart, batch, config, labels, model, pixels, pretrained, values, weights,
};
use pretrained::{ImageEncoder, LoadOptions, Pretrained, PretrainedModel, TextDecoder};
use serde_json::{Value, json};
use training::{
    Batch, BatchSource, BoxError, ByPath, Evaluation, Finished, ParameterGroup, PretrainedFiles,
    Progress, TRAINING_STATE, Trainer, TrainingConfig, TrainingError, TrainingObserver,
    UpdateReport, best_checkpoint, latest_checkpoint, parameter_values,
};

fn trainer(config: TrainingConfig) -> Trainer<ImageEncoder, TextDecoder> {
    Trainer::new(model(), config, &ByPath).unwrap()
}

#[test]
fn micro_batches_are_one_mean_over_all_tokens() {
    let _guard = alone();
    let device = Device::flex().autodiff();
    let mut at_once = trainer(config(4));
    let mut in_parts = trainer(config(4));
    for update in 0..3 {
        let rows = labels(6, update);
        let pixels = pixels(6, update, &device);
        let whole = Batch::one_per_source(pixels.clone(), rows.clone());
        let part = |first: usize, count: usize| {
            let pixels = pixels.clone().narrow(0, first, count);
            Batch::one_per_source(pixels, rows[first..first + count].to_vec())
        };
        let whole = at_once.update(vec![whole]).unwrap();
        let parts = in_parts
            .update(vec![part(0, 1), part(1, 2), part(3, 3)])
            .unwrap();
        assert!((whole.loss - parts.loss).abs() < 1e-5);
        let apart = (whole.grad_norm / parts.grad_norm - 1.0).abs();
        assert!(apart < 1e-5, "{update}: {apart}");
        assert_eq!((whole.tokens, whole.rows), (parts.tokens, parts.rows));
    }
}

#[test]
fn frozen_parameters_and_those_at_rate_zero_stay_and_others_do_not() {
    let _guard = alone();
    let made = pretrained("", "");
    let files = PretrainedFiles::new(&made, None);
    let group = |pattern: &str| ParameterGroup {
        parameters: vec![pattern.into()],
        ..ParameterGroup::default()
    };
    let config = TrainingConfig {
        warmup_steps: 0,
        decay_norms_and_biases: false,
        parameter_groups: vec![
            ParameterGroup {
                freeze: true,
                ..group("encoder.*")
            },
            ParameterGroup {
                learning_rate: Some(0.0),
                ..group("enc_to_dec_proj.*")
            },
            ParameterGroup {
                learning_rate: Some(0.0),
                freeze: false,
                ..group("encoder.layers.*")
            },
        ],
        ..config(4)
    };
    let names = |error: TrainingError| error.to_string();
    let mistaken = Trainer::new(made.model.clone(), config.clone(), &files).map(drop);
    let error = names(mistaken.unwrap_err());
    assert!(error.contains("\"encoder.layers.*\""), "{error}");

    let config = TrainingConfig {
        parameter_groups: config.parameter_groups[..2].to_vec(),
        ..config
    };
    let mut trainer = Trainer::new(made.model.clone(), config, &files).unwrap();
    let before = weights(&trainer, &files);
    let device = Device::flex().autodiff();
    trainer.update(vec![batch(0, &device)]).unwrap();
    for (name, after) in weights(&trainer, &files) {
        let stays = name.starts_with("encoder.") || name.starts_with("enc_to_dec_proj.");
        assert_eq!(after == before[&name], stays, "{name}");
    }
}

#[test]
fn a_loss_that_is_not_a_number_updates_nothing() {
    let _guard = alone();
    let device = Device::flex().autodiff();
    let mut trainer = trainer(config(4));
    trainer.update(vec![batch(0, &device)]).unwrap();
    let before = weights(&trainer, &ByPath);
    let mut broken = batch(1, &device);
    broken.input = broken.input * f64::NAN;
    let error = trainer.update(vec![batch(2, &device), broken]).unwrap_err();
    assert!(
        matches!(error, TrainingError::NotFinite { update: 2, .. }),
        "{error}"
    );
    assert_eq!(weights(&trainer, &ByPath), before);
    assert_eq!(trainer.progress().update, 1);
    trainer.update(vec![batch(3, &device)]).unwrap();
}

#[test]
fn models_that_cannot_be_trained_are_errors() {
    let refused = |model: PretrainedModel, config| {
        let error = Trainer::new(model, config, &ByPath).map(drop).unwrap_err();
        error.to_string()
    };
    let _guard = alone();
    let made = pretrained("", "");
    let error = refused(burn::module::Module::valid(&made.model), config(4));
    assert!(error.contains("automatic differentiation"), "{error}");
    let packed = pretrained::Weights::Packed("int8".parse().unwrap());
    let options = made.generation_config.clone();
    let device = Device::flex().autodiff();
    let packed = Pretrained::from_config(made.config, options, packed, &device);
    let error = refused(packed.model, config(4));
    assert!(error.contains("packed"), "{error}");
    let without = TrainingConfig {
        decoder_start_token_id: None,
        ..config(4)
    };
    let error = refused(model(), without);
    assert!(
        error.contains("decoder_start_token_id is not set"),
        "{error}"
    );
}

/// Notes every loss, and stops after some update.
#[derive(Default)]
struct Notes {
    losses: Vec<(usize, u64)>,
    stop_after: Option<usize>,
    saved: Vec<usize>,
    started: Option<usize>,
    evaluations: Vec<f64>,
}

impl TrainingObserver<ImageEncoder, TextDecoder> for Notes {
    fn on_start(&mut self, progress: &Progress) {
        self.started = Some(progress.update);
    }

    fn on_update(&mut self, report: &UpdateReport, _progress: &Progress) -> ControlFlow<()> {
        self.losses.push((report.update, report.loss.to_bits()));
        match self.stop_after == Some(report.update) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn evaluate(
        &mut self,
        _model: &PretrainedModel,
        progress: &Progress,
    ) -> Result<Option<Evaluation>, BoxError> {
        // Best after update 4.
        let score = -(progress.update as f64 - 4.0).abs();
        let metrics = BTreeMap::from([("eval_bleu".to_owned(), score)]);
        Ok(Some(Evaluation { metrics }))
    }

    fn on_evaluation(&mut self, evaluation: &Evaluation, _progress: &Progress) {
        self.evaluations.extend(evaluation.metrics.values());
    }

    fn on_save(&mut self, folder: &Path, progress: &Progress) {
        assert!(folder.join(TRAINING_STATE).is_file());
        self.saved.push(progress.update);
    }
}

/// A training with everything that has a state.
fn demanding(max_steps: usize) -> TrainingConfig {
    TrainingConfig {
        gradient_accumulation_steps: 2,
        ema_decay: Some(0.9),
        max_grad_norm: Some(0.5),
        label_smoothing_factor: 0.1,
        loss_spike_factor: Some(100.0),
        save_steps: Some(3),
        ..config(max_steps)
    }
}

const DROPOUT: &str = r#", "dropout": 0.2, "attention_dropout": 0.1, "decoder_layerdrop": 0.1"#;

#[test]
fn a_training_that_was_stopped_and_resumed_gives_the_same_bits() {
    let _guard = alone();
    let made = pretrained(DROPOUT, "");
    let files = PretrainedFiles::new(&made, None);
    let start = || Trainer::new(made.model.clone(), demanding(12), &files).unwrap();
    let whole = tempfile::tempdir().unwrap();
    let mut notes = Notes::default();
    let mut uninterrupted = start();
    let finished = uninterrupted.run(&mut Cycle::new(), &files, whole.path(), &mut notes);
    let last = whole.path().join("checkpoint-12");
    assert_eq!(
        finished.unwrap(),
        Finished::Complete {
            checkpoint: last.clone()
        }
    );
    assert_eq!(notes.losses.len(), 12);
    assert_eq!(notes.saved, [3, 6, 9, 12]);
    // The third update of each epoch of five micro-batches has one.
    assert_eq!(uninterrupted.progress().epoch, 4);

    let parts = tempfile::tempdir().unwrap();
    let mut losses = Vec::new();
    let mut resumed = start();
    for stop_after in [1, 2, 5, 11, 12] {
        resumed = start();
        let mut source = Cycle::new();
        if let Some(folder) = latest_checkpoint(parts.path()).unwrap() {
            let position = resumed.restore(&folder, &files).unwrap();
            source.restore(&position).unwrap();
        }
        let mut notes = Notes {
            stop_after: Some(stop_after),
            ..Notes::default()
        };
        resumed
            .run(&mut source, &files, parts.path(), &mut notes)
            .unwrap();
        losses.extend(notes.losses);
    }
    assert_eq!(losses, notes.losses);
    assert_eq!(weights(&resumed, &files), weights(&uninterrupted, &files));
    let averaged = |trainer: &Trainer<ImageEncoder, TextDecoder>| {
        let model = trainer.averaged_model().unwrap();
        let of_model = parameter_values(&model, &files as &Files).into_iter();
        let named = of_model.map(|(name, tensor)| (name, values(tensor)));
        named.collect::<BTreeMap<_, _>>()
    };
    assert_eq!(averaged(&resumed), averaged(&uninterrupted));

    assert!(averaged(&resumed) != weights(&resumed, &files));

    // A training checkpoint is a checkpoint like any other, with the weights that evaluations use.
    let options = LoadOptions {
        weights: pretrained::Weights::Ordinary,
        ..LoadOptions::default()
    };
    let loaded = Pretrained::from_folder(&last, &options, &Device::flex()).unwrap();
    let loaded = parameter_values(&loaded.model, &files as &Files);
    let expected = averaged(&uninterrupted);
    for (name, tensor) in loaded {
        assert_eq!(values(tensor), expected[&name], "{name}");
    }
}

#[test]
fn an_evaluation_that_a_stop_left_out_is_made_when_the_training_goes_on() {
    let _guard = alone();
    let output = tempfile::tempdir().unwrap();
    let start = || {
        trainer(TrainingConfig {
            eval_steps: Some(4),
            metric_for_best_model: Some("eval_bleu".into()),
            ..config(6)
        })
    };
    let mut notes = Notes {
        stop_after: Some(4),
        ..Notes::default()
    };
    start()
        .run(&mut Cycle::new(), &ByPath, output.path(), &mut notes)
        .unwrap();
    assert!(notes.evaluations.is_empty());
    for (evaluations, updates) in [(2, 2), (0, 0)] {
        let mut trainer = start();
        let folder = latest_checkpoint(output.path()).unwrap().unwrap();
        let position = trainer.restore(&folder, &ByPath).unwrap();
        let mut source = Cycle::new();
        source.restore(&position).unwrap();
        let mut notes = Notes::default();
        trainer
            .run(&mut source, &ByPath, output.path(), &mut notes)
            .unwrap();
        assert_eq!(notes.evaluations.len(), evaluations);
        assert_eq!(notes.losses.len(), updates);
        assert_eq!(trainer.progress().best.as_ref().unwrap().update, 4);
    }
}

#[test]
fn other_options_and_the_length_of_other_data_are_noticed() {
    let _guard = alone();
    let output = tempfile::tempdir().unwrap();
    let folder = output.path().join("checkpoint-1");
    let device = Device::flex().autodiff();
    let mut first = trainer(demanding(4));
    first.update(vec![batch(0, &device)]).unwrap();
    first.save(&folder, &ByPath, &Value::Null).unwrap();

    let same = TrainingConfig {
        save_steps: Some(1),
        ..demanding(4)
    };
    trainer(same).restore(&folder, &ByPath).unwrap();
    let other = TrainingConfig {
        learning_rate: 0.5,
        gradient_accumulation_steps: 3,
        ..demanding(5)
    };
    let mut other = trainer(other);
    let error = other.restore(&folder, &ByPath).unwrap_err().to_string();
    for part in [
        "learning_rate was 0.001, is 0.5",
        "max_steps was 4, is 5",
        "an update had 2 micro-batches, has 3",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(other.progress().update, 0);
    other.restore_with_changes(&folder, &ByPath).unwrap();
    assert_eq!(other.progress().update, 1);
    assert_eq!(weights(&other, &ByPath), weights(&first, &ByPath));

    // An average that is asked for later begins with the weights; one that is not wanted any more is left out.
    for ema_decay in [None, Some(0.5)] {
        let config = TrainingConfig {
            ema_decay,
            ..demanding(4)
        };
        let mut other = trainer(config);
        other.restore_with_changes(&folder, &ByPath).unwrap();
        assert_eq!(weights(&other, &ByPath), weights(&first, &ByPath));
        other.save(&folder, &ByPath, &Value::Null).unwrap();
    }
    let averaged = {
        let mut trainer = trainer(demanding(4));
        trainer.restore_with_changes(&folder, &ByPath).unwrap();
        trainer.averaged_model().unwrap()
    };
    let averaged = parameter_values(&averaged, &ByPath as &Files);
    for (name, expected) in weights(&first, &ByPath) {
        assert_eq!(values(averaged[&name].clone()), expected, "{name}");
    }
}

#[test]
fn the_best_metric_keeps_its_bits_in_a_file() {
    for bits in [0x3fd5_5555_5555_5556_u64, 0x3fb9_9999_9999_999b] {
        let best = training::Best {
            update: 3,
            metric: f64::from_bits(bits),
        };
        let text = serde_json::to_string(&best).unwrap();
        assert_eq!(serde_json::from_str::<training::Best>(&text).unwrap(), best);
    }
    let earlier = serde_json::from_str::<training::Best>(r#"{"update": 3, "metric": 0.5}"#);
    assert_eq!(earlier.unwrap().metric, 0.5);
}

#[test]
fn fresh_weights_are_a_function_of_the_seed_alone() {
    let _guard = alone();
    let made = pretrained("", "");
    let (model_config, options) = (made.config, made.generation_config);
    let fresh = |rate: f64| {
        let device = Device::flex().autodiff();
        let ordinary = pretrained::Weights::Ordinary;
        let made =
            Pretrained::from_config(model_config.clone(), options.clone(), ordinary, &device);
        let config = TrainingConfig {
            learning_rate: rate,
            warmup_steps: 0,
            weight_decay: 0.0,
            ..config(4)
        };
        let mut trainer = Trainer::new(made.model, config, &ByPath).unwrap();
        if rate == 0.0 {
            trainer.update(vec![batch(0, &device)]).unwrap();
        }
        weights(&trainer, &ByPath)
    };
    assert!(fresh(0.0) == fresh(0.1));
}

#[test]
fn any_model_can_be_saved_by_paths() {
    let _guard = alone();
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex().autodiff();
    let mut first = trainer(demanding(4));
    first.update(vec![batch(0, &device)]).unwrap();
    first
        .save(&folder.path().join("a"), &ByPath, &json!(7))
        .unwrap();
    let mut second = trainer(demanding(4));
    let position = second.restore(&folder.path().join("a"), &ByPath).unwrap();
    assert_eq!(position, json!(7));
    assert_eq!(weights(&second, &ByPath), weights(&first, &ByPath));
    let updates = [&mut first, &mut second].map(|t| t.update(vec![batch(1, &device)]).unwrap());
    assert_eq!(updates[0], updates[1]);
}

#[test]
fn the_best_and_the_last_checkpoints_are_kept() {
    let _guard = alone();
    let output = tempfile::tempdir().unwrap();
    let config = TrainingConfig {
        eval_steps: Some(2),
        save_steps: Some(1),
        save_total_limit: Some(2),
        metric_for_best_model: Some("eval_bleu".into()),
        ..config(9)
    };
    let mut trainer = trainer(config);
    let mut notes = Notes::default();
    trainer
        .run(&mut Cycle::new(), &ByPath, output.path(), &mut notes)
        .unwrap();
    assert_eq!(notes.evaluations, [-2.0, 0.0, -2.0, -4.0, -5.0]);
    let best = trainer.progress().best.clone().unwrap();
    assert_eq!((best.update, best.metric), (4, 0.0));
    assert!(best_checkpoint(output.path(), &best).is_some());
    let mut names: Vec<String> = std::fs::read_dir(output.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["checkpoint-4", "checkpoint-8", "checkpoint-9"]);
}

#[test]
fn a_state_that_is_damaged_or_of_another_model_changes_nothing() {
    let _guard = alone();
    let output = tempfile::tempdir().unwrap();
    let folder: PathBuf = output.path().join("checkpoint-1");
    let device = Device::flex().autodiff();
    let mut saved = trainer(config(4));
    saved.update(vec![batch(0, &device)]).unwrap();
    saved.save(&folder, &ByPath, &Value::Null).unwrap();

    let other = pretrained(r#", "d_model": 24, "decoder_attention_heads": 3"#, "").model;
    let mut other = Trainer::new(other, config(4), &ByPath).unwrap();
    let before = weights(&other, &ByPath);
    let error = other.restore(&folder, &ByPath).unwrap_err().to_string();
    assert!(
        error.contains("is not the state of this training"),
        "{error}"
    );
    assert_eq!(weights(&other, &ByPath), before);
    assert_eq!(other.progress().update, 0);

    for file in [TRAINING_STATE, training::OPTIMIZER, "model.safetensors"] {
        let path = folder.join(file);
        let content = std::fs::read(&path).unwrap();
        for damaged in [&content[..content.len() / 2], b"{}", b""] {
            std::fs::write(&path, damaged).unwrap();
            assert!(saved.restore(&folder, &ByPath).is_err(), "{file}");
            assert_eq!(saved.progress().update, 1);
        }
        std::fs::remove_file(&path).unwrap();
        assert!(saved.restore(&folder, &ByPath).is_err(), "{file}");
        std::fs::write(&path, content).unwrap();
    }
    saved.restore(&folder, &ByPath).unwrap();
}

#[test]
fn the_loss_falls_and_the_average_follows() {
    let _guard = alone();
    let mut trainer = trainer(TrainingConfig {
        learning_rate: 1e-2,
        ema_decay: Some(0.5),
        ..config(40)
    });
    let mut source = Cycle::new();
    let losses: Vec<f64> = (0..40)
        .map(|_| trainer.next_update(&mut source).unwrap().loss)
        .collect();
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    assert!(mean(&losses[35..]) < 0.8 * mean(&losses[..5]), "{losses:?}");
    let average = trainer.averaged_model().unwrap();
    let of = |model: &PretrainedModel| {
        let values_of = parameter_values(model, &ByPath as &Files);
        values(values_of["decoder.MBart.norm.gamma"].clone())
    };
    let distance = apart(&of(&average), &of(trainer.model()));
    assert!(distance > 0.0 && distance < 0.05, "{distance}");
}

#[test]
fn layers_that_keep_only_their_inputs_give_the_same_losses_and_gradients() {
    let _guard = alone();
    for (decoder, frozen) in [
        ("", None),
        ("", Some("encoder.*")),
        (r#", "tie_word_embeddings": false"#, Some("*.layers.0.*")),
    ] {
        let made = pretrained(decoder, "");
        let files = PretrainedFiles::new(&made, None);
        let groups = frozen.map(|pattern| ParameterGroup {
            parameters: vec![pattern.into()],
            freeze: true,
            ..ParameterGroup::default()
        });
        let mut trainers = [false, true].map(|gradient_checkpointing| {
            let config = TrainingConfig {
                gradient_checkpointing,
                parameter_groups: groups.iter().cloned().collect(),
                ..demanding(5)
            };
            Trainer::new(made.model.clone(), config, &files).unwrap()
        });
        let device = Device::flex().autodiff();
        for number in 0..5 {
            // Several texts of an image, and texts that are padded.
            let batch = Batch {
                input: pixels(2, number, &device),
                row_sources: vec![0, 1, 1, 0],
                labels: labels(4, number),
            };
            let [expected, found] = trainers
                .each_mut()
                .map(|trainer| trainer.update(vec![batch.clone()]).unwrap());
            assert!((found.loss - expected.loss).abs() < 1e-6, "{found:?}");
            let norm = (found.grad_norm / expected.grad_norm - 1.0).abs();
            assert!(norm < 1e-6, "{found:?} {expected:?}");
        }
        let [expected, found] = trainers.map(|trainer| weights(&trainer, &files));
        for (name, values) in &found {
            if !name.ends_with("k_proj.bias") {
                let apart = apart(values, &expected[name]);
                assert!(apart < 1e-5, "{name}: {apart}");
            }
        }
    }
}

#[test]
fn layers_that_are_computed_again_draw_the_same_random_numbers() {
    let _guard = alone();
    // Without dropout of attention, whose kernel does not have it.
    let model = pretrained(r#", "dropout": 0.3, "activation_dropout": 0.2"#, "").model;
    let device = Device::flex().autodiff();
    let config = TrainingConfig {
        gradient_checkpointing: true,
        learning_rate: 1e-2,
        warmup_steps: 0,
        ..config(40)
    };
    let runs = [(); 2].map(|()| {
        let mut trainer = Trainer::new(model.clone(), config.clone(), &ByPath).unwrap();
        let updates = (0..40).map(|_| trainer.update(vec![batch(0, &device)]).unwrap());
        let updates: Vec<_> = updates.collect();
        (updates, weights(&trainer, &ByPath))
    });
    for (found, expected) in runs[1].0.iter().zip(&runs[0].0) {
        assert_eq!(found, expected);
    }
    assert!(runs[0].1 == runs[1].1);
    let losses: Vec<f64> = runs[0].0.iter().map(|update| update.loss).collect();
    assert!(losses[39] < 0.7 * losses[0], "{losses:?}");
}

#[test]
fn recomputing_activations_changes_nothing() {
    let _guard = alone();
    let plain = Device::flex().autodiff();
    let recomputing = plain.clone().gradient_checkpointing();
    let made = pretrained(r#", "dropout": 0.2"#, "");
    let folder = tempfile::tempdir().unwrap();
    made.save(folder.path(), &Default::default()).unwrap();
    let reports = [plain, recomputing].map(|device| {
        let options = LoadOptions {
            weights: pretrained::Weights::Ordinary,
            ..LoadOptions::default()
        };
        let model = Pretrained::from_folder(folder.path(), &options, &device)
            .unwrap()
            .model;
        let mut trainer = Trainer::new(model, demanding(5), &ByPath).unwrap();
        let updates = (0..5).map(|number| trainer.update(vec![batch(number, &device)]).unwrap());
        updates.collect::<Vec<_>>()
    });
    for (found, expected) in reports[1].iter().zip(&reports[0]) {
        // The first update has the rate 0, so two are made with equal weights. After that they differ: Adam turns
        // the rounding of gradients that are zero in exact arithmetic, those of keys' biases, into steps.
        let tolerance = if found.update <= 2 { 1e-6 } else { 1e-5 };
        assert!(
            (found.loss - expected.loss).abs() < tolerance,
            "{reports:?}"
        );
        assert!(
            (found.grad_norm / expected.grad_norm - 1.0).abs() < 10.0 * tolerance,
            "{reports:?}"
        );
    }
}
