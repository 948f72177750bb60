use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

use crate::TrainingError;

/// The tokens that labels are prepared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialTokens {
    /// The token that stands before the labels in the decoder's input: Hugging Face's
    /// `decoder_start_token_id`. The original CLIP-Vision-mBART50 was trained with the padding token here,
    /// and generates with `</s>`.
    pub decoder_start_token_id: u32,
    /// The token that fills rows up to the same length. It is never learnt.
    pub pad_token_id: u32,
}

/// Texts as a decoder is taught them: what it reads, and what it is to predict.
///
/// The input of each row is its labels shifted right behind the start token, as by Hugging Face's
/// `shift_tokens_right`. Padding in the input is hidden from attention, the start token never, even if it is the
/// padding token. Positions whose label is padding count nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    rows: usize,
    length: usize,
    /// `[rows · length]`
    inputs: Vec<i64>,
    /// `[rows · length]`, true = ignore
    padding: Vec<bool>,
    /// The places, among `rows · length`, whose label counts.
    places: Vec<i64>,
    /// The labels at those places.
    targets: Vec<i64>,
}

impl Labels {
    /// Prepares rows of labels, which may be padded at their end or not. Columns that are padding in all rows
    /// are dropped, since they change nothing.
    ///
    /// # Errors
    /// [`TrainingError::Batch`] if there are no rows, no label counts, a token is not in the vocabulary, or a
    /// row is longer than `max_positions`.
    pub fn new(
        rows: &[Vec<u32>],
        tokens: SpecialTokens,
        vocab_size: usize,
        max_positions: Option<usize>,
    ) -> Result<Self, TrainingError> {
        let SpecialTokens {
            decoder_start_token_id: start,
            pad_token_id: pad,
        } = tokens;
        if start as usize >= vocab_size {
            return Err(TrainingError::Batch(format!(
                "decoder_start_token_id is {start}, but the vocabulary has {vocab_size} tokens"
            )));
        }
        let used = |row: &Vec<u32>| row.iter().rposition(|token| *token != pad);
        let length = rows
            .iter()
            .filter_map(used)
            .max()
            .map_or(0, |last| last + 1);
        if length == 0 {
            let reason = "there is no label to learn: all rows are empty or padding";
            return Err(TrainingError::Batch(reason.into()));
        }
        if let Some(most) = max_positions.filter(|most| length > *most) {
            return Err(TrainingError::Batch(format!(
                "a text has {length} tokens, but the decoder has {most} positions; truncate texts"
            )));
        }
        let mut labels = Self {
            rows: rows.len(),
            length,
            inputs: Vec::with_capacity(rows.len() * length),
            padding: Vec::with_capacity(rows.len() * length),
            places: Vec::new(),
            targets: Vec::new(),
        };
        for (number, row) in rows.iter().enumerate() {
            let mut input = start;
            for position in 0..length {
                let label = row.get(position).copied().unwrap_or(pad);
                let place = labels.inputs.len();
                // Padding as an input is never looked at, so any token of the vocabulary will do.
                let is_padding = position > 0 && input == pad;
                labels.inputs.push(i64::from(input));
                labels.padding.push(is_padding);
                if label != pad {
                    if label as usize >= vocab_size {
                        return Err(TrainingError::Batch(format!(
                            "row {number} has the token {label}, but the vocabulary has {vocab_size} tokens"
                        )));
                    }
                    labels.places.push(place as i64);
                    labels.targets.push(i64::from(label));
                }
                input = label;
            }
        }
        if pad as usize >= vocab_size {
            // A number that is no token can fill rows up, and can't be embedded.
            for (input, padding) in labels.inputs.iter_mut().zip(&labels.padding) {
                if *padding {
                    *input = 0;
                }
            }
        }
        Ok(labels)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The labels that count.
    pub fn tokens(&self) -> usize {
        self.targets.len()
    }

    /// The decoder's input.
    ///
    /// # Shapes
    /// - output: `[rows, length]`
    pub fn inputs(&self, device: &Device) -> Tensor<2, Int> {
        let shape = [self.rows, self.length];
        Tensor::from_data(TensorData::new(self.inputs.clone(), shape), device)
    }

    /// Which inputs are padding, if any is.
    ///
    /// # Shapes
    /// - output: `[rows, length]`, true = ignore
    pub fn padding(&self, device: &Device) -> Option<Tensor<2, Bool>> {
        let any = self.padding.iter().any(|padding| *padding);
        let shape = [self.rows, self.length];
        any.then(|| Tensor::from_data(TensorData::new(self.padding.clone(), shape), device))
    }

    /// Of all positions, `[rows · length, width]`, those whose label counts, in order.
    ///
    /// # Shapes
    /// - output: `[tokens, width]`
    pub(crate) fn counted(&self, states: Tensor<2>) -> Tensor<2> {
        if self.tokens() == self.rows * self.length {
            return states;
        }
        let places = TensorData::new(self.places.clone(), [self.tokens()]);
        let device = states.device();
        states.select(0, Tensor::from_data(places, &device))
    }

    /// The labels of some of the counted positions.
    ///
    /// # Shapes
    /// - output: `[positions, 1]`
    pub(crate) fn targets(&self, range: std::ops::Range<usize>, device: &Device) -> Tensor<2, Int> {
        let targets = self.targets[range].to_vec();
        let shape = [targets.len(), 1];
        Tensor::from_data(TensorData::new(targets, shape), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: SpecialTokens = SpecialTokens {
        decoder_start_token_id: 2,
        pad_token_id: 1,
    };

    #[test]
    fn labels_are_shifted_behind_the_start_token_and_padding_is_left_out() {
        let rows = [vec![5, 6, 2, 1, 1], vec![7, 2]];
        let labels = Labels::new(&rows, TOKENS, 10, Some(3)).unwrap();
        assert_eq!(labels.inputs, [2, 5, 6, 2, 7, 2]);
        assert_eq!(labels.padding, [false; 6]);
        assert_eq!(labels.targets, [5, 6, 2, 7, 2]);
        assert_eq!(labels.places, [0, 1, 2, 3, 4]);
        assert_eq!((labels.rows(), labels.tokens()), (2, 5));
    }

    #[test]
    fn a_start_token_that_is_padding_is_visible() {
        let tokens = SpecialTokens {
            decoder_start_token_id: 1,
            ..TOKENS
        };
        let labels = Labels::new(&[vec![5, 6, 2, 3], vec![7]], tokens, 10, None).unwrap();
        assert_eq!(labels.inputs, [1, 5, 6, 2, 1, 7, 1, 1]);
        let visible = [false, false, false, false, false, false, true, true];
        assert_eq!(labels.padding, visible);
    }

    #[test]
    fn impossible_labels_are_errors() {
        for (rows, message) in [
            (vec![], "no label"),
            (vec![vec![1, 1], vec![]], "no label"),
            (vec![vec![10]], "row 0 has the token 10"),
            (vec![vec![2; 4]], "has 4 tokens, but the decoder has 3"),
        ] {
            let error = Labels::new(&rows, TOKENS, 10, Some(3)).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
