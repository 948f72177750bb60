use burn::tensor::{Int, Tensor, TensorData};
use captioning::{Caption, Captioner, Error, GenerationConfig, Language, RgbImage};

/// How much two models differ.
pub(crate) struct Difference {
    /// Tokens of the exact model's captions.
    pub(crate) tokens: usize,
    /// How many of them the other model wrote at the same position.
    pub(crate) equal_tokens: usize,
    pub(crate) captions: usize,
    pub(crate) equal_captions: usize,
    /// The largest difference of logits after the same text.
    pub(crate) largest_logit_difference: f32,
    /// The standard deviation of the exact model's logits, to compare that difference with.
    pub(crate) logit_deviation: f64,
}

/// Compares captions and logits.
pub(crate) fn compare(
    exact: &Captioner,
    rounded: &Captioner,
    images: &[RgbImage],
    languages: &[Language],
) -> Result<Difference, Error> {
    let config = GenerationConfig {
        num_beams: 1,
        ..exact.generation_config().clone()
    };
    let mut difference = Difference {
        tokens: 0,
        equal_tokens: 0,
        captions: 0,
        equal_captions: 0,
        largest_logit_difference: 0.0,
        logit_deviation: 0.0,
    };
    let (mut sum, mut squares, mut count) = (0.0, 0.0, 0usize);
    for image in images {
        let image = std::slice::from_ref(image);
        let expected = captions(exact, image, languages, &config)?;
        let found = captions(rounded, image, languages, &config)?;
        for (expected, found) in expected.iter().zip(&found) {
            let positions = expected.ids.iter().zip(&found.ids);
            difference.tokens += expected.ids.len();
            difference.equal_tokens += positions.filter(|(a, b)| a == b).count();
            difference.captions += 1;
            difference.equal_captions += usize::from(expected.ids == found.ids);
            let (a, b) = (
                logits(exact, image, expected)?,
                logits(rounded, image, expected)?,
            );
            for (a, b) in a.iter().zip(&b) {
                let apart = (a - b).abs();
                difference.largest_logit_difference =
                    difference.largest_logit_difference.max(apart);
                sum += f64::from(*a);
                squares += f64::from(*a) * f64::from(*a);
            }
            count += a.len();
        }
    }
    let mean = sum / count as f64;
    difference.logit_deviation = (squares / count as f64 - mean * mean).sqrt();
    Ok(difference)
}

/// The caption of an image in each language.
fn captions(
    captioner: &Captioner,
    image: &[RgbImage],
    languages: &[Language],
    config: &GenerationConfig,
) -> Result<Vec<Caption>, Error> {
    let found = captioner.caption(image, languages, config)?;
    let captions = found.into_iter().flatten().map(|found| found.captions);
    Ok(captions.collect::<Result<Vec<_>, _>>()?.concat())
}

/// The logits after each token of a caption, `[tokens, vocabulary]`.
fn logits(captioner: &Captioner, image: &[RgbImage], caption: &Caption) -> Result<Vec<f32>, Error> {
    let memory = captioner.encode(image)?;
    let ids: Vec<i64> = caption.ids.iter().map(|id| i64::from(*id)).collect();
    let ids = TensorData::new(ids, [1, caption.ids.len()]);
    let ids = Tensor::<2, Int>::from_data(ids, &memory.hidden.device());
    let logits = captioner.model().forward_from(memory, &[0], ids, None);
    Ok(logits.try_into_vec_as::<f32>().unwrap_or_default())
}
