use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// The cross-entropy of each row of scores and its target, in nats. With smoothing, the target has a probability
/// of `1 - smoothing`, and all tokens share the rest equally: Hugging Face's `label_smoothing_factor`.
///
/// On Flex with autodiff, and this crate's feature `autodiff`, a kernel computes it and its gradient without
/// another tensor of the size of the scores in the forward pass; elsewhere Burn's operations do.
///
/// # Shapes
/// - scores: `[rows, vocabulary]`
/// - targets, output: `[rows]`
///
/// # Panics
/// If there aren't as many targets as rows, or if one is not in the vocabulary.
pub fn cross_entropy(scores: Tensor<2>, targets: Tensor<1, Int>, smoothing: f64) -> Tensor<1> {
    let [rows, vocabulary] = scores.dims();
    assert_eq!(targets.dims(), [rows], "targets of scores");
    #[cfg(feature = "autodiff")]
    if crate::has_gradients(&scores.device()) {
        let ids = match targets.clone().into_data().try_into_vec_as::<i64>() {
            Ok(ids) => ids,
            Err(error) => panic!("targets can't be read from the device: {error:?}"),
        };
        let ids: Vec<u32> = ids
            .iter()
            .map(|id| match u32::try_from(*id) {
                Ok(id) if (id as usize) < vocabulary => id,
                _ => panic!("target {id} is not in the vocabulary of {vocabulary}"),
            })
            .collect();
        let losses = crate::autodiff::cross_entropy::cross_entropy(&scores, &ids, smoothing as f32);
        if let Some(losses) = losses {
            return losses;
        }
    }
    let logarithms = log_softmax(scores, 1);
    let of_targets = logarithms.clone().gather(1, targets.reshape([rows, 1]));
    let losses = of_targets.reshape([rows]) * (smoothing - 1.0);
    match smoothing == 0.0 {
        true => losses,
        false => losses - logarithms.sum_dim(1).reshape([rows]) * (smoothing / vocabulary as f64),
    }
}
