//! Linear layers on [Burn](burn) whose weights are stored in few bits and multiplied at memory speed.
//!
//! A language model reads all its weights for each token that it writes, and multiplies only one or a few
//! rows by them. Its speed is therefore that of the memory: a weight of 8 bits is read four times as fast as
//! one of 32. [`PackedLinear`] is a linear layer whose weight is ordinary (trainable, on every backend) or
//! packed in a [`Format`]. [`PackedEmbedding`] is a table of embeddings that can be a language model's head
//! too.
//!
//! The operations around linear layers in a transformer are fused with them: a layer norm before
//! ([`Input::normed`]), an activation after ([`PackedLinear::forward_activated`]), and the addition to a
//! residual ([`PackedLinear::forward_added`]).
//!
//! With the feature `flex`, packed weights on Burn's backend Flex are multiplied by this crate's kernels,
//! which are chosen for the machine. [`kernel()`] returns the name of the kernel, [`has_kernels`] whether
//! there are any for a device. On other devices, with autodiff and without the feature, the weights are
//! unpacked and Burn's operations compute the same results.
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
//! | format | weights | inputs | sums |
//! |---|---|---|---|
//! | `f32` | unchanged | unchanged | `f32`, in blocks |
//! | `bf16` | rounded to `bf16` | rounded to `bf16` | `f32`, in blocks |
//! | `int8` | integers from -127 to 127, a scale for each row or group | integers from -127 to 127, a scale for each row | exact within a row or group |
//! | `int4` | integers from -8 to 7, a scale for each group | integers from -127 to 127, a scale for each row | exact within a group |
//!
//! The scales of weights are `bf16`, so that they add little to what is read. Rounding the inputs to
//! integers lets the processor multiply integers; ONNX Runtime and CTranslate2 call this dynamic
//! quantisation.

mod activation;
mod attention;
#[cfg(feature = "autodiff")]
mod autodiff;
mod columns;
mod cross_entropy;
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
mod keys_values;
mod layer_norm;
mod layout;
mod linear;
mod linear_weight;
mod pack;
mod shape;
#[cfg(feature = "flex")]
mod spare;
mod weight;

#[cfg(feature = "autodiff")]
use burn::backend::GradientCheckpointingStrategy;
use burn::tensor::Device;

pub use activation::Activation;
pub use attention::{attention, biased_attention};
pub use columns::{Columns, attention_of_columns};
pub use cross_entropy::cross_entropy;
pub use embedding::PackedEmbedding;
pub use format::{Format, FormatError, GroupSize};
pub use input::Input;
pub use keys_values::{Attended, AttentionBias, KeysValues};
pub use layer_norm::{LayerNorm, apply_norm};
pub use layout::Layout;
pub use linear::{PackedLinear, PackedLinearConfig};
pub use linear_weight::LinearWeight;
pub use shape::{PackedShape, PackedShapeError};
pub use weight::PackedWeight;

/// Whether packed weights on a device are multiplied by kernels. They are if this crate was built with its
/// feature `flex` and the device is Burn's Flex without autodiff. Otherwise weights are unpacked.
pub fn has_kernels(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return !device.is_autodiff() && *device == Device::flex();
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

/// Whether ordinary weights are multiplied and differentiated by kernels on a device. They are if this crate was
/// built with its feature `autodiff` and the device is Burn's Flex with autodiff and without Burn's gradient
/// checkpointing. Otherwise Burn's operations do it.
pub fn has_gradients(device: &Device) -> bool {
    #[cfg(feature = "autodiff")]
    return *device == Device::flex().autodiff()
        && device.gradient_checkpointing_strategy()
            == Some(GradientCheckpointingStrategy::Disabled);
    #[cfg(not(feature = "autodiff"))]
    {
        let _ = device;
        false
    }
}

/// Hands over memory that a later product of about the same size can use for its result, such as the
/// scores of a search step. Fresh memory from the system costs a page fault per page, which takes longer
/// than writing to it.
///
/// The last eight large vectors are kept. Without the feature `flex` the memory is freed.
pub fn recycle(values: Vec<f32>) {
    #[cfg(feature = "flex")]
    spare::give(values);
    #[cfg(not(feature = "flex"))]
    drop(values);
}

/// The name of the kernel that multiplies weights of a format on this machine, such as `avx512-vnni`.
/// `None` without the feature `flex`.
///
/// With the environment variable `PACKED_LINEAR_KERNEL`, no faster kernel is chosen than its value says: `avx512`,
/// `avx-vnni`, `avx2` or `portable`, from the fastest to the slowest.
pub fn kernel(format: Format) -> Option<&'static str> {
    #[cfg(feature = "flex")]
    return Some(kernel::best(format).name);
    #[cfg(not(feature = "flex"))]
    {
        let _ = format;
        None
    }
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
