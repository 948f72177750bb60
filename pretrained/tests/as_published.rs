//! Compares the published model's search with what its original code returned for a toy model
//! (`data/as_published/make_reference.py`).

use burn::module::Module;
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use generation::{EarlyStopping, GenerationConfig, PromptError, PromptResult};
use pretrained::as_published::{self, PublishedText};
use serde_json::{Map, Value};
use vision_encoder_decoder::{Decoder, Encoder, GenerateError, Memory, VisionEncoderDecoder};

const PAD: u32 = 1;
const END: u32 = 2;

/// The memory of an image is a table of logits, `[last token, next token]`.
#[derive(Module, Debug)]
struct Identity {
    #[module(skip)]
    vocabulary: usize,
}

impl Encoder for Identity {
    type Input = Tensor<3>;

    fn encode(&self, input: Tensor<3>) -> Memory {
        input.into()
    }
}

/// Looks up the logits of the next token.
#[derive(Module, Debug)]
struct LookUp {
    #[module(skip)]
    vocabulary: usize,
}

impl Decoder for LookUp {
    /// The table of each row.
    type State = Tensor<3>;

    fn vocab_size(&self) -> usize {
        self.vocabulary
    }

    fn start(&self, memory: Memory, row_sources: &[usize]) -> Tensor<3> {
        rows(memory.hidden, row_sources)
    }

    fn forward(
        &self,
        tokens: Tensor<2, Int>,
        _padding: Option<Tensor<2, Bool>>,
        state: &mut Tensor<3>,
    ) -> Tensor<3> {
        let indices = tokens.unsqueeze_dim::<3>(2); // [rows, new, 1]
        let indices = indices.repeat_dim(2, self.vocabulary);
        state.clone().gather(1, indices) // [rows, new, vocabulary]
    }

    fn logits(&self, hidden: Tensor<3>) -> Tensor<3> {
        hidden
    }

    fn select_rows(&self, state: &mut Tensor<3>, parents: &[usize]) {
        *state = rows(state.clone(), parents);
    }
}

fn rows(tables: Tensor<3>, rows: &[usize]) -> Tensor<3> {
    let indices: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
    let indices = TensorData::new(indices, [rows.len()]);
    let device = tables.device();
    tables.select(0, Tensor::<1, Int>::from_data(indices, &device))
}

/// The toy model and the tables of its images.
struct Toy {
    model: VisionEncoderDecoder<Identity, LookUp>,
    tables: Vec<Vec<Vec<f32>>>,
}

impl Toy {
    fn new(tables: Vec<Vec<Vec<f32>>>) -> Self {
        let vocabulary = tables[0].len();
        let model = VisionEncoderDecoder::new(Identity { vocabulary }, LookUp { vocabulary });
        Self { model, tables }
    }

    /// Captions the first images together.
    fn texts(&self, images: usize, config: &GenerationConfig) -> Vec<PublishedText> {
        let texts = self.generate(images, config).unwrap();
        texts.into_iter().map(Result::unwrap).collect()
    }

    fn generate(
        &self,
        images: usize,
        config: &GenerationConfig,
    ) -> Result<Vec<PromptResult<PublishedText>>, GenerateError> {
        let vocabulary = self.model.decoder.vocabulary;
        let values: Vec<f32> = self.tables[..images].concat().concat();
        let values = TensorData::new(values, [images, vocabulary, vocabulary]);
        let tables = Tensor::<3>::from_data(values, &Device::flex());
        as_published::generate(&self.model, self.model.encode(tables), config)
    }
}

fn options(json: &Value) -> GenerationConfig {
    let empty = Map::new();
    let config = GenerationConfig {
        decoder_start_token_id: Some(END),
        pad_token_id: Some(PAD),
        eos_token_id: vec![END],
        ..GenerationConfig::default()
    };
    config.updated(json.as_object().unwrap_or(&empty)).unwrap()
}

fn reference() -> Value {
    serde_json::from_str(include_str!("data/as_published/reference.json")).unwrap()
}

fn tokens(texts: &[PublishedText]) -> Vec<&[u32]> {
    texts.iter().map(|text| text.tokens.as_slice()).collect()
}

#[test]
fn texts_and_scores_are_those_of_the_original() {
    let reference = reference();
    let toy = Toy::new(serde_json::from_value(reference["logits"].clone()).unwrap());
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 80);
    let mut scores_compared = 0;
    for case in cases {
        let images = case["images"].as_u64().unwrap() as usize;
        let found = toy.texts(images, &options(&case["options"]));
        let expected: Vec<Vec<u32>> = serde_json::from_value(case["sequences"].clone()).unwrap();
        assert_eq!(tokens(&found), expected, "{case}");
        let scores: Option<Vec<f32>> =
            serde_json::from_value(case["sequence_scores"].clone()).unwrap();
        for (found, expected) in found.iter().zip(scores.into_iter().flatten()) {
            // A score is either near -10⁷ / length, and then exact, or a sum of log-probabilities.
            assert!((found.score - expected).abs() < 1e-5, "{case}\n{found:?}");
            scores_compared += 1;
        }
    }
    assert!(scores_compared > 100);
}

/// A table of 6 tokens in which only the given continuations are likely: (last, next, logit).
fn table(likely: &[(usize, usize, f32)]) -> Vec<Vec<f32>> {
    let mut table = vec![vec![-30.0; 6]; 6];
    for (last, next, logit) in likely {
        table[*last][*next] = *logit;
    }
    table
}

/// After token 0 comes 3 and then the end, or 4 and then 3: the short text is likelier.
fn short_or_long() -> Toy {
    let end = END as usize;
    let likely = [
        (0, 3, 2.0),
        (0, 4, 0.0),
        (3, end, 4.0),
        (4, 3, 0.0),
        (4, 4, -1.0),
    ];
    Toy::new(vec![table(&likely)])
}

