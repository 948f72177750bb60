use crate::Activation;

/// What becomes of the 32 sums of a panel: a bias is added, and perhaps a function applied.
#[derive(Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// `[outputs]`
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) activation: Option<Activation>,
}
