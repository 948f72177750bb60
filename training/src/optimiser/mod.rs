//! AdamW over a whole module, with parameter groups.

mod average;
mod groups;
#[cfg(feature = "flex")]
pub(crate) mod host;
mod schedule;
mod state_file;

use std::collections::{BTreeMap, BTreeSet};

use burn::module::Module;
use burn::optim::{AdamWConfig, AdamWState, AdaptiveMomentumState, Optimizer};
use burn::tensor::Tensor;

use crate::parameters::{shapes, update_values};
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

    /// An optimiser that trains all parameters of a module alike, and calls them by Burn's paths.
    pub fn uniform<M: Module>(
        options: AdamWOptions,
        module: &M,
        learning_rate: f64,
        weight_decay: f64,
    ) -> Self {
        let plan = |(path, shape): (String, Vec<usize>)| {
            let plan = ParameterPlan {
                name: path.clone(),
                shape,
                learning_rate: Some(learning_rate),
                weight_decay,
            };
            (path, plan)
        };
        Self::new(options, shapes(module).into_iter().map(plan).collect())
    }

    /// How each parameter is trained, by Burn's paths.
    pub fn plan(&self) -> &BTreeMap<String, ParameterPlan> {
        &self.plan
    }

    /// Updates each parameter that has a gradient. Its rate is its highest one times `factor`.
    pub fn step<M: Module>(&mut self, module: M, mut gradients: ModuleGradients, factor: f64) -> M {
        let Self {
            options,
            plan,
            states,
        } = self;
        let rate = |path: &str| Some((plan.get(path)?, plan.get(path)?.learning_rate? * factor));
        let paths: BTreeSet<String> = gradients
            .paths()
            .filter(|path| rate(path).is_some())
            .map(String::from)
            .collect();
        update_values(
            module,
            |path| paths.contains(path),
            |path, values| {
                let (Some((plan, rate)), Some(gradient)) = (rate(path), gradients.remove(path))
                else {
                    return values;
                };
                let step = Step {
                    options: *options,
                    weight_decay: plan.weight_decay,
                    rate,
                };
                let (values, state) = step.apply(values, gradient, states.remove(path));
                if let Some(state) = state {
                    states.insert(path.into(), state);
                }
                values
            },
        )
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

/// A step of one parameter.
struct Step {
    options: AdamWOptions,
    weight_decay: f64,
    rate: f64,
}

impl Step {
    /// # Shapes
    /// - values, gradient, output: `[elements]`
    fn apply(
        &self,
        values: Tensor<1>,
        gradient: Tensor<1>,
        state: Option<AdamWState<1>>,
    ) -> (Tensor<1>, Option<AdamWState<1>>) {
        #[cfg(feature = "flex")]
        if is_on_host(&values, &gradient, state.as_ref()) {
            let (values, state) = self.apply_on_host(values, gradient, state);
            return (values, Some(state));
        }
        self.apply_composed(values, gradient, state)
    }

    fn apply_composed(
        &self,
        values: Tensor<1>,
        gradient: Tensor<1>,
        state: Option<AdamWState<1>>,
    ) -> (Tensor<1>, Option<AdamWState<1>>) {
        let adamw = AdamWConfig::new()
            .with_beta_1(self.options.adam_beta1 as f32)
            .with_beta_2(self.options.adam_beta2 as f32)
            .with_epsilon(self.options.adam_epsilon as f32)
            .with_weight_decay(self.weight_decay as f32)
            .build();
        adamw.step(self.rate, values, gradient, state)
    }

    /// The same in the memory of the arguments, all of which are on the CPU.
    #[cfg(feature = "flex")]
    fn apply_on_host(
        &self,
        values: Tensor<1>,
        gradient: Tensor<1>,
        state: Option<AdamWState<1>>,
    ) -> (Tensor<1>, AdamWState<1>) {
        let (mean, squares, time) = match state {
            Some(AdamWState { momentum }) => (momentum.moment_1, momentum.moment_2, momentum.time),
            None => (gradient.zeros_like(), gradient.zeros_like(), 0),
        };
        let tensors = [values, gradient, mean, squares];
        let [mut values, gradient, mut mean, mut squares] = tensors.map(host::HostVector::new);
        let numbers = host::StepNumbers {
            beta: [
                self.options.adam_beta1 as f32,
                self.options.adam_beta2 as f32,
            ],
            epsilon: self.options.adam_epsilon as f32,
            weight_decay: self.weight_decay as f32,
            learning_rate: self.rate,
            time: time + 1,
        };
        host::adamw(numbers, &mut values, &gradient, [&mut mean, &mut squares]);
        gradient.recycle();
        let momentum = AdaptiveMomentumState {
            time: time + 1,
            moment_1: mean.into_tensor(),
            moment_2: squares.into_tensor(),
            max_moment_2: None,
        };
        (values.into_tensor(), AdamWState { momentum })
    }
}

/// Whether values, their gradient and their state are all on the CPU.
#[cfg(feature = "flex")]
fn is_on_host(values: &Tensor<1>, gradient: &Tensor<1>, state: Option<&AdamWState<1>>) -> bool {
    let moments = state.map(|state| [&state.momentum.moment_1, &state.momentum.moment_2]);
    let mut tensors = [values, gradient]
        .into_iter()
        .chain(moments.into_iter().flatten());
    tensors.all(host::HostVector::is_host)
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// Values between -1 and 1 of many magnitudes.
    fn values(count: usize, phase: usize) -> Tensor<1> {
        let value = |i: usize| ((i * i + phase) as f32 * 0.37).sin().powi(5);
        let values: Vec<f32> = (0..count).map(value).collect();
        Tensor::from_data(TensorData::new(values, [count]), &Device::flex())
    }

    fn bits(tensor: &Tensor<1>) -> Vec<u32> {
        let values = tensor.clone().try_into_vec_as::<f32>().unwrap();
        values.into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn steps_in_place_are_bit_for_bit_those_of_burns_optimiser() {
        for count in [1, 40_000] {
            let mut both = [(values(count, 1), None), (values(count, 1), None)];
            for update in 0..4 {
                let step = Step {
                    options: AdamWOptions::default(),
                    weight_decay: [0.0, 0.01][update % 2],
                    rate: 1e-2 / (update + 1) as f64,
                };
                let [host, composed] = both;
                let gradient = || values(count, 100 * update);
                let (host, state) = step.apply_on_host(host.0, gradient(), host.1);
                let composed = step.apply_composed(composed.0, gradient(), composed.1);
                assert!(bits(&host) == bits(&composed.0), "weights, {update}");
                both = [(host, Some(state)), composed];
                let [host, composed] = both
                    .each_ref()
                    .map(|(_, state)| &state.as_ref().unwrap().momentum);
                assert_eq!(host.time, composed.time);
                assert!(bits(&host.moment_1) == bits(&composed.moment_1));
                assert!(bits(&host.moment_2) == bits(&composed.moment_2));
            }
        }
    }

    #[test]
    fn shared_weights_are_copied_and_not_changed() {
        let weights = values(100, 1);
        let step = Step {
            options: AdamWOptions::default(),
            weight_decay: 0.0,
            rate: 0.1,
        };
        let (updated, _) = step.apply(weights.clone(), values(100, 2), None);
        assert!(bits(&weights) == bits(&values(100, 1)));
        assert!(bits(&updated) != bits(&weights));
    }

    #[test]
    fn sums_of_squares_are_exact_and_gradients_are_added_and_scaled() {
        let gradient = values(70_000, 3);
        let exact: f64 = gradient
            .clone()
            .try_into_vec_as::<f32>()
            .unwrap()
            .into_iter()
            .map(|v| f64::from(v).powi(2))
            .sum();
        let found = f64::from(host::HostVector::new(gradient.clone()).squares());
        assert!(
            (found - exact).abs() <= 1e-6 * exact,
            "{found} is not {exact}"
        );
        let mut sum = host::HostVector::new(gradient.clone());
        sum.add(&host::HostVector::new(values(70_000, 4)));
        sum.scale(0.5);
        let expected = (gradient + values(70_000, 4)) * 0.5;
        assert!(bits(&sum.into_tensor()) == bits(&expected));
    }
}
