use serde::{Deserialize, Serialize};

/// How label smoothing spreads a share of the target over the vocabulary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSmoothing {
    /// `(1 - e) · nll + e · mean over the vocabulary of -log p`: Hugging Face's `LabelSmoother` and PyTorch's
    /// `cross_entropy(label_smoothing=e)`.
    #[default]
    HuggingFace,
    /// Cross-entropy with a target of `1 - e` and `e / (vocabulary - 1)` for every other token, less the
    /// smallest value that it can have: the original's training of CLIP-Vision-mBART50, after Flax's WMT
    /// example.
    Original,
}

/// Cross-entropy with smoothed labels as `-(on_target · log p of the target) - everywhere · (sum of all log p) -
/// constant`, where `on_target + vocabulary · everywhere` is 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SmoothedLabels {
    pub(crate) on_target: f64,
    pub(crate) everywhere: f64,
    pub(crate) constant: f64,
}

impl LabelSmoothing {
    /// The labels of a factor, which is 0 or above, and below 1.
    pub(crate) fn labels(self, factor: f64, vocab_size: usize) -> SmoothedLabels {
        let vocabulary = vocab_size as f64;
        match self {
            Self::HuggingFace => SmoothedLabels {
                on_target: 1.0 - factor,
                everywhere: factor / vocabulary,
                constant: 0.0,
            },
            Self::Original => {
                let confidence = 1.0 - factor;
                let low = factor / (vocabulary - 1.0).max(1.0);
                // The small number is the original's guard against the logarithm of 0.
                let entropy =
                    confidence * confidence.ln() + (vocabulary - 1.0) * low * (low + 1e-20).ln();
                SmoothedLabels {
                    on_target: confidence - low,
                    everywhere: low,
                    constant: -entropy,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_plain_cross_entropy_without_a_factor() {
        for form in [LabelSmoothing::HuggingFace, LabelSmoothing::Original] {
            let labels = form.labels(0.0, 10);
            assert_eq!(labels.on_target, 1.0);
            assert_eq!(labels.everywhere, 0.0);
            assert_eq!(labels.constant, 0.0);
        }
    }

    #[test]
    fn the_original_form_is_zero_where_the_prediction_is_the_smoothed_target() {
        let labels = LabelSmoothing::Original.labels(0.1, 5);
        let log_p = |p: f64| p.ln();
        let sum = log_p(0.9) + 4.0 * log_p(0.025);
        let loss = -labels.on_target * log_p(0.9) - labels.everywhere * sum - labels.constant;
        assert!(loss.abs() < 1e-12, "{loss}");
        assert!((labels.on_target + 5.0 * labels.everywhere - 1.0).abs() < 1e-12);
    }
}
