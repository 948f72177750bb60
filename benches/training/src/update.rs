use std::time::{Duration, Instant};

use burn::tensor::{Int, Tensor};
use pretrained::PretrainedModel;
use training::{AdamWOptimiser, AdamWOptions, ModuleGradients};

/// What an update is computed from.
pub(crate) struct Batch {
    /// `[images, channels, height, width]`
    pub(crate) pixels: Tensor<4>,
    /// `[images, tokens]`
    pub(crate) inputs: Tensor<2, Int>,
    /// `[images, tokens]`
    pub(crate) labels: Tensor<2, Int>,
}

/// How long the parts of an update took, and the loss before it.
pub(crate) struct Update {
    pub(crate) forward: Duration,
    pub(crate) backward: Duration,
    pub(crate) optimiser: Duration,
    pub(crate) loss: f32,
}

/// An optimiser with the settings of the PyTorch peer.
pub(crate) fn optimiser(model: &PretrainedModel) -> AdamWOptimiser {
    let options = AdamWOptions {
        adam_beta2: 0.999,
        ..AdamWOptions::default()
    };
    AdamWOptimiser::uniform(options, model, 1e-3, 0.01)
}

/// Updates the model once.
pub(crate) fn update(
    model: PretrainedModel,
    batch: &Batch,
    optimiser: &mut AdamWOptimiser,
) -> (PretrainedModel, Update) {
    let start = Instant::now();
    let logits = model.forward(batch.pixels.clone(), batch.inputs.clone(), None);
    let loss = cross_entropy(logits, batch.labels.clone());
    let value = loss.clone().into_scalar::<f32>();
    let forward = start.elapsed();

    let start = Instant::now();
    let mut gradients = ModuleGradients::default();
    gradients.add(&model, &mut loss.backward());
    let backward = start.elapsed();

    let start = Instant::now();
    let model = optimiser.step(model, gradients, 1.0);
    let update = Update {
        forward,
        backward,
        optimiser: start.elapsed(),
        loss: value,
    };
    (model, update)
}

/// The mean over all tokens of what the probability of the right token lacks, in nats.
///
/// # Shapes
/// - logits: `[images, tokens, vocabulary]`
/// - labels: `[images, tokens]`
/// - output: `[1]`
fn cross_entropy(logits: Tensor<3>, labels: Tensor<2, Int>) -> Tensor<1> {
    let logits = logits.flatten::<2>(0, 1);
    let [count, _] = logits.dims();
    packed_linear::cross_entropy(logits, labels.reshape([count]), 0.0).mean()
}
