//! Modules and tensors with fixed values. Burn's random numbers are shared by all tests of a process.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// Gives every parameter of a module values that depend only on its place in the module.
pub(crate) fn filled<M: Module>(module: M) -> M {
    struct Fill(usize);
    impl ModuleMapper for Fill {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            self.0 += 1;
            param.map(|tensor| {
                let values = waves(tensor.dims(), self.0, &tensor.device());
                values.set_require_grad(tensor.is_require_grad())
            })
        }
    }
    module.map(&mut Fill(0))
}

/// Values between -0.5 and 0.5 that differ from one `phase` to another.
pub(crate) fn waves<const D: usize>(shape: [usize; D], phase: usize, device: &Device) -> Tensor<D> {
    let count = shape.iter().product();
    let values = (0..count).map(|i| 0.5 * ((i * i + 7 * i) as f32 * 0.37 + phase as f32).sin());
    Tensor::from_data(TensorData::new(values.collect::<Vec<f32>>(), shape), device)
}

/// The largest absolute difference.
pub(crate) fn difference<const D: usize>(a: Tensor<D>, b: Tensor<D>) -> f32 {
    (a - b).abs().max().into_scalar::<f32>()
}
