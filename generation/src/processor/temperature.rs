use crate::LogitsProcessor;

/// Divides scores: a temperature below 1 makes likely tokens more likely, one above 1 unlikely
/// tokens.
///
/// Hugging Face: `TemperatureLogitsWarper`.
#[derive(Clone, Debug)]
pub(super) struct Temperature {
    temperature: f32,
}

impl Temperature {
    /// `temperature` is above 0.
    pub(super) fn new(temperature: f32) -> Self {
        Self { temperature }
    }
}

impl LogitsProcessor for Temperature {
    fn process(&self, _tokens: &[u32], scores: &mut [f32]) {
        for score in scores {
            *score /= self.temperature;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_divided() {
        let mut scores = [1.0, -3.0, f32::NEG_INFINITY];
        Temperature::new(2.0).process(&[], &mut scores);
        assert_eq!(scores, [0.5, -1.5, f32::NEG_INFINITY]);
    }
}
