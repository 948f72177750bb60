//! Updates of a model, and the state that they need.

mod checkpoints;
mod config;
mod guard;
mod model_files;
mod observer;
mod replicas;
mod run;
mod source;
mod state;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, GradientCheckpointingStrategy, Int, Tensor};
use serde::{Deserialize, Serialize};
use transformer_layers::recompute::with_seed;
use vision_encoder_decoder::{Decoder, Encoder, VisionEncoderDecoder};

use crate::gradients::clipping_factor;
use crate::optimiser::{Defaults, plan};
use crate::parameters::{freeze, shapes, visit_values};
use crate::{
    AdamWOptimiser, Batch, ModuleGradients, MovingAverage, Objective, ParameterPlan, Schedule,
    ToDevice, TrainingError,
};
use guard::LossGuard;
use replicas::{Computed, Job, Replicas, compute};

pub use checkpoints::{best_checkpoint, latest_checkpoint};
pub use config::TrainingConfig;
pub use model_files::{ByPath, ModelFiles, parameter_values};
#[cfg(feature = "pretrained")]
pub(crate) use model_files::{read_parameters, write_parameters};
pub use observer::{Evaluation, TrainingObserver};
pub use run::Finished;
pub use source::BatchSource;
pub use state::{OPTIMIZER, TRAINING_STATE};

/// A model in training: the weights, the optimiser's state, and how far it has come.
///
/// Everything that the next update depends on is in this value and in the position of the data, and all of it is
/// saved. The random numbers of dropout are a function of the seed, the update and the micro-batch. So a training
/// that was stopped and resumed computes what one that was not computes, bit for bit, on a device whose
/// operations give the same result every time, such as Burn's Flex.
#[derive(Debug)]
pub struct Trainer<E: Encoder, D> {
    /// Always there, except while an update replaces it.
    model: Option<VisionEncoderDecoder<E, D>>,
    config: TrainingConfig,
    objective: Objective,
    schedule: Schedule,
    optimiser: AdamWOptimiser,
    average: Option<MovingAverage>,
    guard: LossGuard,
    progress: Progress,
    /// Whether the last update was to be evaluated, but the training was stopped before.
    evaluation_is_due: bool,
    device: Device,
    /// Copies of the model, if it is trained on several devices.
    replicas: Option<Replicas<E, D>>,
}

/// How far a training has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Updates made.
    pub update: usize,
    /// Times that all data was seen.
    pub epoch: usize,
    /// Labels learnt, without padding.
    pub tokens: u64,
    /// Texts learnt.
    pub rows: u64,
    /// The best evaluation so far, if there is a metric for it.
    pub best: Option<Best>,
}

/// The best evaluation so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "SavedBest", into = "SavedBest")]
pub struct Best {
    /// The update after which it was made.
    pub update: usize,
    /// The metric.
    pub metric: f64,
}

/// In a file: with the bits of the metric, because JSON's decimals need not give the same number back.
#[derive(Serialize, Deserialize)]
struct SavedBest {
    update: usize,
    metric: f64,
    #[serde(default)]
    metric_bits: Option<u64>,
}

impl From<Best> for SavedBest {
    fn from(best: Best) -> Self {
        Self {
            update: best.update,
            metric: best.metric,
            metric_bits: Some(best.metric.to_bits()),
        }
    }
}

impl From<SavedBest> for Best {
    fn from(saved: SavedBest) -> Self {
        Self {
            update: saved.update,
            metric: saved.metric_bits.map_or(saved.metric, f64::from_bits),
        }
    }
}

/// What happened in an update.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateReport {
    /// The update, counted from 1.
    pub update: usize,
    /// The mean loss over the update's tokens.
    pub loss: f64,
    /// The norm of all gradients together, before clipping.
    pub grad_norm: f64,
    /// The learning rate, of parameters without one of their own.
    pub learning_rate: f64,
    /// Labels that counted.
    pub tokens: usize,
    /// Texts.
    pub rows: usize,
    /// Images, or whatever else the encoder takes.
    pub sources: usize,
}

