use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData, s};
use vision_encoder_decoder::{Decoder, GenerateError, Memory};

use crate::word_boundaries::words;
use crate::{Caption, Captioner, Error};

/// Where the decoder looked while it wrote a word: the weights of cross-attention, averaged over heads,
/// layers and the word's tokens.
///
/// A map shows where the decoder looked, not why it chose the word. The encoder mixes all patches with
/// each other, so a position of the memory may tell about more of the image than its patch.
///
/// The weights of the patches and of the class token sum to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionMap {
    /// The word, without spaces around it.
    pub word: String,
    /// The positions of its tokens in [`Caption::ids`].
    pub tokens: Range<usize>,
    /// The number of rows of patches.
    pub rows: usize,
    /// The number of columns of patches.
    pub columns: usize,
    /// The weight of each patch, `[rows, columns]`, from the top left.
    pub patches: Vec<f32>,
    /// The weight of the encoder's class token, which has no place in the image, and of other such tokens. 0 for an
    /// encoder without any.
    pub class_token: f32,
}

impl Captioner {
    /// Returns where the decoder looked while it wrote a caption: a map for each word, in the order of the
    /// words. `image` is the index of the caption's image in `memory`. `layers` are the indices of the
    /// decoder layers to average over, or `None` for all.
    ///
    /// The caption is fed to the decoder once more, as a whole, which gives the same weights as writing it.
    /// The weights of a token are those with which it was predicted from the tokens before it. For a text
    /// that the model would not have written, they show where the model looked for a next word of its own,
    /// not where it sees what the given word means.
    ///
    /// Words are separated by spaces. Punctuation around a word has a map of its own, and so does each token
    /// of a script without spaces (Chinese, Thai). Special tokens have no map.
    ///
    /// # Errors
    /// [`Error::AttentionLayers`] for a layer that the decoder does not have, [`Error::Generate`] if the
    /// device fails, [`Error::Preprocess`] if the tokenizer fails.
    ///
    /// # Panics
    /// If `memory` has no such image, or if memory or caption are of another model: the memory has another number of
    /// positions, or the caption is too long or has unknown tokens.
    pub fn attention(
        &self,
        memory: &Memory,
        image: usize,
        caption: &Caption,
        layers: Option<&[usize]>,
    ) -> Result<Vec<AttentionMap>, Error> {
        let [images, positions, _] = memory.hidden.dims();
        assert!(image < images, "there is no image {image}, only {images}");
        let grid = self.memory_grid();
        assert_eq!(
            positions,
            grid.positions(),
            "the memory is of another model"
        );

        let words = self.words(&caption.ids)?;
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let recorded = self.record_attention(memory, image, &caption.ids);
        let weights = averaged(recorded, layers)?; // [tokens - 1, positions]
        let maps = words.into_iter().map(|(tokens, word)| {
            // Token t was predicted by the query at t - 1.
            let weights = &weights[(tokens.start - 1) * positions..(tokens.end - 1) * positions];
            let mean = |position: usize| {
                let all = weights.iter().skip(position).step_by(positions);
                all.sum::<f32>() / tokens.len() as f32
            };
            AttentionMap {
                word,
                rows: grid.rows,
                columns: grid.columns,
                patches: (grid.tokens..positions).map(mean).collect(),
                class_token: (0..grid.tokens).map(mean).sum(),
                tokens,
            }
        });
        Ok(maps.collect())
    }

    /// The words after the start token, with the positions of their tokens.
    fn words(&self, ids: &[u32]) -> Result<Vec<(Range<usize>, String)>, Error> {
        let tokenizer = self.tokenizer();
        let spelling = |(position, id): (usize, &u32)| {
            // The first token was not predicted, and special tokens have no text.
            let part_of_word = position > 0 && self.vocabulary().text(*id).is_some();
            part_of_word.then(|| tokenizer.id_to_token(*id)).flatten()
        };
        let spellings: Vec<Option<String>> = ids.iter().enumerate().map(spelling).collect();
        let mut found = Vec::new();
        for tokens in words(&spellings) {
            let text = tokenizer.decode(&ids[tokens.clone()], true)?;
            found.push((tokens, text.trim().to_owned()));
        }
        Ok(found)
    }

    /// Feeds a caption once more and returns the weights of each layer, `[1, tokens - 1, positions]`.
    fn record_attention(&self, memory: &Memory, image: usize, ids: &[u32]) -> Vec<Tensor<3>> {
        let of_image = Memory {
            hidden: memory.hidden.clone().slice(s![image..image + 1, .., ..]),
            padding: memory
                .padding
                .clone()
                .map(|padding| padding.slice(s![image..image + 1, ..])),
        };
        let device = memory.hidden.device();
        let decoder = &self.model().decoder;
        let mut state = decoder.start(of_image, &[0]);
        decoder.record_attention(&mut state);

        // Nothing is predicted from the last token.
        let fed: Vec<i64> = ids.iter().copied().map(i64::from).collect();
        let fed = TensorData::new(fed, [1, ids.len()]);
        let fed = Tensor::<2, Int>::from_data(fed, &device).slice(s![.., 0..ids.len() - 1]);
        decoder.forward(fed, None, &mut state);
        decoder.recorded_attention(&state).unwrap_or_default()
    }
}

/// The mean of some layers' weights, `[tokens, positions]`.
fn averaged(recorded: Vec<Tensor<3>>, layers: Option<&[usize]>) -> Result<Vec<f32>, Error> {
    let all: Vec<usize> = (0..recorded.len()).collect();
    let asked = layers.unwrap_or(&all);
    let chosen: Option<Vec<Tensor<3>>> = asked
        .iter()
        .map(|layer| recorded.get(*layer).cloned())
        .collect();
    match chosen {
        Some(chosen) if !chosen.is_empty() => Tensor::stack::<4>(chosen, 0)
            .mean_dim(0)
            .try_into_vec_as::<f32>()
            .map_err(|source| GenerateError::Model { step: 0, source }.into()),
        _ => Err(Error::AttentionLayers {
            asked: asked.to_vec(),
            layers: recorded.len(),
        }),
    }
}
