//! Cross-entropy of a block of positions and its gradient with Burn's operations, where there is no kernel for them, in
//! closed form: `softmax(logits) - smoothed target`.
//!
//! Automatic differentiation would keep several tensors as large as the logits.

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use super::smoothing::SmoothedLabels;

/// Logits of some positions, reduced to what the loss needs.
pub(super) struct CrossEntropy {
    exponentials: Tensor<2>, // [positions, vocabulary]
    normaliser: Tensor<2>,   // [positions, 1]
    losses: Tensor<2>,       // [positions, 1]
    targets: Tensor<2, Int>, // [positions, 1]
    labels: SmoothedLabels,
}

impl CrossEntropy {
    /// # Shapes
    /// - logits: `[positions, vocabulary]`, outside of automatic differentiation
    /// - targets: `[positions, 1]`
    pub(super) fn new(logits: Tensor<2>, targets: Tensor<2, Int>, labels: SmoothedLabels) -> Self {
        let largest = logits.clone().max_dim(1); // [positions, 1]
        let logits = logits - largest; // at most 0, so that no exponential overflows
        let of_target = logits.clone().gather(1, targets.clone());
        let of_all = (labels.everywhere > 0.0).then(|| logits.clone().sum_dim(1));
        let exponentials = logits.exp();
        let normaliser = exponentials.clone().sum_dim(1);
        let mut losses = normaliser.clone().log() - of_target * labels.on_target;
        if let Some(of_all) = of_all {
            losses = losses - of_all * labels.everywhere;
        }
        if labels.constant != 0.0 {
            losses = losses - labels.constant;
        }
        Self {
            exponentials,
            normaliser,
            losses,
            targets,
            labels,
        }
    }

    /// The sum of the losses of all positions.
    ///
    /// # Shapes
    /// - output: `[1]`
    pub(super) fn sum(&self) -> Tensor<1> {
        self.losses.clone().sum()
    }

    /// The gradient of the sum of the losses times a weight, with respect to the logits.
    ///
    /// # Shapes
    /// - output: `[positions, vocabulary]`
    pub(super) fn gradient(self, weight: f64) -> Tensor<2> {
        let mut gradient = self.exponentials * (self.normaliser.recip() * weight);
        if self.labels.everywhere > 0.0 {
            gradient = gradient - self.labels.everywhere * weight;
        }
        let of_target = self.losses.full_like(-self.labels.on_target * weight);
        gradient.scatter(1, self.targets, of_target, IndexingUpdateOp::Add)
    }
}
