//! Operations of Burn on Flex whose forward and backward passes are this crate's kernels.
//!
//! Each is a value with what its backward pass needs, a [`Gradient`]. Tensors on other devices, of another type,
//! or with Burn's gradient checkpointing are left to Burn's own operations: functions here return `None`.

pub(crate) mod attention;
pub(crate) mod cross_entropy;
pub(crate) mod linear;
pub(crate) mod norm;

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
use burn::backend::{Autodiff, BackendTypes, Flex, TensorMetadata};
use burn::tensor::{DType, Shape, Tensor, TensorData};

use crate::flex::memory::FlexTensor;
use crate::spare;

/// A tensor on Flex that autodiff may track.
pub(crate) type Tracked = <Autodiff<Flex> as BackendTypes>::FloatTensorPrimitive;

/// What an operation keeps for its backward pass.
pub(crate) trait Gradient: Clone + Debug + Send + 'static {
    /// The gradients of the inputs, in their order, given that of the output. Those that are not wanted may be
    /// `None`.
    fn backward(self, gradient: FlexTensor, wanted: &[bool]) -> Vec<Option<FlexTensor>>;
}

/// A tensor of `f32` on Flex with autodiff.
pub(crate) fn tracked<const D: usize>(tensor: &Tensor<D>) -> Option<Tracked> {
    let tensor = tensor.clone().try_into_primitive::<Autodiff<Flex>>().ok()?;
    (tensor.dtype() == DType::F32).then_some(tensor)
}

/// The values of a tensor one after the other, copied only if they aren't so already.
pub(crate) fn contiguous(tensor: &FlexTensor) -> FlexTensor {
    match tensor.as_slice::<f32>() {
        Some(_) => tensor.clone(),
        None => tensor.to_contiguous(),
    }
}

/// The same without a second owner of the memory.
pub(crate) fn into_contiguous(tensor: FlexTensor) -> FlexTensor {
    match tensor.as_slice::<f32>() {
        Some(_) => tensor,
        None => tensor.to_contiguous(),
    }
}

/// A tensor of these values.
pub(crate) fn flex(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// The tensor that an operation results in; its backward pass is `gradient`, unless nothing is tracked.
///
/// # Panics
/// If there are more than eight inputs.
pub(crate) fn record<const D: usize, G: Gradient>(
    inputs: Vec<NodeGuard>,
    output: FlexTensor,
    gradient: G,
) -> Tensor<D> {
    let tensor = match inputs.len() {
        1 => record_some::<G, 1>(inputs, output, gradient),
        2 => record_some::<G, 2>(inputs, output, gradient),
        3 => record_some::<G, 3>(inputs, output, gradient),
        4 => record_some::<G, 4>(inputs, output, gradient),
        5 => record_some::<G, 5>(inputs, output, gradient),
        6 => record_some::<G, 6>(inputs, output, gradient),
        7 => record_some::<G, 7>(inputs, output, gradient),
        8 => record_some::<G, 8>(inputs, output, gradient),
        count => panic!("an operation of {count} inputs"),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(tensor)
}

fn record_some<G: Gradient, const N: usize>(
    inputs: Vec<NodeGuard>,
    output: FlexTensor,
    gradient: G,
) -> Tracked {
    let Ok(inputs) = <[NodeGuard; N]>::try_from(inputs) else {
        unreachable!("inputs were counted")
    };
    let prepared = Step::<G>(PhantomData).prepare::<NoCheckpointing>(inputs);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(operation) => operation.finish(gradient, output),
        OpsKind::UnTracked(operation) => operation.finish(output),
    }
}

/// A step of Burn's backward pass that calls a [`Gradient`].
#[derive(Debug)]
struct Step<G>(PhantomData<G>);

impl<G: Gradient, const N: usize> Backward<Flex, N> for Step<G> {
    type State = G;

    fn backward(self, ops: Ops<G, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let wanted = ops.parents.each_ref().map(Option::is_some);
        spare::keep_more();
        let gradients = ops.state.backward(gradient, &wanted);
        for (input, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(input), Some(gradient)) = (input, gradient) {
                grads.register::<Flex>(input.id, gradient);
            }
        }
    }
}
