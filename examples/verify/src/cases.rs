use std::path::Path;

use ::report::message;
use generation::{ConfigError, GenerationConfig, PromptResult};
use pretrained::Pretrained;
use serde::Deserialize;
use serde_json::{Map, Value};
use vision_encoder_decoder::{GenerateError, Memory};

use crate::hugging_face::Run;
use crate::input::{InputError, content, read_json, unusable};
use crate::published;
use crate::report::{Comparison, Report};
use crate::tolerance::Tolerance;

/// A reference file: what calls of `generate` returned.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Reference {
    decoder_start_token_id: u32,
    pad_token_id: u32,
    eos_token_id: Value,
    forced_eos_token_id: Option<Value>,
    cases: Vec<Case>,
}

/// A call of `generate` and what it returned.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
pub(crate) struct Case {
    pub(crate) options: Map<String, Value>,
    /// Padded to the longest.
    pub(crate) sequences: Vec<Vec<u32>>,
    /// `f64`, because a change of a large score can be smaller than the resolution of `f32`.
    pub(crate) sequence_scores: Option<Vec<f64>>,
    pub(crate) token_log_probs: Option<Vec<Vec<f32>>>,
    /// The decoded texts, of a model with a tokenizer.
    pub(crate) texts: Option<Vec<String>>,
}

/// A model that the cases are compared with.
pub(crate) trait Subject {
    /// The options that a case does not name.
    fn defaults(&self) -> &GenerationConfig;

    /// The options of a case.
    fn options(&self, case: &Case) -> Map<String, Value> {
        case.options.clone()
    }

    /// Runs a case. `pad_token_id` fills up the reference's texts.
    fn compare(
        &self,
        name: &str,
        case: &Case,
        pad_token_id: u32,
        config: GenerationConfig,
    ) -> Result<Vec<Comparison>, GenerateError>;
}

/// A model of images and their captions.
pub(crate) struct Compared<'a> {
    pub(crate) pretrained: &'a Pretrained,
    /// The reference's images, encoded.
    pub(crate) memory: Memory,
    /// Whether the cases are calls of the published model's original code.
    pub(crate) as_published: bool,
    /// The options that a case does not name.
    pub(crate) defaults: GenerationConfig,
    pub(crate) tolerance: Tolerance,
}

impl Subject for Compared<'_> {
    fn defaults(&self) -> &GenerationConfig {
        &self.defaults
    }

    /// An option that is null has Hugging Face's default, but is not set in the original code.
    fn options(&self, case: &Case) -> Map<String, Value> {
        let mut options = case.options.clone();
        options.retain(|_, value| !(self.as_published && value.is_null()));
        options
    }

    fn compare(
        &self,
        name: &str,
        case: &Case,
        pad_token_id: u32,
        config: GenerationConfig,
    ) -> Result<Vec<Comparison>, GenerateError> {
        if self.as_published {
            let model = &self.pretrained.model;
            let (memory, tolerance) = (self.memory.clone(), self.tolerance);
            return published::compare(model, memory, &config, tolerance, name, case);
        }
        let run = Run {
            model: &self.pretrained.model,
            memory: self.memory.clone(),
            config,
            pad_token_id,
            tolerance: self.tolerance,
        };
        run.compare(name, case)
    }
}

/// Runs every case whose options are supported, and reports the others by name.
pub(crate) fn compare_cases(
    subject: &impl Subject,
    path: &Path,
    report: &mut Report<'_>,
) -> Result<(), InputError> {
    let reference: Reference = read_json(path)?;
    let mut tokens = Map::from_iter([
        (
            "decoder_start_token_id".into(),
            reference.decoder_start_token_id.into(),
        ),
        ("pad_token_id".into(), reference.pad_token_id.into()),
        ("eos_token_id".into(), reference.eos_token_id.clone()),
    ]);
    if let Some(token) = &reference.forced_eos_token_id {
        tokens.insert("forced_eos_token_id".into(), token.clone());
    }
    let invalid = |error: ConfigError| unusable(path, error);
    let base = subject.defaults().updated(&tokens).map_err(invalid)?;
    for case in &reference.cases {
        let name = format!("generate {}", Value::Object(case.options.clone()));
        let unsupported = GenerationConfig::unsupported_options(&case.options);
        if !unsupported.is_empty() {
            let reason = format!("unsupported: {}", unsupported.join(", "));
            report.add(Comparison::not_run(name, case.sequences.len(), reason))?;
            continue;
        }
        let config = base.updated(&subject.options(case)).map_err(invalid)?;
        if let Some(reason) = not_comparable(&config) {
            report.add(Comparison::not_run(name, case.sequences.len(), reason))?;
            continue;
        }
        let comparisons = subject
            .compare(&name, case, reference.pad_token_id, config)
            .map_err(|error| content(path, format!("{name}: {}", message(&error))))?;
        for comparison in comparisons {
            report.add(comparison)?;
        }
    }
    Ok(())
}

/// Why another run of a case would return something else; `None` if it should return the same.
fn not_comparable(config: &GenerationConfig) -> Option<&'static str> {
    if config.do_sample {
        return Some("do_sample draws other texts in every implementation");
    }
    if config.max_time.is_some() {
        return Some("max_time depends on the machine");
    }
    let strings = !config.stop_strings.is_empty();
    strings.then_some("stop_strings need a tokenizer, which a reference does not name")
}

/// The results of all images, or, if images have none, a comparison that differs and says why. `cases` is
/// the number of results that the reference has.
pub(crate) fn results<T>(
    found: Vec<PromptResult<T>>,
    what: &str,
    cases: usize,
) -> Result<Vec<T>, Comparison> {
    let images = found.len();
    let failed = found.iter().filter(|found| found.is_err()).count();
    let numbered = found.into_iter().enumerate();
    let results = numbered.map(|(image, found)| found.map_err(|error| (image, error)));
    results
        .collect::<Result<Vec<T>, _>>()
        .map_err(|(image, error)| {
            let reason = format!(
                "{failed} of {images} images have no result; image {image}: {}",
                message(&error)
            );
            Comparison::of_cases(what, 0, cases.max(failed)).with_reason(reason)
        })
}

/// How many texts are equal, and how many the longer list has.
pub(crate) fn equal_sequences(found: &[Vec<u32>], expected: &[Vec<u32>]) -> (usize, usize) {
    let equal = found.iter().zip(expected).filter(|(a, b)| a == b).count();
    (equal, expected.len().max(found.len()))
}

/// The difference between a score and that of the reference; infinite if it is NaN.
pub(crate) fn difference(found: f32, expected: f64) -> f64 {
    let difference = (f64::from(found) - expected).abs();
    if difference.is_nan() {
        f64::INFINITY
    } else {
        difference
    }
}
