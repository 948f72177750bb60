//! Where tensors of Burn's backend Flex meet the kernels: their memory is the program's.

mod attention;
mod product;

use burn::backend::{BackendTypes, Flex};
use burn::tensor::{Int, Tensor};

pub(crate) use attention::attention;
pub(crate) use product::Product;

use crate::spare;

type FlexTensor = <Flex as BackendTypes>::FloatTensorPrimitive;

/// A tensor of `f32` whose numbers stand in order, or nothing if it is none of Flex or takes part in
/// automatic differentiation.
pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Option<FlexTensor> {
    let tensor = tensor.try_into_primitive::<Flex>().ok()?;
    let tensor = match tensor.as_slice::<f32>() {
        Some(_) => tensor,
        None => tensor.to_contiguous(),
    };
    tensor.as_slice::<f32>().is_some().then_some(tensor)
}

/// A tensor of `u32`, likewise.
pub(crate) fn whole_numbers<const D: usize>(tensor: Tensor<D, Int>) -> Option<FlexTensor> {
    let tensor = tensor.try_into_primitive::<Flex>().ok()?;
    tensor.as_slice::<u32>().is_some().then_some(tensor)
}

pub(crate) fn words(tensor: &FlexTensor) -> &[u32] {
    tensor.as_slice().unwrap_or_default()
}

fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().unwrap_or_default()
}

/// The numbers of a residual, in its memory if nobody else has it.
///
/// # Panics
/// If it has other dimensions, or is of another device or type than what is multiplied.
fn own<const D: usize>(tensor: Tensor<D>, dims: [usize; D]) -> Vec<f32> {
    assert_eq!(tensor.dims(), dims, "residual of a linear layer");
    let Some(flex) = floats(tensor.clone()) else {
        panic!("a residual has to be of the device and the type of what is multiplied");
    };
    drop(tensor);
    if flex.is_unique() {
        return flex.into_data().try_into_vec().unwrap_or_default();
    }
    let numbers = numbers(&flex);
    let mut copy = spare::take(numbers.len());
    copy.extend_from_slice(numbers);
    copy
}

/// Gives the memory of a tensor back, if it is one of Flex and nobody else has it.
pub(crate) fn recycle<const D: usize>(tensor: Tensor<D>) {
    let Ok(tensor) = tensor.try_into_primitive::<Flex>() else {
        return;
    };
    if tensor.is_unique()
        && tensor.as_slice::<f32>().is_some()
        && let Ok(numbers) = tensor.into_data().try_into_vec()
    {
        spare::give(numbers);
    }
}
