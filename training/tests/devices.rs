//! A training on several devices is that of one device.

#[expect(dead_code, reason = "not every test needs everything")]
mod common;

use std::ops::ControlFlow;

use burn::tensor::Device;
use common::{Cycle, alone, apart, batch, config, pretrained, weights};
use pretrained::{ImageEncoder, Pretrained, TextDecoder};
use training::{
    BatchSource, ByPath, ParameterGroup, Progress, Trainer, TrainingConfig, TrainingObserver,
    UpdateReport, latest_checkpoint,
};

type Tiny = Trainer<ImageEncoder, TextDecoder>;

const DROPOUT: &str = r#", "dropout": 0.2, "attention_dropout": 0.1, "decoder_layerdrop": 0.1"#;

/// Burn has one device of Flex, so each has a copy of the model and a thread, and all have the same cores.
fn flex(count: usize) -> Vec<Device> {
    vec![Device::flex(); count]
}

fn trainer(made: &Pretrained, devices: usize, accumulation: usize) -> Tiny {
    let config = TrainingConfig {
        gradient_accumulation_steps: accumulation,
        ema_decay: Some(0.9),
        max_grad_norm: Some(0.5),
        adam_epsilon: 1e-4,
        label_smoothing_factor: 0.1,
        save_steps: Some(3),
        parameter_groups: vec![ParameterGroup {
            parameters: vec!["encoder.*.layers.0.*".into()],
            freeze: true,
            ..ParameterGroup::default()
        }],
        ..config(12)
    };
    let files = training::PretrainedFiles::new(made, None);
    let trainer = Trainer::new(made.model.clone(), config, &files).unwrap();
    trainer.with_devices(&flex(devices)).unwrap()
}

#[derive(Default)]
struct Notes {
    updates: Vec<UpdateReport>,
    stop_after: Option<usize>,
}

impl TrainingObserver<ImageEncoder, TextDecoder> for Notes {
    fn on_update(&mut self, report: &UpdateReport, _progress: &Progress) -> ControlFlow<()> {
        self.updates.push(report.clone());
        match self.stop_after == Some(report.update) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

#[test]
fn losses_norms_and_weights_are_those_of_one_device_with_the_same_batches() {
    let _guard = alone();
    let made = pretrained(DROPOUT, "");
    let mut one = trainer(&made, 1, 6);
    let mut two = trainer(&made, 2, 3);
    let mut three = trainer(&made, 3, 2);
    assert_eq!(
        [&one, &two, &three].map(|trainer| trainer.num_devices()),
        [1, 2, 3]
    );
    let mut sources = [Cycle::new(), Cycle::new(), Cycle::new()];
    // An epoch of five micro-batches is less than an update, so devices have different numbers of them.
    for update in 0..8 {
        let mut reports = [&mut one, &mut two, &mut three]
            .into_iter()
            .zip(&mut sources)
            .map(|(trainer, source)| trainer.next_update(source).unwrap());
        let expected = reports.next().unwrap();
        for found in reports {
            assert!(
                (found.loss - expected.loss).abs() < 1e-5,
                "{update}: {found:?} {expected:?}"
            );
            let norm = (found.grad_norm / expected.grad_norm - 1.0).abs();
            // Two updates are made with equal weights, as the first has the rate 0. After that, each multiplies the
            // rounding of the one before.
            let limit = if update < 2 { 1e-5 } else { 1e-3 };
            assert!(norm < limit, "{update}: {found:?} {expected:?}");
            assert_eq!(
                (found.tokens, found.rows, found.sources),
                (expected.tokens, expected.rows, expected.sources)
            );
        }
    }
    let expected = weights(&one, &ByPath);
    for trainer in [&two, &three] {
        for (name, values) in weights(trainer, &ByPath) {
            // Softmax does not see the biases of keys: their steps are rounding.
            if !name.contains("key.bias") {
                let apart = apart(&values, &expected[&name]);
                assert!(apart < 1e-3, "{name}: {apart}");
            }
        }
    }
}

#[test]
fn every_run_gives_the_same_bits_also_after_a_stop() {
    let _guard = alone();
    let made = pretrained(DROPOUT, "");
    let files = training::PretrainedFiles::new(&made, None);
    let mut runs = Vec::new();
    for stops in [&[12][..], &[12], &[1, 4, 5, 12]] {
        let output = tempfile::tempdir().unwrap();
        let mut updates = Vec::new();
        let mut weights_of_last = None;
        for stop_after in stops {
            let mut trainer = trainer(&made, 2, 1);
            let mut source = Cycle::new();
            if let Some(folder) = latest_checkpoint(output.path()).unwrap() {
                let position = trainer.restore(&folder, &files).unwrap();
                source.restore(&position).unwrap();
            }
            let mut notes = Notes {
                stop_after: Some(*stop_after),
                ..Notes::default()
            };
            trainer
                .run(&mut source, &files, output.path(), &mut notes)
                .unwrap();
            updates.extend(notes.updates);
            weights_of_last = Some(weights(&trainer, &ByPath));
        }
        assert_eq!(updates.len(), 12);
        runs.push((updates, weights_of_last));
    }
    assert!(runs[1] == runs[0], "run again");
    assert!(runs[2] == runs[0], "stopped and resumed");
}

#[test]
fn what_can_not_be_learnt_on_one_device_updates_none() {
    let _guard = alone();
    let made = pretrained("", "");
    let device = Device::flex().autodiff();
    let mut trainer = trainer(&made, 2, 1);
    let mut reference = self::trainer(&made, 2, 1);
    let mut broken = batch(1, &device);
    broken.row_sources[0] = 7;
    for wrong in [0, 1] {
        let mut batches = vec![batch(0, &device), batch(2, &device)];
        batches[wrong] = broken.clone();
        let error = trainer.update(batches).unwrap_err().to_string();
        assert!(error.contains("source 7"), "{error}");
    }
    for number in 0..2 {
        let updates = [&mut trainer, &mut reference].map(|trainer| {
            let batches = vec![batch(number, &device), batch(number + 1, &device)];
            trainer.update(batches).unwrap()
        });
        assert_eq!(updates[0], updates[1]);
    }
}

#[test]
fn the_first_device_is_that_of_the_model() {
    // Making a trainer seeds.
    let _guard = alone();
    let made = pretrained("", "");
    let trainer = Trainer::new(made.model.clone(), config(4), &ByPath).unwrap();
    let error = trainer.with_devices(&[]).map(drop).unwrap_err().to_string();
    assert!(error.contains("the first of the devices"), "{error}");
}
