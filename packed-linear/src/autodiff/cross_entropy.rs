use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::tensor::Tensor;

use super::{Gradient, contiguous, flex, into_contiguous, record, tracked};
use crate::Format;
use crate::flex::memory::{FlexTensor, recycle_flex, values};
use crate::kernel;

/// See [`cross_entropy`](crate::cross_entropy()).
pub(crate) fn cross_entropy(
    scores: &Tensor<2>,
    targets: &[u32],
    smoothing: f32,
) -> Option<Tensor<1>> {
    let scores = tracked(scores)?;
    let inputs = vec![scores.node()];
    let scores = contiguous(scores.primitive());
    let kernel = kernel::best(Format::F32);
    let [losses, log_sums] = kernel::cross_entropy(kernel, values(&scores), targets, smoothing);
    let gradient = CrossEntropyGradient {
        scores,
        targets: Arc::new(targets.to_vec()),
        log_sums: Arc::new(log_sums),
        smoothing,
    };
    Some(record(inputs, flex(losses, [targets.len()]), gradient))
}

#[derive(Clone, Debug)]
struct CrossEntropyGradient {
    scores: FlexTensor,
    targets: Arc<Vec<u32>>,
    log_sums: Arc<Vec<f32>>,
    smoothing: f32,
}

impl Gradient for CrossEntropyGradient {
    fn backward(self, gradient: FlexTensor, _: &[bool]) -> Vec<Option<FlexTensor>> {
        let gradient = into_contiguous(gradient);
        let result = kernel::cross_entropy_gradient(
            kernel::best(Format::F32),
            values(&self.scores),
            &self.targets,
            self.smoothing,
            &self.log_sums,
            values(&gradient),
        );
        let shape = self.scores.shape();
        recycle_flex(self.scores);
        vec![Some(flex(result, shape))]
    }
}
