//! AdamW over a whole module, with parameter groups.

mod average;
mod groups;
mod schedule;
mod state_file;

use std::collections::BTreeMap;

use burn::module::Module;
use burn::optim::{AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::Tensor;

use crate::parameters::replace_values;
use crate::{ModuleGradients, TrainingError};

pub use average::MovingAverage;
pub(crate) use groups::{Defaults, plan};
pub use groups::{ParameterGroup, ParameterPlan};
pub use schedule::{Schedule, SchedulerType};
pub(crate) use state_file::{read_tensors, write_tensors};

/// AdamW's numbers; the defaults are those that CLIP-Vision-mBART50 was trained with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamWOptions {
    /// Decay of the running mean of gradients.
    pub adam_beta1: f64,
    /// Decay of the running mean of squared gradients.
    pub adam_beta2: f64,
    /// Added to the square root of the latter.
    pub adam_epsilon: f64,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self {
            adam_beta1: 0.9,
            adam_beta2: 0.98,
            adam_epsilon: 1e-8,
        }
    }
}

/// AdamW ([`burn::optim::AdamW`]) over the parameters of a module, each with its own rate and decay.
///
/// Weight decay is decoupled and multiplied by the learning rate, as PyTorch's and optax's. A parameter without
/// a gradient is left as it is, without decay, as in PyTorch. The state belongs to the names of parameters in
/// checkpoints, so it can be restored in another process.
#[derive(Clone)]
pub struct AdamWOptimiser {
    options: AdamWOptions,
    plan: BTreeMap<String, ParameterPlan>,
    states: BTreeMap<String, AdamWState<1>>,
}

impl std::fmt::Debug for AdamWOptimiser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdamWOptimiser")
            .field("options", &self.options)
            .field("parameters", &self.plan.len())
            .field("states", &self.states.len())
            .finish()
    }
}

/// What the two running means of a parameter are called in files: PyTorch's names.
const MEANS: [&str; 2] = ["exp_avg", "exp_avg_sq"];

/// What the number of a parameter's updates is called in files.
const STEP: &str = "step";

impl AdamWOptimiser {
    /// An optimiser that has made no step. The plan has Burn's paths as keys.
    pub fn new(options: AdamWOptions, plan: BTreeMap<String, ParameterPlan>) -> Self {
        Self {
            options,
            plan,
            states: BTreeMap::new(),
        }
    }

    /// How each parameter is trained, by Burn's paths.
    pub fn plan(&self) -> &BTreeMap<String, ParameterPlan> {
        &self.plan
    }

    /// Updates each parameter that has a gradient. Its rate is its highest one times `factor`.
    pub fn step<M: Module>(&mut self, module: M, mut gradients: ModuleGradients, factor: f64) -> M {
        replace_values(module, |path, values| {
            let plan = self.plan.get(path)?;
            let rate = plan.learning_rate? * factor;
            let gradient = gradients.remove(path)?;
            let state = self.states.remove(path);
            let adamw = adamw(self.options, plan.weight_decay);
            let (values, state) = adamw.step(rate, values, gradient, state);
            if let Some(state) = state {
                self.states.insert(path.into(), state);
            }
            Some(values)
        })
    }

    /// The state as named tensors with the shapes of the parameters: for each, PyTorch's `exp_avg` and
    /// `exp_avg_sq` behind its name, and its `step`.
    pub(crate) fn tensors(&self) -> Vec<(String, Vec<usize>, Tensor<1>)> {
        let mut tensors = Vec::new();
        for (path, state) in &self.states {
            let Some(ParameterPlan { name, shape, .. }) = self.plan.get(path) else {
                continue;
            };
            let AdaptiveMomentumState {
                time,
                moment_1,
                moment_2,
                ..
            } = &state.momentum;
            let device = moment_1.device();
            for (mean, values) in MEANS.iter().zip([moment_1, moment_2]) {
                tensors.push((format!("{name}.{mean}"), shape.clone(), values.clone()));
            }
            // Exact up to 2^24 updates.
            let step = Tensor::from_data([*time as f32], &device);
            tensors.push((format!("{name}.{STEP}"), vec![1], step));
        }
        tensors
    }

    /// Restores the state from named tensors.
    ///
    /// # Errors
    /// [`TrainingError::State`] if a tensor belongs to no parameter, has another number of elements, or one of
    /// the three of a parameter is missing.
    pub(crate) fn restore(
        &mut self,
        mut tensors: BTreeMap<String, Tensor<1>>,
        origin: &str,
    ) -> Result<(), TrainingError> {
        let refused = |reason: String| TrainingError::State {
            origin: origin.into(),
            reason,
        };
        let mut states = BTreeMap::new();
        for (path, ParameterPlan { name, shape, .. }) in &self.plan {
            let mut take = |part: &str| tensors.remove(&format!("{name}.{part}"));
            let parts = [take(MEANS[0]), take(MEANS[1]), take(STEP)];
            let [Some(moment_1), Some(moment_2), Some(step)] = parts else {
                match parts.iter().all(Option::is_none) {
                    true => continue,
                    false => {
                        return Err(refused(format!("parts of the state of {name} are missing")));
                    }
                }
            };
            let elements = shape.iter().product::<usize>();
            for (what, values, expected) in [
                (MEANS[0], &moment_1, elements),
                (MEANS[1], &moment_2, elements),
                (STEP, &step, 1),
            ] {
                let [found] = values.dims();
                if found != expected {
                    let reason = format!("{name}.{what} has {found} elements, expected {expected}");
                    return Err(refused(reason));
                }
            }
            let momentum = AdaptiveMomentumState {
                time: step.into_scalar::<f32>() as usize,
                moment_1,
                moment_2,
                max_moment_2: None,
            };
            states.insert(path.clone(), AdamWState { momentum });
        }
        if let Some(name) = tensors.keys().next() {
            return Err(refused(format!(
                "{name} belongs to no parameter of the model"
            )));
        }
        self.states = states;
        Ok(())
    }
}

fn adamw(options: AdamWOptions, weight_decay: f64) -> AdamW {
    AdamWConfig::new()
        .with_beta_1(options.adam_beta1 as f32)
        .with_beta_2(options.adam_beta2 as f32)
        .with_epsilon(options.adam_epsilon as f32)
        .with_weight_decay(weight_decay as f32)
        .build()
}