impl<E: Encoder, D: Decoder> Trainer<E, D> {
    /// A training before its first update. The model's parameters are frozen or not as the configuration says.
    ///
    /// # Errors
    /// - [`TrainingError::Config`] if an option is impossible or missing.
    /// - [`TrainingError::UnmatchedPattern`] if a parameter group matches nothing.
    /// - [`TrainingError::Model`] if the model is not on an autodiff device, or has packed weights.
    pub fn new(
        model: VisionEncoderDecoder<E, D>,
        config: TrainingConfig,
        files: &dyn ModelFiles<E, D>,
    ) -> Result<Self, TrainingError> {
        config.validate()?;
        let (objective, schedule) = (config.objective()?, config.schedule()?);
        let device = trainable_device(&model)?;
        let model = model.materialize();
        // Fresh weights are drawn when they are first used: here, and not between the random numbers of dropout.
        with_seed(&device, config.seed, false, || {
            visit_values(&model, |_, _| {})
        });
        let mut parameters = BTreeMap::new();
        for (path, shape) in shapes(&model) {
            let name = files.parameter_name(&path).ok_or_else(|| {
                TrainingError::Model(format!("its files have no name for the parameter {path}"))
            })?;
            parameters.insert(path, (name, shape));
        }
        let defaults = Defaults {
            learning_rate: config.learning_rate,
            weight_decay: config.weight_decay,
            spare_norms_and_biases: !config.decay_norms_and_biases,
        };
        let plan = plan(parameters, &config.parameter_groups, defaults)?;
        let model = freeze(model, |path| is_frozen(&plan, path));
        let average = config
            .ema_decay
            .map(|decay| MovingAverage::new(decay, &model, |path| !is_frozen(&plan, path)));
        Ok(Self {
            model: Some(model),
            objective,
            schedule,
            optimiser: AdamWOptimiser::new(config.adamw(), plan),
            average,
            guard: LossGuard::default(),
            progress: Progress::default(),
            evaluation_is_due: false,
            device,
            replicas: None,
            config,
        })
    }

    /// Trains on several devices at once: those of other devices hold a copy of the model each, and the micro-batches
    /// of an update are dealt out one by one. The first device, which has to be that of the model, adds up all gradients,
    /// has the optimiser, and gives the others the new weights. The same device can be there several times.
    ///
    /// As in Hugging Face, an update has `gradient_accumulation_steps` micro-batches of each device. Batches are given to
    /// [`update`](Self::update), or come from the [`BatchSource`], on the first device. Losses and weights are those of one
    /// device with as many micro-batches, up to the rounding of sums, and the same bits every time, where the operations
    /// of the devices give the same bits every time.
    ///
    /// This is what `ExecutionStrategy::MultiDevice` of burn-train does with `OptimMainDevice`. Burn moves tensors from
    /// device to device: through NCCL between CUDA devices, through the host otherwise.
    ///
    /// # Errors
    /// [`TrainingError::Model`] if there is no device, or the first is not the model's.
    pub fn with_devices(mut self, devices: &[Device]) -> Result<Self, TrainingError>
    where
        E::Input: ToDevice,
    {
        let Some((_, others)) = devices
            .split_first()
            .filter(|(first, _)| **first == self.device)
        else {
            return Err(TrainingError::Model(format!(
                "it is on {:?}, which has to be the first of the devices to train on, found {devices:?}",
                self.device
            )));
        };
        let is_recomputing = self.device.gradient_checkpointing_strategy()
            == Some(GradientCheckpointingStrategy::Balanced);
        let others: Vec<Device> = others
            .iter()
            .map(|device| match is_recomputing {
                true => device.clone().autodiff().gradient_checkpointing(),
                false => device.clone().inner().autodiff(),
            })
            .collect();
        self.replicas = match others.as_slice() {
            [] => None,
            others => Some(Replicas::new(self.model(), others)),
        };
        Ok(self)
    }

    /// Micro-batches of an update, on all devices together.
    pub(crate) fn micro_batches(&self) -> usize {
        self.config
            .gradient_accumulation_steps
            .saturating_mul(self.num_devices())
    }

    /// The number of devices.
    pub fn num_devices(&self) -> usize {
        1 + self.replicas.as_ref().map_or(0, Replicas::len)
    }

