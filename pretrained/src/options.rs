use crate::Weights;

/// Options of loading a checkpoint folder.
///
/// ```
/// use pretrained::{LoadOptions, Weights};
///
/// let for_training = LoadOptions {
///     weights: Weights::Ordinary,
///     ..LoadOptions::default()
/// };
/// # let _ = for_training;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// How the weights are kept in memory.
    pub weights: Weights,
    /// Whether to map a file of packed weights into memory instead of reading it. Loading then takes almost
    /// no time, and processes share the memory.
    ///
    /// The file must not be changed in place while the model is in use: if a program truncates it, the
    /// system stops this process with a bus error. Renaming another file to its name, as this crate does
    /// when it saves, is safe.
    pub memory_map: bool,
}

/// Options of composing a model from an encoder and a decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ComposeOptions {
    /// How the weights are kept in memory; to train the model, [`Weights::Ordinary`].
    pub weights: Weights,
    /// Whether a decoder whose checkpoint has no cross-attention, as those of GPT-2, BERT and RoBERTa, gets a fresh one.
    /// Without this option such a checkpoint is an error.
    pub fresh_cross_attention: bool,
}
