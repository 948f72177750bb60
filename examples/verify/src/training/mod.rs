//! Compares a training, update by update, with what PyTorch computed.

mod batches;
mod options;
mod start;

use std::collections::BTreeMap;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use pretrained::{ImageEncoder, LoadOptions, Pretrained, TextDecoder, Weights};
use serde::Deserialize;
use serde_json::{Map, Value};
use training::{PretrainedFiles, Trainer, TrainingError, UpdateReport, parameter_values};

use crate::input::{InputError, content, read_json};
use crate::report::{Comparison, Report, largest_difference};
use batches::Batches;
use options::{NotRun, Options};

/// The reference file.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Reference {
    pad_token_id: u32,
    eos_token_id: u32,
    cases: Vec<Case>,
}

/// A training and what it gave.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Case {
    options: Map<String, Value>,
    steps: Vec<Step>,
    parameter_sums: BTreeMap<String, f64>,
    /// The folder of the weights at the end, if they are there.
    end: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Step {
    loss: f64,
    grad_norm: f64,
    learning_rate: f64,
    tokens: usize,
}

/// Of losses, and of norms relative to them.
const TOLERANCE: f64 = 1e-5;

/// Of learning rates, relative to the highest: both sides compute them in `f64`.
const RATE_TOLERANCE: f64 = 1e-9;

/// Of the weights at the end.
const WEIGHT_TOLERANCE: f64 = 1e-5;

/// Of the sum of a parameter at the end, divided by the square root of the number of its values, since differences of
/// random signs add up to that. We are within 5e-8.
const SUM_TOLERANCE: f64 = 1e-6;

/// Of the biases of key projections at the end. A softmax does not see them: they add the same to all scores of a
/// query. So their gradient is zero in exact arithmetic, and AdamW, which divides by its size, makes steps of its
/// rounding. PyTorch's own `f32` is up to 1.2e-4 from its `f64` there, and 5e-7 everywhere else, when the learning
/// rates of all updates add up to [`KEY_BIAS_RATES`]; more rates allow more.
const KEY_BIAS_TOLERANCE: f64 = 2.5e-4;

/// The sum of the learning rates that [`KEY_BIAS_TOLERANCE`] is for.
const KEY_BIAS_RATES: f64 = 0.007;

/// What the names of those biases end with.
const KEY_BIAS: &str = ".k_proj.bias";

/// Compares the trainings of a folder on an autodiff device.
pub(crate) fn verify(
    folder: &Path,
    device: &Device,
    report: &mut Report<'_>,
) -> Result<(), InputError> {
    let path = folder.join("reference.json");
    let reference: Reference = read_json(&path)?;
    let start = start::without_dropout(&folder.join("start"), device)?;
    for notice in &start.notices {
        report.notice(notice);
    }
    let batches = Batches::read(folder, &start, reference.pad_token_id)?;
    let (equal, rows) = batches.rows_that_end_with(reference.eos_token_id);
    report.add(Comparison::of_cases(
        "labels end with eos_token_id",
        equal,
        rows,
    ))?;
    for (number, case) in reference.cases.iter().enumerate() {
        let name = format!("case {number}");
        match Options::of(&case.options, reference.pad_token_id) {
            Ok(options) => {
                let compared = Compared {
                    folder,
                    path: &path,
                    name: &name,
                    case,
                    start: &start,
                    batches: &batches,
                    device,
                };
                compared.run(options, report)?;
            }
            Err(NotRun(reason)) => report.add(Comparison::not_run(name, 1, reason))?,
        }
    }
    Ok(())
}

/// A case with what it needs.
struct Compared<'a> {
    folder: &'a Path,
    path: &'a Path,
    name: &'a str,
    case: &'a Case,
    start: &'a Pretrained,
    batches: &'a Batches,
    device: &'a Device,
}

