//! What is minimised: cross-entropy over tokens, with the head in blocks of positions.

mod batch;
mod composed;
mod labels;
mod smoothing;

use burn::tensor::{Device, Tensor};
use packed_linear::cross_entropy;
use vision_encoder_decoder::{Decoder, Encoder, Memory, VisionEncoderDecoder};

use crate::parameters::{Tracking, plain};
use crate::{ModuleGradients, TrainingError};
use composed::CrossEntropy;
use smoothing::SmoothedLabels;

pub use batch::{Batch, ToDevice};
pub use labels::{Labels, SpecialTokens};
pub use smoothing::LabelSmoothing;

/// Cross-entropy of the labels of a batch, perhaps smoothed, over the positions that are not padding.
///
/// The head and the loss are computed in blocks of positions, forward and backward, so that the logits of all
/// positions never exist at once, nor a target of the size of the vocabulary. Each block gives its part of the
/// gradient of the hidden states and of the head. Then the model is differentiated once, with the gradient of the
/// hidden states. Where the head shares the table of token embeddings, both parts of its gradient add up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// The start token and the padding.
    pub tokens: SpecialTokens,
    /// Share of the target that is spread over the vocabulary: 0 or above, and below 1. Hugging Face's name.
    pub label_smoothing_factor: f64,
    /// How it is spread.
    pub label_smoothing: LabelSmoothing,
    /// Bytes of the logits of a block. About four times as much is used at once. A block has at least one
    /// position.
    pub logits_block_bytes: usize,
}

/// A batch whose loss is known, and which is differentiated down to the hidden states that the head takes.
pub(crate) struct Pass {
    /// The hidden states and their gradient, `[tokens, width]`, unless nothing before the head is trained.
    hidden: Option<(Tensor<2>, Tensor<2>)>,
    loss: Tensor<1>,
}

impl Pass {
    /// Adds the gradients of everything before the head, and returns the loss.
    ///
    /// # Shapes
    /// - output: `[1]`
    pub(crate) fn finish<E: Encoder, D: Decoder>(
        self,
        model: &VisionEncoderDecoder<E, D>,
        gradients: &mut ModuleGradients,
    ) -> Tensor<1> {
        if let Some((hidden, gradient)) = self.hidden {
            let mut found = (hidden * gradient).sum().backward();
            gradients.add(model, &mut found);
        }
        self.loss
    }
}

/// The bytes of [`Objective::logits_block_bytes`] unless something else is asked for: 256 MiB, which are 268
/// positions of mBART-50's vocabulary.
pub const LOGITS_BLOCK_BYTES: usize = 256 << 20;

impl Objective {
    /// Plain cross-entropy.
    pub fn new(tokens: SpecialTokens) -> Self {
        Self {
            tokens,
            label_smoothing_factor: 0.0,
            label_smoothing: LabelSmoothing::default(),
            logits_block_bytes: LOGITS_BLOCK_BYTES,
        }
    }

    /// The labels of a batch as a decoder is taught them.
    ///
    /// # Errors
    /// [`TrainingError::Batch`] if there are no labels, one is not in the vocabulary, or a text is too long.
    pub fn labels<D: Decoder>(
        &self,
        decoder: &D,
        rows: &[Vec<u32>],
    ) -> Result<Labels, TrainingError> {
        let (vocabulary, longest) = (decoder.vocab_size(), decoder.max_positions());
        Labels::new(rows, self.tokens, vocabulary, longest)
    }

    /// Adds the gradients of the sum of a batch's losses, times a weight, and returns that loss, which stays on
    /// the device. With the same weight, 1 / tokens of all of them, the losses and gradients of several batches
    /// add up to those of one mean over all their tokens.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Errors
    /// [`TrainingError::Batch`] if a row attends to a source that does not exist, or there is not one for each
    /// row of labels.
    ///
    /// # Panics
    /// If the model is not on an autodiff device.
    pub fn backward<E: Encoder, D: Decoder>(
        &self,
        model: &VisionEncoderDecoder<E, D>,
        batch: Batch<E::Input>,
        labels: &Labels,
        weight: f64,
        gradients: &mut ModuleGradients,
    ) -> Result<Tensor<1>, TrainingError> {
        let pass = self.begin(model, batch, labels, weight, gradients)?;
        Ok(pass.finish(model, gradients))
    }

