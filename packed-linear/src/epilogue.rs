use crate::Activation;

/// What becomes of the 32 sums of a panel: a bias is added, perhaps a function applied, and perhaps what
/// stands there already added.
#[derive(Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// `[outputs]`
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) activation: Option<Activation>,
    /// Whether the result is added to what the output holds.
    pub(crate) is_added: bool,
}
