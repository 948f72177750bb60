use std::sync::Arc;

use burn::tensor::{Int, Tensor, TensorData};
use packed_linear::PackedEmbedding;

use crate::HeadTransform;
use crate::scores::score;

/// A head that scores only some tokens of the vocabulary.
///
/// The head's table is the largest matrix of a multilingual decoder, and every step reads all of it. If only
/// some tokens can follow, such as those of one language, their rows are gathered once into a smaller table,
/// which is read instead. This is vocabulary selection: L'Hostis et al.,
/// "Vocabulary Selection Strategies for Neural Machine Translation", 2016.
///
/// [`Head::shortlist`](crate::Head::shortlist) makes one. Clones share the table.
#[derive(Clone, Debug)]
pub struct Shortlist {
    tokens: Arc<[u32]>,
    table: PackedEmbedding,  // [tokens, width]
    bias: Option<Tensor<1>>, // [tokens]
    transform: Option<HeadTransform>,
}

impl Shortlist {
    /// A shortlist whose rows have been gathered.
    ///
    /// # Shapes
    /// - weight: `[tokens, width]`, row `i` scoring `tokens[i]`
    /// - bias: `[tokens]`
    ///
    /// # Panics
    /// If there are no tokens, they do not ascend strictly, or the tensors have another number of rows.
    pub fn new(tokens: &[u32], weight: Tensor<2>, bias: Option<Tensor<1>>) -> Self {
        Self::of_table(tokens, PackedEmbedding::from_tensor(weight), bias)
    }

    fn of_table(tokens: &[u32], table: PackedEmbedding, bias: Option<Tensor<1>>) -> Self {
        assert!(!tokens.is_empty(), "a shortlist needs at least one token");
        assert!(
            tokens.is_sorted_by(|token, next| token < next),
            "the tokens of a shortlist must ascend, each only once"
        );
        assert_eq!(
            table.rows(),
            tokens.len(),
            "a shortlist needs one row per token"
        );
        if let Some(bias) = &bias {
            let [length] = bias.dims();
            assert_eq!(length, tokens.len(), "a shortlist needs one bias per token");
        }
        Self {
            tokens: tokens.into(),
            table,
            bias,
            transform: None,
        }
    }

    /// The same shortlist of a head that transforms hidden states first.
    pub fn after(self, transform: HeadTransform) -> Self {
        Self {
            transform: Some(transform),
            ..self
        }
    }

    /// Gathers the rows of these tokens from a whole head, which may be packed.
    ///
    /// The table should be contiguous: a backend may copy all of a transposed view before it gathers. If the
    /// head is stored as `[width, vocabulary]`, gather the columns with `select(1, ..)`, transpose them and pass
    /// them to [`new`](Self::new).
    ///
    /// # Shapes
    /// - head: `[vocabulary, width]`
    /// - bias: `[vocabulary]`
    ///
    /// # Panics
    /// If there are no tokens, they do not ascend strictly, or one is not in the vocabulary.
    pub fn gather(tokens: &[u32], head: &PackedEmbedding, bias: Option<Tensor<1>>) -> Self {
        let vocabulary = head.rows();
        if let Some(token) = tokens.iter().find(|token| **token as usize >= vocabulary) {
            panic!("token {token} is not in the vocabulary of {vocabulary}");
        }
        let rows: Vec<usize> = tokens.iter().map(|token| *token as usize).collect();
        let bias = bias.map(|bias| {
            let rows: Vec<i64> = tokens.iter().copied().map(i64::from).collect();
            let rows = TensorData::new(rows, [tokens.len()]);
            let rows = Tensor::<1, Int>::from_data(rows, &bias.device());
            bias.select(0, rows)
        });
        Self::of_table(tokens, head.select(&rows), bias)
    }

    /// The tokens that it scores, ascending.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// The logits of the tokens: entry `i` of the last dimension belongs to
    /// [`tokens()`](Self::tokens)`[i]`.
    ///
    /// # Shapes
    /// - hidden: `[rows, new, width]`
    /// - output: `[rows, new, tokens]`
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        let hidden = match &self.transform {
            Some(transform) => transform.forward(hidden),
            None => hidden,
        };
        score(hidden, &self.table, self.bias.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution, s};

    fn head(device: &Device) -> Tensor<2> {
        Tensor::random([10, 4], Distribution::Default, device)
    }

    fn gather(tokens: &[u32], head: Tensor<2>) -> Shortlist {
        Shortlist::gather(tokens, &PackedEmbedding::from_tensor(head), None)
    }

    #[test]
    fn a_shortlist_is_shared_by_threads() {
        fn check<T: Send + Sync>() {}
        check::<Shortlist>();
    }

    #[test]
    fn a_head_that_is_stored_transposed_can_be_gathered_by_columns() {
        let device = Device::flex();
        device.seed(1);
        let stored = head(&device).transpose() * 1.0; // [width, vocabulary]
        let tokens = [1, 4, 9];
        let columns = stored
            .clone()
            .select(1, Tensor::from_data([1, 4, 9], &device));
        let hidden = Tensor::random([2, 3, 4], Distribution::Default, &device);
        let ours = Shortlist::new(&tokens, columns.transpose(), None).logits(hidden.clone());
        let theirs = gather(&tokens, stored.transpose()).logits(hidden);
        let difference = (ours - theirs).abs().max().into_scalar::<f32>();
        assert!(difference < 1e-6, "{difference}");
    }

    #[test]
    #[should_panic(expected = "must ascend")]
    fn tokens_in_another_order_are_refused() {
        let _ = gather(&[3, 2], head(&Device::flex()));
    }

    #[test]
    #[should_panic(expected = "must ascend")]
    fn a_token_that_comes_twice_is_refused() {
        let _ = gather(&[2, 2], head(&Device::flex()));
    }

    #[test]
    #[should_panic(expected = "token 10 is not in the vocabulary of 10")]
    fn a_token_outside_the_vocabulary_is_refused() {
        let _ = gather(&[2, 10], head(&Device::flex()));
    }

    #[test]
    #[should_panic(expected = "at least one token")]
    fn no_token_is_refused() {
        let _ = Shortlist::new(&[], head(&Device::flex()), None);
    }

    #[test]
    #[should_panic(expected = "one bias per token")]
    fn a_bias_of_another_length_is_refused() {
        let device = Device::flex();
        let bias = Tensor::zeros([10], &device);
        let _ = Shortlist::new(&[1, 2], head(&device).slice(s![0..2, ..]), Some(bias));
    }
}
