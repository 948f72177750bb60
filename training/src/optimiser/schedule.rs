use serde::{Deserialize, Serialize};

/// How the learning rate changes: Hugging Face's `lr_scheduler_type`.
///
/// All of them begin with a linear warm-up from 0, so that with a warm-up the first update has the rate 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchedulerType {
    /// Falls linearly to 0: `get_linear_schedule_with_warmup`.
    #[default]
    Linear,
    /// Falls to 0 along half a cosine: `get_cosine_schedule_with_warmup`.
    Cosine,
    /// Stays: `get_constant_schedule_with_warmup`. Without warm-up steps it is `get_constant_schedule`.
    #[serde(alias = "constant_with_warmup")]
    Constant,
}

/// The factor of the learning rate at each update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How the factor changes after the warm-up.
    pub kind: SchedulerType,
    /// Updates over which the factor grows from 0 to 1.
    pub warmup_steps: usize,
    /// All updates, including those of the warm-up.
    pub max_steps: usize,
}

impl Schedule {
    /// The factor of an update, counted from 0.
    pub fn factor(self, update: usize) -> f64 {
        let Self {
            kind,
            warmup_steps,
            max_steps,
        } = self;
        if update < warmup_steps {
            return update as f64 / warmup_steps as f64;
        }
        let left = max_steps.saturating_sub(update) as f64;
        let decaying = max_steps.saturating_sub(warmup_steps).max(1) as f64;
        match kind {
            SchedulerType::Constant => 1.0,
            SchedulerType::Linear => left / decaying,
            SchedulerType::Cosine => {
                let progress = 1.0 - left / decaying;
                0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(kind: SchedulerType) -> Vec<f64> {
        let schedule = Schedule {
            kind,
            warmup_steps: 2,
            max_steps: 6,
        };
        (0..8).map(|update| schedule.factor(update)).collect()
    }

    #[test]
    fn rates_are_those_of_transformers() {
        assert_eq!(
            factors(SchedulerType::Linear),
            [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
        );
        assert_eq!(
            factors(SchedulerType::Constant),
            [0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
        );
        let cosine = factors(SchedulerType::Cosine);
        let expected = [0.0, 0.5, 1.0, 0.853_553_390_6, 0.5, 0.146_446_609_4, 0.0];
        for (found, expected) in cosine.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{cosine:?}");
        }
    }

    #[test]
    fn no_warmup_and_more_warmup_than_updates_are_possible() {
        let schedule = |warmup_steps, max_steps| Schedule {
            kind: SchedulerType::Linear,
            warmup_steps,
            max_steps,
        };
        assert_eq!(schedule(0, 4).factor(0), 1.0);
        assert_eq!(schedule(8, 4).factor(3), 0.375);
        assert_eq!(schedule(0, 0).factor(0), 0.0);
    }
}
