use crate::Activation;

/// What is done with the sums of a product before they are written: the bias is added, the activation
/// applied, and the result added to what the output holds. Each is optional.
#[derive(Clone, Copy)]
pub(crate) struct Epilogue<'a> {
    /// `[outputs]`
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) activation: Option<Activation>,
    /// Whether the result is added to what the output holds.
    pub(crate) is_added: bool,
}
