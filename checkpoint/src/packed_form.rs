//! The form of packed weights: a safetensors file whose packed tensors have the type `U32` and the shape
//! `[panels, words of a panel]`. The metadata have an entry for each of them, with its packed shape as text:
//! `int8:1024x4096`, or `f32:768x3x32x32` for the kernel of a convolution. All other tensors are `F32`, in
//! PyTorch's layouts and under the same names as in other forms.
//!
//! Packed tensors are aligned to [`ALIGNMENT`] bytes, so that they can be used in a mapped file.

/// The name of the file.
pub(crate) const FILE: &str = "model.packed.safetensors";

/// The name of the format in messages.
pub(crate) const FORMAT: &str = "packed safetensors";

/// The key of the metadata whose value is the version of the form.
pub(crate) const VERSION_KEY: &str = "packed-linear";

/// The version that this crate reads and writes.
pub(crate) const VERSION: &str = "1";

/// The alignment of packed tensors in the file, in bytes: a cache line.
pub(crate) const ALIGNMENT: usize = 64;
