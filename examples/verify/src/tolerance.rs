use vision_encoder_decoder::checkpoint::Precision;

/// How far results may be apart, absolute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// Of hidden states, logits and log-probabilities.
    pub(crate) states: f64,
    /// Of sequence scores. A score is a sum of log-probabilities divided by length^length_penalty:
    /// where that multiplies the sum, as a negative penalty does, it multiplies the tolerance as
    /// well, since it multiplies the rounding errors of both sides.
    pub(crate) scores: f64,
    /// Whether the weights are not those that the reference was made with, but rounded, so that a
    /// search may turn elsewhere where two continuations are about equally likely.
    pub(crate) rounded: bool,
}

impl Tolerance {
    /// For a checkpoint that stores its weights so, and a reference that was made with 32 bits.
    ///
    /// Rounding to 11 significant bits moves the states of our references up to 1.9e-2 and their
    /// logits 6.0e-2, rounding to 8 bits up to 1.4e-1 and 5.1e-1.
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
