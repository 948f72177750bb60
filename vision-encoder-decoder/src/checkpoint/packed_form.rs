//! The form of packed weights: a safetensors file whose packed tensors are of type `U32`, `[panels,
//! words of a panel]`, and whose metadata say under each one's name what its words mean, such as
//! `int8:1024x4096`, or `f32:768x3x32x32` of a convolution's kernel. All other tensors are `F32`, in
//! PyTorch's layouts and under the same names as in other forms.
//!
//! Packed tensors begin at multiples of [`ALIGNMENT`], so that they can be used where they are mapped.

/// The file.
pub(super) const FILE: &str = "model.packed.safetensors";

/// What messages call it.
pub(super) const FORMAT: &str = "packed safetensors";

/// The key under which the metadata say that this is the form, and its value: the version.
pub(super) const VERSION_KEY: &str = "packed-linear";

/// The version that is written and read.
pub(super) const VERSION: &str = "1";

/// Where packed tensors begin: a line of a cache.
pub(super) const ALIGNMENT: usize = 64;