fn short_or_long_options(num_beams: usize) -> GenerationConfig {
    GenerationConfig {
        num_beams,
        max_length: Some(7),
        decoder_start_token_id: Some(0),
        ..options(&Value::Null)
    }
}

#[test]
fn the_longest_ended_text_wins_over_likelier_ones() {
    let found = &short_or_long().texts(1, &short_or_long_options(2))[0];
    assert_eq!(found.tokens, [0, 4, 4, 4, 4, 3, END]);
    // The sum of the log-probabilities, -6.4, is rounded to an integer.
    assert_eq!(found.score, -10_000_006.0 / 6.0);
    assert_eq!(found.token_log_probs.len(), 6);
    assert!((found.token_log_probs.iter().sum::<f32>() + 6.38).abs() < 0.01);
}

#[test]
fn with_early_stopping_the_longest_of_the_first_to_end_wins() {
    let config = GenerationConfig {
        early_stopping: EarlyStopping::FirstFinished,
        ..short_or_long_options(2)
    };
    let found = &short_or_long().texts(1, &config)[0];
    assert_eq!(found.tokens, [0, 4, 3, END, PAD, PAD, PAD]);
}

#[test]
fn greedy_search_has_padding_in_place_of_the_end_token() {
    let found = &short_or_long().texts(1, &short_or_long_options(1))[0];
    assert_eq!(found.tokens, [0, 3, PAD, PAD, PAD, PAD, PAD]);
    assert_eq!(found.token_log_probs.len(), 2);
}

#[test]
fn the_end_token_is_forbidden_for_one_token_more_than_min_length() {
    let config = GenerationConfig {
        min_length: 2,
        ..short_or_long_options(1)
    };
    let found = &short_or_long().texts(1, &config)[0];
    assert_eq!(found.tokens[..2], [0, 3]);
    assert_ne!(found.tokens[2], PAD);
}

#[test]
fn equally_good_texts_change_places_while_other_images_of_the_batch_go_on() {
    let end = END as usize;
    let one_word = table(&[(0, 3, 1.0), (0, 4, 1.0), (3, end, 1.0), (4, end, 1.0)]);
    let two_words = table(&[
        (0, 3, 1.0),
        (0, 4, 1.0),
        (3, 5, 1.0),
        (4, 5, 1.0),
        (5, end, 1.0),
    ]);
    let toy = Toy::new(vec![one_word, two_words]);
    let config = GenerationConfig {
        early_stopping: EarlyStopping::FirstFinished,
        ..short_or_long_options(2)
    };
    let alone = toy.texts(1, &config);
    let together = toy.texts(2, &config);
    assert_eq!(alone[0].tokens[..3], [0, 4, END]);
    assert_eq!(together[0].tokens[..3], [0, 3, END]);
    assert_eq!(alone[0].score, together[0].score);
}

#[test]
fn texts_are_twenty_tokens_long_where_no_length_is_set() {
    let config = GenerationConfig {
        max_length: None,
        ..short_or_long_options(1)
    };
    let found = &short_or_long().texts(1, &config)[0];
    assert_eq!(found.tokens.len(), 20);
}

#[test]
fn options_that_the_original_does_not_have_are_refused_by_name() {
    let config = || short_or_long_options(3);
    for (config, message) in [
        (
            GenerationConfig {
                num_return_sequences: 2,
                ..config()
            },
            "num_return_sequences",
        ),
        (
            GenerationConfig {
                early_stopping: EarlyStopping::Never,
                ..config()
            },
            "early_stopping",
        ),
        (
            GenerationConfig {
                max_new_tokens: Some(3),
                min_new_tokens: Some(1),
                ..config()
            },
            "max_new_tokens, min_new_tokens",
        ),
        (
            GenerationConfig {
                forced_eos_token_id: vec![2, 3],
                ..config()
            },
            "forced_eos_token_id",
        ),
        (
            GenerationConfig {
                pad_token_id: None,
                ..config()
            },
            "pad_token_id",
        ),
        (
            GenerationConfig {
                eos_token_id: vec![2, 3],
                ..config()
            },
            "number of eos_token_id is 2, expected 1",
        ),
        (
            GenerationConfig {
                min_length: 8,
                ..config()
            },
            "longer than the longest",
        ),
    ] {
        let refused = as_published::validate(&config).unwrap_err().to_string();
        assert!(refused.contains(message), "{refused}");
        match short_or_long().generate(1, &config).unwrap_err() {
            GenerateError::Config(error) => assert_eq!(error.to_string(), refused),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn an_image_without_finite_logits_is_an_error_of_its_own() {
    let mut toy = short_or_long();
    let mut broken = toy.tables[0].clone();
    broken[0].fill(f32::NAN);
    toy.tables.push(broken);
    for num_beams in [1, 2] {
        let config = short_or_long_options(num_beams);
        let alone = toy.texts(1, &config);
        let together = toy.generate(2, &config).unwrap();
        assert_eq!(together[0].as_ref().unwrap(), &alone[0]);
        let error = together[1].as_ref().unwrap_err();
        assert!(matches!(error, PromptError::NotFinite { .. }), "{error}");
    }
}

#[test]
fn pixels_are_cut_toward_zero() {
    let pixels = Tensor::<4>::from_data([[[[-1.79, -0.9, 0.0, 0.99, 2.14]]]], &Device::flex());
    let truncated = as_published::truncated_pixels(pixels);
    let values = truncated.into_data().try_into_vec::<f32>().unwrap();
    assert_eq!(values, [-1.0, 0.0, 0.0, 0.0, 2.0]);
}
