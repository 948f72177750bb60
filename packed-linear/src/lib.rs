//! Linear layers on [Burn](burn) whose weights are stored in few bits and multiplied at memory speed.
//!
//! Whatever a language model writes, each token takes a read of all its weights, and one row of
//! numbers is multiplied by each. Arithmetic costs nothing then, memory everything: a weight of 8 bits
//! is read four times as fast as one of 32. [`PackedLinear`] is a linear layer whose weight is ordinary
//! (trained, on every backend) or packed in a [`Format`]; [`PackedEmbedding`] is a table of which rows
//! are looked up and which may be a head too.
//!
//! What stands around linear layers in a transformer is done with them, while numbers are at hand: a
//! norm before ([`Input::normed`]), an activation after, a residual that the result is added to
//! ([`PackedLinear::forward_added`]).
//!
//! With the feature `flex`, packed weights on Burn's backend Flex are multiplied by kernels of this
//! crate, chosen for the machine; [`kernel`] says which, [`has_kernels`] whether a device has any.
//! Without it, on other devices and under automatic differentiation, Burn's own operations give the
//! same results from unpacked weights.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use packed_linear::{Activation, Format, PackedLinearConfig};
//!
//! let device = Device::flex();
//! let layer = PackedLinearConfig::new(64, 256)
//!     .with_format(Some(Format::INT8))
//!     .init(&device);
//! let x = Tensor::<2>::ones([3, 64], &device);
//! let y = layer.forward_activated(x, Activation::Gelu);
//! assert_eq!(y.dims(), [3, 256]);
//! ```
//!
//! # What is computed
//!
//! | format | weights | what they are multiplied by | sums |
//! |---|---|---|---|
//! | `f32` | as they are | as it is | `f32` |
//! | `bf16` | rounded | rounded to `bf16` | `f32` |
//! | `int8` | `-127..=127` times a scale a row (or group) | the same, a scale a row | whole, of a row (or group) |
//! | `int4` | `-8..=7` times a scale a group | as with `int8` | whole, of a group |
//!
//! Scales of weights are `bf16`, so that they are read with little more than the weights. Rounding what
//! comes in to eight bits as well is what lets the processor multiply whole numbers; ONNX Runtime and
//! CTranslate2 call it dynamic quantisation.

mod activation;
mod attention;
mod embedding;
#[cfg(feature = "flex")]
mod epilogue;
mod fallback;
#[cfg(feature = "flex")]
mod flex;
mod format;
mod input;
#[cfg(feature = "flex")]
mod kernel;
mod layer_norm;
mod linear;
mod pack;
mod shape;
#[cfg(feature = "flex")]
mod spare;
mod weight;

use burn::tensor::Device;

pub use activation::Activation;
pub use attention::{Attended, KeysValues, attention};
pub use embedding::PackedEmbedding;
pub use format::{Format, FormatError, Precision};
pub use input::Input;
pub use layer_norm::LayerNorm;
pub use linear::{PackedLinear, PackedLinearConfig};
pub use shape::{PackedShape, PackedShapeError};
pub use weight::PackedWeight;

/// Whether packed weights are multiplied by kernels on a device: it is Burn's Flex, not for training,
/// and this crate was built with its feature `flex`. Elsewhere they are unpacked.
pub fn has_kernels(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return !device.is_autodiff() && *device == Device::flex();
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// Gives memory back that a later product of about the same size may use for its result. New pages of
/// the system cost more than writing to them does: a search returns the scores of each step so.
///
/// The last eight pieces are kept. Without the feature `flex` the memory is freed.
pub fn recycle(numbers: Vec<f32>) {
    #[cfg(feature = "flex")]
    spare::give(numbers);
    #[cfg(not(feature = "flex"))]
    drop(numbers);
}

/// The name of the kernel that multiplies weights of a precision on this machine, such as
/// `avx512-vnni`; `None` if there are none, as the feature `flex` is off.
pub fn kernel(precision: Precision) -> Option<&'static str> {
    #[cfg(feature = "flex")]
    return Some(kernel::Kernel::best(precision).name);
    #[cfg(not(feature = "flex"))]
    {
        let _ = precision;
        None
    }
}

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