    /// The part of [`backward`](Self::backward) that may draw random numbers: all but the way back through the model.
    pub(crate) fn begin<E: Encoder, D: Decoder>(
        &self,
        model: &VisionEncoderDecoder<E, D>,
        batch: Batch<E::Input>,
        labels: &Labels,
        weight: f64,
        gradients: &mut ModuleGradients,
    ) -> Result<Pass, TrainingError> {
        let memory = model.encode(batch.input);
        let hidden = hidden_states(model, memory, &batch.row_sources, labels)?; // [tokens, width]
        let tracking = Tracking::of(&hidden);
        let values = plain(hidden.clone());
        let [tokens, _] = values.dims();
        let smoothed = self.smoothed(model.decoder.vocab_size());
        let (mut losses, mut hidden_gradients) = (Vec::new(), Vec::new());
        for block in self.blocks(tokens, model.decoder.vocab_size()) {
            let states = values.clone().narrow(0, block.start, block.len());
            let states = tracking.constant(states).require_grad(); // [positions, width]
            let logits = logits(model, states.clone());
            let positions = block.len();
            let targets = labels.targets(block, &values.device());
            let mut found = if packed_linear::has_gradients(&logits.device()) {
                let share = smoothed.everywhere * model.decoder.vocab_size() as f64;
                let loss = cross_entropy(logits, targets.squeeze_dim::<1>(1), share).sum();
                losses.push(plain(loss.clone()) - smoothed.constant * positions as f64);
                (loss * weight).backward()
            } else {
                let loss = CrossEntropy::new(plain(logits.clone()), targets, smoothed);
                losses.push(loss.sum());
                let gradient = tracking.constant(loss.gradient(weight));
                // The derivative of this sum with respect to the logits is the gradient.
                (logits * gradient).sum().backward()
            };
            gradients.add(model, &mut found);
            hidden_gradients.extend(states.grad_remove(&mut found));
        }
        let through_the_model = hidden.is_tracked() && !hidden_gradients.is_empty();
        let gradient =
            through_the_model.then(|| tracking.constant(Tensor::cat(hidden_gradients, 0)));
        Ok(Pass {
            hidden: gradient.map(|gradient| (hidden, gradient)),
            loss: Tensor::cat(losses, 0).sum() * weight,
        })
    }

    /// The sum of the losses of labels, without gradients: what an evaluation adds up and divides by the number of
    /// tokens. Give it `model.valid()`, on whose device there is neither dropout nor a graph, and memory that it
    /// has encoded. Row `r` of the labels attends to source `row_sources[r]`.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Errors
    /// [`TrainingError::Batch`] if a row attends to a source that does not exist, or there is not one for each
    /// row of labels.
    pub fn sum<E: Encoder, D: Decoder>(
        &self,
        model: &VisionEncoderDecoder<E, D>,
        memory: Memory,
        row_sources: &[usize],
        labels: &Labels,
    ) -> Result<Tensor<1>, TrainingError> {
        let hidden = hidden_states(model, memory, row_sources, labels)?;
        let [tokens, _] = hidden.dims();
        let smoothed = self.smoothed(model.decoder.vocab_size());
        let losses = self
            .blocks(tokens, model.decoder.vocab_size())
            .map(|block| {
                let states = hidden.clone().narrow(0, block.start, block.len());
                let logits = plain(logits(model, states));
                let targets = labels.targets(block, &logits.device());
                CrossEntropy::new(logits, targets, smoothed).sum()
            });
        Ok(Tensor::cat(losses.collect(), 0).sum())
    }

    fn smoothed(&self, vocab_size: usize) -> SmoothedLabels {
        self.label_smoothing
            .labels(self.label_smoothing_factor, vocab_size)
    }

    /// The blocks of positions whose logits exist at the same time.
    fn blocks(
        &self,
        tokens: usize,
        vocab_size: usize,
    ) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let positions = (self.logits_block_bytes / (vocab_size * size_of::<f32>()).max(1)).max(1);
        (0..tokens)
            .step_by(positions)
            .map(move |first| first..tokens.min(first.saturating_add(positions)))
    }
}

/// The hidden states that predict the labels that count.
///
/// # Shapes
/// - output: `[tokens, width]`
fn hidden_states<E: Encoder, D: Decoder>(
    model: &VisionEncoderDecoder<E, D>,
    memory: Memory,
    row_sources: &[usize],
    labels: &Labels,
) -> Result<Tensor<2>, TrainingError> {
    let [sources, _, _] = memory.hidden.dims();
    if row_sources.len() != labels.rows() {
        return Err(TrainingError::Batch(format!(
            "there are {} rows of labels, but sources for {} rows",
            labels.rows(),
            row_sources.len()
        )));
    }
    if let Some(source) = row_sources.iter().find(|source| **source >= sources) {
        return Err(TrainingError::Batch(format!(
            "a row attends to source {source}, but there are {sources}"
        )));
    }
    let device: Device = memory.hidden.device();
    let mut state = model.decoder.start(memory, row_sources);
    let (inputs, padding) = (labels.inputs(&device), labels.padding(&device));
    let hidden = model.decoder.forward(inputs, padding, &mut state);
    Ok(labels.counted(hidden.flatten::<2>(0, 1)))
}

/// # Shapes
/// - states: `[positions, width]`
/// - output: `[positions, vocabulary]`
fn logits<E: Encoder, D: Decoder>(
    model: &VisionEncoderDecoder<E, D>,
    states: Tensor<2>,
) -> Tensor<2> {
    let logits = model.decoder.logits(states.unsqueeze_dim::<3>(0));
    logits.flatten::<2>(0, 1)
}
