use serde::{Deserialize, Serialize};

use crate::TrainingError;

/// How slowly the average of the loss follows.
const DECAY: f64 = 0.98;

/// Updates before the average means something.
const BEGINNING: usize = 20;

/// Watches the loss for spikes. A part of the state of a training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LossGuard {
    /// As bits, because JSON's decimals need not give the same number back.
    average_bits: u64,
    seen: usize,
    in_a_row: usize,
}

impl LossGuard {
    /// Takes the loss of an update.
    ///
    /// # Errors
    /// [`TrainingError::LossSpike`] if the loss was above `factor` times its average for `updates` in a row.
    pub(crate) fn watch(
        &mut self,
        update: usize,
        loss: f64,
        factor: Option<f64>,
        updates: usize,
    ) -> Result<(), TrainingError> {
        let average = f64::from_bits(self.average_bits);
        let limit = factor.filter(|_| self.seen >= BEGINNING);
        if let Some(factor) = limit.filter(|factor| loss > factor * average) {
            self.in_a_row += 1;
            return match self.in_a_row >= updates {
                true => Err(TrainingError::LossSpike {
                    update,
                    loss,
                    average,
                    factor,
                    updates,
                }),
                false => Ok(()),
            };
        }
        self.in_a_row = 0;
        self.seen += 1;
        // Of the first losses it is their mean.
        let decay = DECAY.min(1.0 - 1.0 / self.seen as f64);
        self.average_bits = (decay * average + (1.0 - decay) * loss).to_bits();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_spike_of_several_updates_stops() {
        let mut guard = LossGuard::default();
        let mut watch = |loss| guard.watch(1, loss, Some(2.0), 3);
        for _ in 0..BEGINNING {
            watch(1.0).unwrap();
        }
        for _ in 0..5 {
            watch(9.0).unwrap();
            watch(9.0).unwrap();
            watch(1.0).unwrap();
        }
        watch(9.0).unwrap();
        watch(9.0).unwrap();
        let error = watch(9.0).unwrap_err().to_string();
        assert!(
            error.contains("2 times its moving average 1.0000"),
            "{error}"
        );
    }
}
