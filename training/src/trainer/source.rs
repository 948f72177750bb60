use crate::{Batch, BoxError};

/// Where the micro-batches come from: shuffled, read ahead and decoded by whoever implements this.
///
/// After [`restore`](Self::restore) with a position, it has to give the same batches in the same order as it gave
/// after that [`position`](Self::position) was taken. The same holds in another process.
pub trait BatchSource {
    /// What the encoder takes: its `Input`.
    type Input;

    /// The next micro-batch, or `None` at the end of an epoch. The call after that begins the next epoch.
    ///
    /// # Errors
    /// What the data can't be read for. Broken items are better counted and left out.
    fn next(&mut self) -> Result<Option<Batch<Self::Input>>, BoxError>;

    /// The position behind the last micro-batch that was given, whatever has been read ahead.
    fn position(&self) -> serde_json::Value;

    /// Goes to a position.
    ///
    /// # Errors
    /// What the position is not one of this data for.
    fn restore(&mut self, position: &serde_json::Value) -> Result<(), BoxError>;
}
