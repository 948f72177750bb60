use std::ops::Range;

use burn::tensor::{Int, Tensor, TensorData, s};
use vision_encoder_decoder::{Decoder, GenerateError, Memory};

use crate::word_boundaries::words;
use crate::{Caption, Captioner, Error};

/// Where the decoder looked while it wrote a word: cross-attention, averaged over heads, layers and
/// the word's tokens.
///
/// It shows where the decoder looked, not why it chose the word. What it found there is not told,
/// and what the encoder made of a patch may tell of the whole image, not of the patch alone.
///
/// All shares, those of the patches and that of the class token, sum to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionMap {
    /// The word, without spaces around it.
    pub word: String,
    /// Where its tokens stand in [`Caption::ids`].
    pub tokens: Range<usize>,
    /// Patches from top to bottom.
    pub rows: usize,
    /// Patches from left to right.
    pub columns: usize,
    /// The share of each patch, `[rows, columns]`, from the top left.
    pub patches: Vec<f32>,
    /// The share of the encoder's class token, which belongs to no place.
    pub class_token: f32,
}

impl Captioner {
    /// Where the decoder looked while it wrote a caption: one map per word, in their order.
    /// `image` is the number of the caption's image in `memory`; `layers` are the decoder layers to
    /// average over, numbered from 0, or all of them.
    ///
    /// The caption is fed once more, as a whole: that gives the weights that writing it had. The
    /// weights of a token are those with which it was predicted, while the one before it was fed,
    /// so they know nothing of the token itself. Of a text that the model would not have written
    /// they tell where it would have looked for the next word, not where a word's thing is.
    ///
    /// A word is what stands between two spaces. Punctuation around it is an entry of its own, as
    /// is each token of a script without spaces (Chinese, Thai). Special tokens have no entry.
    ///
    /// # Errors
    /// [`Error::AttentionLayers`] for a layer that the decoder does not have, [`Error::Generate`]
    /// if the device fails, [`Error::Preprocess`] if the tokenizer does.
    ///
    /// # Panics
    /// If there is no such image, or if memory or caption are of another model: when the memory is
    /// not a class token and a square of patches, or the caption too long or of unknown tokens.
    pub fn attention(
        &self,
        memory: &Memory,
        image: usize,
        caption: &Caption,
        layers: Option<&[usize]>,
    ) -> Result<Vec<AttentionMap>, Error> {
        let [images, positions, _] = memory.hidden.dims();
        assert!(image < images, "image {image} of {images}");
        // CLIP's images are square, so their patches are.
        let side = positions.saturating_sub(1).isqrt();
        assert_eq!(positions, 1 + side * side, "no square of patches");

        let words = self.words(&caption.ids)?;
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let recorded = self.reread(memory, image, &caption.ids);
        let shares = averaged(recorded, layers)?; // [tokens - 1, positions]
        let maps = words.into_iter().map(|(tokens, word)| {
            // The query that predicts token t stands at t - 1.
            let shares = &shares[(tokens.start - 1) * positions..(tokens.end - 1) * positions];
            let mean = |position: usize| {
                let all = shares.iter().skip(position).step_by(positions);
                all.sum::<f32>() / tokens.len() as f32
            };
            AttentionMap {
                word,
                rows: side,
                columns: side,
                patches: (1..positions).map(mean).collect(),
                class_token: mean(0),
                tokens,
            }
        });
        Ok(maps.collect())
    }

    /// The words behind the start token with the places of their tokens.
    fn words(&self, ids: &[u32]) -> Result<Vec<(Range<usize>, String)>, Error> {
        let tokenizer = self.tokenizer();
        let spelling = |(place, id): (usize, &u32)| {
            // Nothing was looked at to predict the first token; special ones have no text.
            let part_of_word = place > 0 && self.vocabulary().text(*id).is_some();
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

    /// Feeds a text once more and returns each layer's weights, `[1, tokens - 1, positions]`.
    fn reread(&self, memory: &Memory, image: usize, ids: &[u32]) -> Vec<Tensor<3>> {
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
