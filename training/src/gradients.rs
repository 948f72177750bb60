use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

#[cfg(feature = "flex")]
use crate::optimiser::host::HostVector;
use crate::parameters::{Place, flat};

/// The gradients of a module's parameters by Burn's paths, which add up over backward passes.
///
/// Each is kept in one dimension, outside of automatic differentiation.
#[derive(Clone, Debug, Default)]
pub struct ModuleGradients {
    gradients: BTreeMap<String, Tensor<1>>,
}

impl ModuleGradients {
    /// Adds what a backward pass found for the parameters of the module. A parameter that the pass did not
    /// reach, or that is frozen, is left as it was.
    pub fn add<M: Module>(&mut self, module: &M, gradients: &mut Gradients) {
        module.visit(&mut Collector {
            place: Place::default(),
            from: gradients,
            to: &mut self.gradients,
        });
    }

    /// Adds gradients that another device found, which are brought to this one.
    pub(crate) fn add_from(&mut self, other: Self, device: &Device) {
        for (path, gradient) in other.gradients {
            add_to(&mut self.gradients, path, gradient.to_device(device));
        }
    }

    /// The gradient of the parameter at a path.
    ///
    /// # Shapes
    /// - output: `[elements]`
    pub fn get(&self, path: &str) -> Option<&Tensor<1>> {
        self.gradients.get(path)
    }

    /// Removes the gradient of the parameter at a path.
    ///
    /// # Shapes
    /// - output: `[elements]`
    pub fn remove(&mut self, path: &str) -> Option<Tensor<1>> {
        self.gradients.remove(path)
    }

    /// The paths of the parameters that have a gradient, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.gradients.keys().map(String::as_str)
    }

    /// Whether no parameter has a gradient.
    pub fn is_empty(&self) -> bool {
        self.gradients.is_empty()
    }

    /// The sum of squares of each gradient, sorted by path. They stay on the device; the square root of their
    /// sum is the global norm.
    ///
    /// # Shapes
    /// - output: `[gradients]`, `None` if there are none
    pub fn squares(&self) -> Option<Tensor<1>> {
        let all: Vec<_> = self.gradients.values().map(sum_of_squares).collect();
        (!all.is_empty()).then(|| Tensor::cat(all, 0))
    }

    /// Multiplies all gradients by a factor.
    pub fn scale(&mut self, factor: f64) {
        for gradient in self.gradients.values_mut() {
            let values = std::mem::replace(gradient, Tensor::empty([0], &gradient.device()));
            *gradient = scaled(values, factor);
        }
    }
}

struct Collector<'a> {
    place: Place,
    from: &'a mut Gradients,
    to: &'a mut BTreeMap<String, Tensor<1>>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.place.enter(name);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            return;
        }
        let Some(gradient) = param.val().grad_remove(self.from) else {
            return;
        };
        add_to(self.to, self.place.path(), flat(gradient));
    }
}

/// Adds a gradient to that of the same path, if there is one.
fn add_to(gradients: &mut BTreeMap<String, Tensor<1>>, path: String, gradient: Tensor<1>) {
    let sum = match gradients.remove(&path) {
        Some(sum) => added(sum, gradient),
        None => gradient,
    };
    gradients.insert(path, sum);
}

/// The sum of the squares of a gradient.
///
/// # Shapes
/// - output: `[1]`
fn sum_of_squares(gradient: &Tensor<1>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if HostVector::is_host(gradient) {
        let sum = HostVector::new(gradient.clone()).squares();
        return Tensor::from_data([sum], &gradient.device());
    }
    gradient.clone().square().sum()
}

fn scaled(gradient: Tensor<1>, factor: f64) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if HostVector::is_host(&gradient) {
        let mut gradient = HostVector::new(gradient);
        gradient.scale(factor as f32);
        return gradient.into_tensor();
    }
    gradient.mul_scalar(factor)
}

fn added(sum: Tensor<1>, gradient: Tensor<1>) -> Tensor<1> {
    #[cfg(feature = "flex")]
    if [&sum, &gradient].into_iter().all(HostVector::is_host) {
        let [mut sum, gradient] = [sum, gradient].map(HostVector::new);
        sum.add(&gradient);
        gradient.recycle();
        return sum.into_tensor();
    }
    sum.add(gradient)
}

/// The factor that clips gradients of this global norm, as PyTorch's `clip_grad_norm_` does: `None` if the norm is
/// not above `max_norm`.
pub fn clipping_factor(norm: f64, max_norm: f64) -> Option<f64> {
    // PyTorch adds this to avoid a division by zero.
    let factor = max_norm / (norm + 1e-6);
    (factor < 1.0).then_some(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gradients_above_the_norm_are_clipped() {
        assert_eq!(clipping_factor(0.5, 1.0), None);
        let factor = clipping_factor(4.0, 1.0).unwrap();
        assert!((factor - 0.25).abs() < 1e-6);
    }
}
