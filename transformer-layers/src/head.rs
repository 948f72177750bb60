use burn::tensor::Tensor;
use packed_linear::PackedEmbedding;

use crate::Shortlist;
use crate::scores::score;

/// What scores the vocabulary: a table with a row for each token, its own or the token embeddings, and
/// perhaps a bias.
///
/// A view of a model's parameters: a decoder makes one when it is asked for logits.
#[derive(Clone, Debug)]
pub struct Head<'a> {
    /// `[vocabulary, width]`
    pub table: &'a PackedEmbedding,
    /// `[vocabulary]`
    pub bias: Option<Tensor<1>>,
}

impl Head<'_> {
    /// The logits of every token.
    ///
    /// # Shapes
    /// - hidden: `[rows, new, width]`
    /// - output: `[rows, new, vocabulary]`
    ///
    /// # Panics
    /// If the width is not the table's.
    pub fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        score(hidden, self.table, self.bias.clone())
    }

    /// A head that scores only these tokens, which must ascend. Their rows are gathered here, once.
    ///
    /// # Panics
    /// If there are no tokens, they do not ascend strictly, or one is not in the vocabulary.
    pub fn shortlist(&self, tokens: &[u32]) -> Shortlist {
        Shortlist::gather(tokens, self.table, self.bias.clone())
    }
}
