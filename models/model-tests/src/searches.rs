use burn::module::Module;
use burn::tensor::Device;
use generation::{Generation, GenerationConfig, Hypothesis, Prompt};
use serde_json::{Map, Value};
use vision_encoder_decoder::{Encoder, Memory, VisionEncoderDecoder};

use crate::reference::{Family, Reference};

/// How close log-probabilities are whose order depends on the order of sums.
const TIE: f32 = 1e-5;

/// Stands for the encoder, whose output the references have.
#[derive(Module, Debug)]
struct NoEncoder;

impl Encoder for NoEncoder {
    type Input = Memory;

    fn encode(&self, memory: Memory) -> Memory {
        memory
    }
}

/// Every search of the reference finds the same tokens, with the same scores and log-probabilities.
pub fn searches_are_those_of_the_reference<F: Family>(reference: &Reference) {
    let device = Device::flex();
    let decoder = reference.load::<F>(None, &device);
    let model = VisionEncoderDecoder::new(NoEncoder, decoder);
    let memory = reference.memory(&device);
    let [images, _, _] = memory.hidden.dims();
    let row_sources: Vec<usize> = (0..images).collect();
    let keys = ["decoder_start_token_id", "pad_token_id", "eos_token_id"];
    let keys = keys.map(|key| (key.to_owned(), reference.searches[key].clone()));
    let base = GenerationConfig::default().updated(&Map::from_iter(keys));
    let base = base.unwrap();
    for case in reference.searches["cases"].as_array().unwrap() {
        let options = case["options"].as_object().unwrap();
        let config = base.updated(options).unwrap();
        let prompts = vec![Prompt::new(vec![config.start_token().unwrap()]); images];
        let found = model.generate_from(memory.clone(), &row_sources, &prompts, &config);
        let found: Vec<Hypothesis> = found
            .unwrap()
            .into_iter()
            .flat_map(Result::unwrap)
            .collect();
        let expected = case["sequences"].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{options:?}");
        for (index, mut found) in found.into_iter().enumerate() {
            let text = &expected[index].as_array().unwrap()[1..];
            let text: Vec<u32> = text
                .iter()
                .map(|token| token.as_u64().unwrap() as u32)
                .collect();
            if config.num_beams == 1 && found.generated_tokens() != text {
                // The reference's text, if each of its tokens is the best or a tie with it.
                let end = text
                    .iter()
                    .position(|token| config.eos_token_id.contains(token));
                let text = text[..end.map_or(text.len(), |end| end + 1)].to_vec();
                let generation = Generation::new(config.clone()).with_alternatives(1);
                let (prompt, memory) = (&prompts[index..=index], memory.clone());
                let scored = model.score(memory, &[index], prompt, &[text], generation);
                let scored = scored.unwrap().remove(0).unwrap();
                let mut steps = scored.alternatives.iter().zip(&scored.token_log_probs);
                if steps.all(|(best, log_prob)| best[0].log_prob - log_prob <= TIE) {
                    found = scored;
                }
            }
            compare(&config, case, index, &found);
        }
    }
}

/// Compares a text with that of the reference, which has padding after it.
fn compare(config: &GenerationConfig, case: &Value, index: usize, found: &Hypothesis) {
    let numbers = |values: &Value| -> Vec<f64> {
        let values = values.as_array().unwrap().iter();
        values.map(|value| value.as_f64().unwrap()).collect()
    };
    let name = &case["options"];
    let expected = numbers(&case["sequences"][index]);
    let tokens = found.tokens.iter().map(|token| f64::from(*token));
    let (text, padding) = expected.split_at(found.tokens.len().min(expected.len()));
    assert!(
        tokens.eq(text.iter().copied()),
        "{name}: {found:?}, expected {expected:?}"
    );
    let pad = config.pad_token_id.map(f64::from);
    assert!(
        padding.iter().all(|token| Some(*token) == pad),
        "{name}: {expected:?}"
    );

    if !case["sequence_scores"].is_null() {
        let expected = numbers(&case["sequence_scores"])[index];
        // The penalty multiplies the sum of log-probabilities, and with it their error.
        let length = found.token_log_probs.len() as f64;
        let multiplier = length.powf(-config.length_penalty).max(1.0);
        let difference = (f64::from(found.score) - expected).abs() / multiplier;
        assert!(difference <= 1e-4, "{name}: score differs by {difference}");
    }
    if !case["token_log_probs"].is_null() {
        let expected = numbers(&case["token_log_probs"][index]);
        for (found, expected) in found.token_log_probs.iter().zip(&expected) {
            let difference = (f64::from(*found) - expected).abs();
            assert!(
                difference <= 2e-4,
                "{name}: a log-probability differs by {difference}"
            );
        }
    }
}
