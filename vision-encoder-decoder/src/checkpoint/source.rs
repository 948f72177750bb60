use crate::LoadError;

/// The tensors of a checkpoint by name, in PyTorch's layouts, read as `f32`.
pub trait TensorSource {
    /// Where the tensors come from, for messages: a path.
    fn origin(&self) -> &str;

    /// The names of all tensors.
    fn names(&self) -> Vec<&str>;

    /// The shape of a tensor, or nothing if there is none of that name.
    fn shape(&self, name: &str) -> Option<&[usize]>;

    /// Reads `values.len()` elements of a tensor, in row-major order from element `start` on.
    ///
    /// # Errors
    /// [`LoadError`] if they can't be read or are no floating-point numbers.
    fn read(&self, name: &str, start: usize, values: &mut [f32]) -> Result<(), LoadError>;
}
