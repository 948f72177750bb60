use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Tensor;

#[cfg(feature = "flex")]
use super::host::HostVector;
use crate::parameters::{replace_values, visit_values};

/// An exponential moving average of a module's weights (Polyak and Juditsky, "Acceleration of Stochastic
/// Approximation by Averaging", 1992), which often generalises better than the last weights.
#[derive(Clone, Debug)]
pub struct MovingAverage {
    decay: f64,
    values: BTreeMap<String, Tensor<1>>,
}

impl MovingAverage {
    /// Begins with the weights of the module. Only the parameters of these paths are averaged; the others
    /// are frozen.
    pub fn new<M: Module>(decay: f64, module: &M, is_averaged: impl Fn(&str) -> bool) -> Self {
        let mut values = BTreeMap::new();
        visit_values(module, |path, tensor| {
            if is_averaged(&path) {
                values.insert(path, tensor);
            }
        });
        Self { decay, values }
    }

    /// Moves the average towards the weights: `decay · average + (1 - decay) · weights`.
    pub fn update<M: Module>(&mut self, module: &M) {
        let decay = self.decay;
        visit_values(module, |path, tensor| {
            if let Some(average) = self.values.remove(&path) {
                self.values.insert(path, mixed(average, tensor, decay));
            }
        });
    }

    /// The module with the averaged weights.
    pub fn applied<M: Module>(&self, module: M) -> M {
        replace_values(module, |path, _| self.values.get(path).cloned())
    }

    pub(crate) fn values_mut(&mut self) -> &mut BTreeMap<String, Tensor<1>> {
        &mut self.values
    }
}

/// `decay · average + (1 - decay) · weights`.
///
/// # Shapes
/// - average, weights, output: `[elements]`
fn mixed(average: Tensor<1>, weights: Tensor<1>, decay: f64) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if [&average, &weights].into_iter().all(HostVector::is_host) {
        let [mut average, weights] = [average, weights].map(HostVector::new);
        average.mix(decay as f32, &weights, (1.0 - decay) as f32);
        return average.into_tensor();
    }
    average.mul_scalar(decay) + weights.mul_scalar(1.0 - decay)
}
