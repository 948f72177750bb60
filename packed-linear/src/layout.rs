/// The order of the dimensions of a linear layer's or a convolution's weight. All other tensors count as
/// [`OutputFirst`](Self::OutputFirst).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `[output, input]` or `[output, input, height, width]`, as in PyTorch.
    OutputFirst,
    /// `[input, output]` or `[height, width, input, output]`, as in Flax and in Burn's linear layers.
    OutputLast,
    /// [`OutputLast`](Self::OutputLast), and so in PyTorch's files too: the weight of Hugging Face's `Conv1D`, the linear
    /// layer of GPT-2. Only tables of weight names have this layout.
    Conv1d,
}