    /// Makes one update with the mean loss over all tokens of these micro-batches.
    ///
    /// Values are brought from the device once.
    ///
    /// # Errors
    /// - [`TrainingError::Batch`] if a batch is impossible.
    /// - [`TrainingError::NotFinite`] if the loss or the gradients are not numbers. Nothing is updated.
    /// - [`TrainingError::LossSpike`] if the configuration asks to stop at spikes. Nothing is updated.
    pub fn update(&mut self, batches: Vec<Batch<E::Input>>) -> Result<UpdateReport, TrainingError> {
        let labels = batches
            .iter()
            .map(|batch| self.objective.labels(&self.model().decoder, &batch.labels))
            .collect::<Result<Vec<_>, _>>()?;
        let tokens: usize = labels.iter().map(|labels| labels.tokens()).sum();
        let rows: usize = labels.iter().map(|labels| labels.rows()).sum();
        let sources = batches.iter().map(|batch| batch.sources()).sum();
        if tokens == 0 {
            return Err(TrainingError::Batch("an update has no micro-batch".into()));
        }
        let weight = 1.0 / tokens as f64;
        let jobs: Vec<_> = batches
            .into_iter()
            .zip(labels)
            .enumerate()
            .map(|(number, (batch, labels))| Job {
                batch,
                labels,
                seed: self.dropout_seed(number),
                recompute: self.config.gradient_checkpointing,
            })
            .collect();
        let (objective, device) = (&self.objective, &self.device);
        let model = present(&self.model);
        let Computed {
            mut gradients,
            losses,
        } = match &mut self.replicas {
            Some(replicas) => replicas.compute(objective, (model, device), jobs, weight)?,
            None => compute(objective, model, device, jobs, weight)?,
        };
        let (loss, grad_norm) = read_results(losses, &gradients)?;
        let update = self.progress.update + 1;
        let factor = self.schedule.factor(self.progress.update);
        let learning_rate = self.config.learning_rate * factor;
        for (what, value) in [("the loss", loss), ("the norm of the gradients", grad_norm)] {
            if !value.is_finite() {
                return Err(TrainingError::NotFinite {
                    update,
                    what,
                    value,
                    learning_rate,
                });
            }
        }
        let (spike, patience) = (
            self.config.loss_spike_factor,
            self.config.loss_spike_updates,
        );
        self.guard.watch(update, loss, spike, patience)?;
        let clipping = self.config.max_grad_norm.filter(|norm| *norm > 0.0);
        if let Some(factor) = clipping.and_then(|norm| clipping_factor(grad_norm, norm)) {
            gradients.scale(factor);
        }
        // Without a second owner, so that old and new weights of one parameter exist at once, and not all.
        if let Some(model) = self.model.take() {
            self.model = Some(self.optimiser.step(model, gradients, factor));
        }
        let model = present(&self.model);
        if let Some(average) = &mut self.average {
            average.update(model);
        }
        if let Some(replicas) = &mut self.replicas {
            let plan = self.optimiser.plan();
            replicas.follow(model, |path| is_frozen(plan, path));
        }
        self.progress.update = update;
        self.progress.tokens += tokens as u64;
        self.progress.rows += rows as u64;
        Ok(UpdateReport {
            update,
            loss,
            grad_norm,
            learning_rate,
            tokens,
            rows,
            sources,
        })
    }

    /// The model as it is now.
    pub fn model(&self) -> &VisionEncoderDecoder<E, D> {
        present(&self.model)
    }

    /// The model with the moving average of its weights, if the configuration asks for one.
    pub fn averaged_model(&self) -> Option<VisionEncoderDecoder<E, D>> {
        let average = self.average.as_ref()?;
        Some(average.applied(self.model().clone()))
    }

    /// The configuration.
    pub fn config(&self) -> &TrainingConfig {
        &self.config
    }

    /// What is minimised.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The optimiser, which knows how each parameter is trained.
    pub fn optimiser(&self) -> &AdamWOptimiser {
        &self.optimiser
    }

    /// How far the training has come.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Where the model is.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The seed of dropout in a micro-batch of the next update.
    fn dropout_seed(&self, micro_batch: usize) -> u64 {
        let mut seed = self.config.seed;
        for number in [self.progress.update, micro_batch] {
            // SplitMix64 (Steele, Lea and Flood, 2014), so that near numbers give unrelated seeds.
            seed = seed
                .wrapping_add(number as u64)
                .wrapping_add(0x9e37_79b9_7f4a_7c15);
            seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            seed ^= seed >> 31;
        }
        seed
    }
}

fn present<M>(model: &Option<M>) -> &M {
    match model {
        Some(model) => model,
        None => {
            panic!("an update has panicked; the model is lost, go on from the last checkpoint")
        }
    }
}

/// Whether the parameter at a path is left as it is.
fn is_frozen(plan: &BTreeMap<String, ParameterPlan>, path: &str) -> bool {
    plan.get(path)
        .is_none_or(|plan| plan.learning_rate.is_none())
}

/// The loss and the global norm of the gradients, brought from the device together.
fn read_results(
    losses: Vec<Tensor<1>>,
    gradients: &ModuleGradients,
) -> Result<(f64, f64), TrainingError> {
    let count = losses.len();
    let results = losses.into_iter().chain(gradients.squares());
    let results = Tensor::cat(results.collect(), 0);
    let results = results
        .try_into_vec_as::<f32>()
        .map_err(|error| TrainingError::Device(format!("{error:?}")))?;
    let sum = |values: &[f32]| values.iter().copied().map(f64::from).sum::<f64>();
    let (losses, squares) = results.split_at(count);
    Ok((sum(losses), sum(squares).sqrt()))
}

/// The device of a model that can be trained.
fn trainable_device<M: Module>(model: &M) -> Result<Device, TrainingError> {
    #[derive(Default)]
    struct Integers(bool);
    impl ModuleVisitor for Integers {
        fn visit_int<const N: usize>(&mut self, _param: &Param<Tensor<N, Int>>) {
            self.0 = true;
        }
    }
    let refused = |reason: &str| Err(TrainingError::Model(reason.into()));
    let mut integers = Integers::default();
    model.visit(&mut integers);
    if integers.0 {
        return refused("its weights are packed; load it with ordinary ones");
    }
    match model.devices().as_slice() {
        [device] if device.is_autodiff() => Ok(device.clone()),
        [_] => {
            refused("its device has no automatic differentiation; load it on `device.autodiff()`")
        }
        devices => refused(&format!("it is on {} devices, expected one", devices.len())),
    }
}
