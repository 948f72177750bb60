//! Access to the memory of Flex tensors.

use burn::backend::{BackendTypes, Flex};
use burn::tensor::{DType, Int, Tensor};

use crate::spare;

pub(crate) type FlexTensor = <Flex as BackendTypes>::FloatTensorPrimitive;

/// A contiguous tensor of `f32`. `None` if the tensor is on another backend, tracked by autodiff or of
/// another type.
pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Option<FlexTensor> {
    let tensor = strided_floats(tensor)?;
    Some(match tensor.as_slice::<f32>() {
        Some(_) => tensor,
        None => tensor.to_contiguous(),
    })
}

/// A tensor of `f32` with any strides. `None` if the tensor is on another backend, tracked by autodiff or
/// of another type.
pub(crate) fn strided_floats<const D: usize>(tensor: Tensor<D>) -> Option<FlexTensor> {
    let tensor = tensor.try_into_primitive::<Flex>().ok()?;
    (tensor.dtype() == DType::F32).then_some(tensor)
}

/// A contiguous tensor of `u32`. `None` if the tensor is on another backend, of another type or not
/// contiguous.
pub(crate) fn integers<const D: usize>(tensor: Tensor<D, Int>) -> Option<FlexTensor> {
    let tensor = tensor.try_into_primitive::<Flex>().ok()?;
    tensor.as_slice::<u32>().is_some().then_some(tensor)
}

/// The elements of a tensor from [`integers`].
pub(crate) fn words(tensor: &FlexTensor) -> &[u32] {
    tensor.as_slice().unwrap_or_default()
}

/// The elements of a tensor from [`floats`].
pub(crate) fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().unwrap_or_default()
}

/// The elements of a residual, without a copy if its memory is not shared.
///
/// # Panics
/// If the residual has other dimensions, or is on another device or of another type than the kernels use.
pub(crate) fn into_residual<const D: usize>(tensor: Tensor<D>, dims: [usize; D]) -> Vec<f32> {
    assert_eq!(tensor.dims(), dims, "residual of a linear layer");
    let Some(flex) = floats(tensor.clone()) else {
        panic!("a residual must be on the device and of the type of the input");
    };
    drop(tensor);
    if flex.is_unique() {
        return flex.into_data().try_into_vec().unwrap_or_default();
    }
    let values = values(&flex);
    let mut copy = spare::take(values.len());
    copy.extend_from_slice(values);
    copy
}

/// Puts the memory of a tensor into the pool of [`spare`], if it is not shared.
pub(crate) fn recycle<const D: usize>(tensor: Tensor<D>) {
    if let Ok(tensor) = tensor.try_into_primitive::<Flex>() {
        recycle_flex(tensor);
    }
}

/// Puts the memory of a tensor into the pool of [`spare`], if it is not shared.
pub(crate) fn recycle_flex(tensor: FlexTensor) {
    if tensor.is_unique()
        && tensor.as_slice::<f32>().is_some()
        && let Ok(values) = tensor.into_data().try_into_vec()
    {
        spare::give(values);
    }
}
