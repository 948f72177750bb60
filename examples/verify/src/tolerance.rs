use checkpoint::Precision;

/// The largest absolute differences between results that still count as equal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// Of hidden states, logits and log-probabilities.
    pub(crate) states: f64,
    /// Of sequence scores. A score is a sum of log-probabilities divided by length^length_penalty. A
    /// negative penalty multiplies the sum, and with it the rounding errors of both sides, so it
    /// multiplies the tolerance too.
    pub(crate) scores: f64,
    /// Whether the checkpoint's weights are rounded, while the reference was made with `f32`. A search
    /// may then decide differently between two continuations that are about equally likely.
    pub(crate) rounded: bool,
}

impl Tolerance {
    /// For a checkpoint with weights of this precision and a reference that was made with `f32`.
    ///
    /// Rounding weights to 11 significant bits moves the states of our references by up to 1.9e-2 and
    /// their logits by up to 6.0e-2; rounding to 8 bits, by up to 1.4e-1 and 5.1e-1.
    pub(crate) fn of(precision: Precision) -> Self {
        let (factor, rounded) = match precision {
            Precision::F32 => (1.0, false),
            Precision::F16 => (512.0, true),
            Precision::BF16 => (4096.0, true),
        };
        Self {
            states: 2e-4 * factor,
            scores: 1e-4 * factor,
            rounded,
        }
    }
}