impl Compared<'_> {
    fn run(&self, options: Options, report: &mut Report<'_>) -> Result<(), InputError> {
        let Self { name, case, .. } = self;
        let needed = options.batches();
        if needed > self.batches.count() {
            let have = self.batches.count();
            let reason = format!("it needs {needed} batches, and batches.safetensors has {have}");
            return Ok(report.add(Comparison::not_run(*name, 1, reason))?);
        }
        let files = PretrainedFiles::new(self.start, None);
        let model = self.start.model.clone();
        let trainer = options
            .configurations()
            .map(|config| Trainer::new(model.clone(), config, &files))
            .find(|trainer| !matches!(trainer, Err(TrainingError::UnmatchedPattern { .. })));
        let mut trainer = match trainer {
            Some(Ok(trainer)) => trainer,
            Some(Err(error)) => {
                return Ok(report.add(Comparison::not_run(*name, 1, error.to_string()))?);
            }
            None => {
                let reason = "unsupported: freeze names no part of the model";
                return Ok(report.add(Comparison::not_run(*name, 1, reason))?);
            }
        };
        let mut found = Vec::new();
        for step in 0..options.steps {
            let batches = self
                .batches
                .of_update(step, options.accumulation, self.device);
            found.push(trainer.update(batches)?);
        }
        self.compare_steps(&found, report)?;
        let values = values(parameter_values(trainer.model(), &files))?;
        self.compare_sums(&values, report)?;
        match &case.end {
            Some(end) => self.compare_end(end, &values, report),
            None => Ok(()),
        }
    }

    fn key_bias_tolerance(&self) -> f64 {
        let rates: f64 = self.case.steps.iter().map(|step| step.learning_rate).sum();
        KEY_BIAS_TOLERANCE * (rates / KEY_BIAS_RATES).max(1.0)
    }

    fn compare_steps(
        &self,
        found: &[UpdateReport],
        report: &mut Report<'_>,
    ) -> Result<(), InputError> {
        let Self { name, case, .. } = self;
        let steps = &case.steps;
        if steps.len() != found.len() {
            let reason = format!(
                "the options have {} steps, and there are results of {}",
                found.len(),
                steps.len()
            );
            let differs = Comparison::of_cases(format!("{name} steps"), 0, 1).with_reason(reason);
            return Ok(report.add(differs)?);
        }
        let highest = steps
            .iter()
            .map(|step| step.learning_rate)
            .fold(0.0, f64::max);
        let relative = |found: f64, expected: f64, to: f64| match found == expected {
            true => 0.0,
            false => ((found - expected) / to).abs(),
        };
        let pairs = || found.iter().zip(steps);
        let losses = pairs().map(|(found, step)| (found.loss - step.loss).abs());
        let norms =
            pairs().map(|(found, step)| relative(found.grad_norm, step.grad_norm, step.grad_norm));
        let rates =
            pairs().map(|(found, step)| relative(found.learning_rate, step.learning_rate, highest));
        for (what, differences, tolerance) in [
            ("losses", losses.collect::<Vec<_>>(), TOLERANCE),
            ("gradient norms, relative", norms.collect(), TOLERANCE),
            ("learning rates, relative", rates.collect(), RATE_TOLERANCE),
        ] {
            report.add(of_differences(
                format!("{name} {what}"),
                &differences,
                tolerance,
            ))?;
        }
        let equal = pairs()
            .filter(|(found, step)| found.tokens == step.tokens)
            .count();
        let tokens = Comparison::of_cases(format!("{name} tokens"), equal, steps.len());
        Ok(report.add(tokens)?)
    }

    /// The differences of a parameter's values add up in its sum, with signs.
    fn compare_sums(
        &self,
        values: &BTreeMap<String, Vec<f32>>,
        report: &mut Report<'_>,
    ) -> Result<(), InputError> {
        let sums = &self.case.parameter_sums;
        for is_key_bias in [false, true] {
            let (mut differences, mut missing) = (Vec::new(), Vec::new());
            for (parameter, expected) in sums {
                if parameter.ends_with(KEY_BIAS) != is_key_bias {
                    continue;
                }
                match values.get(parameter) {
                    Some(values) => {
                        let sum: f64 = values.iter().copied().map(f64::from).sum();
                        let scale = (values.len() as f64).sqrt();
                        differences.push((sum - expected).abs() / scale);
                    }
                    None => missing.push(parameter.as_str()),
                }
            }
            let (what, tolerance) = match is_key_bias {
                false => ("sums of parameters / √values", SUM_TOLERANCE),
                true => ("sums of key biases / √values", self.key_bias_tolerance()),
            };
            if !missing.is_empty() {
                let reason = format!("the model has no parameter {}", missing.join(", "));
                let what = format!("{} {what}", self.name);
                report.add(Comparison::of_cases(what, 0, 1).with_reason(reason))?;
            } else if !differences.is_empty() {
                let what = format!("{} {what}", self.name);
                report.add(of_differences(what, &differences, tolerance))?;
            }
        }
        Ok(())
    }

    fn compare_end(
        &self,
        end: &str,
        values_found: &BTreeMap<String, Vec<f32>>,
        report: &mut Report<'_>,
    ) -> Result<(), InputError> {
        if end.is_empty() || end.contains(['/', '\\']) || end.starts_with('.') {
            let reason = format!("{} names the folder {end:?}, expected a name", self.name);
            return Err(content(self.path, reason));
        }
        let options = LoadOptions {
            weights: Weights::Ordinary,
            ..LoadOptions::default()
        };
        let device = self.device.clone().inner();
        let end = Pretrained::from_folder(self.folder.join(end), &options, &device)?;
        let files = PretrainedFiles::new(&end, None);
        let expected = values(parameter_values::<ImageEncoder, TextDecoder>(
            &end.model, &files,
        ))?;
        for is_key_bias in [false, true] {
            let of_kind = |name: &&String| name.ends_with(KEY_BIAS) == is_key_bias;
            let names: Vec<&String> = expected.keys().filter(of_kind).collect();
            let missing = values_found.keys().filter(of_kind).count() != names.len();
            let (what, tolerance) = match is_key_bias {
                false => ("final weights", WEIGHT_TOLERANCE),
                true => ("final key biases", self.key_bias_tolerance()),
            };
            let what = format!("{} {what}", self.name);
            let differences: Vec<f64> = names
                .iter()
                .map(|name| {
                    let found = values_found.get(*name).map_or(&[][..], Vec::as_slice);
                    largest_difference(found, &expected[*name])
                })
                .collect();
            let compared = of_differences(what, &differences, tolerance);
            report.add(match missing {
                true => compared.with_difference(f64::INFINITY, tolerance),
                false => compared,
            })?;
        }
        Ok(())
    }
}

/// Counts differences that are within a tolerance.
fn of_differences(what: String, differences: &[f64], tolerance: f64) -> Comparison {
    let equal = differences
        .iter()
        .filter(|difference| **difference <= tolerance)
        .count();
    let largest = differences.iter().copied().fold(0.0, f64::max);
    let largest = match differences.iter().any(|difference| difference.is_nan()) {
        true => f64::INFINITY,
        false => largest,
    };
    Comparison::of_cases(what, equal, differences.len()).with_difference(largest, tolerance)
}

/// Brings parameters from their device.
fn values(
    parameters: BTreeMap<String, Tensor<1>>,
) -> Result<BTreeMap<String, Vec<f32>>, InputError> {
    let read = |(name, tensor): (String, Tensor<1>)| {
        let values = tensor.try_into_vec_as::<f32>();
        let values = values.map_err(|error| TrainingError::Device(format!("{error:?}")))?;
        Ok((name, values))
    };
    parameters.into_iter().map(read).collect()
}
