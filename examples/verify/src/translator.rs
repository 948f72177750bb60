use std::path::Path;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use generation::GenerationConfig;
use marian::SourceTokens;
use preprocess::text::MarianTokenizer;
use pretrained::{LoadOptions, PretrainedTranslator};
use serde::Deserialize;
use vision_encoder_decoder::{Encoder, GenerateError, Memory};

use crate::cases::{Case, Subject, compare_cases};
use crate::hugging_face::Run;
use crate::input::{InputError, Tensors, content, read_json};
use crate::model::Check;
use crate::report::{Comparison, Report};
use crate::tolerance::Tolerance;

/// The tensors of a reference file that are inputs.
const INPUTS: [&str; 4] = [
    "input_ids",
    "attention_mask",
    "decoder_input_ids",
    "decoder_attention_mask",
];

/// What a reference file says about texts.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Texts {
    /// What `input_ids` was made of.
    texts: Option<Vec<String>>,
    tokenizer: Option<Vec<Encoding>>,
}

#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Encoding {
    text: String,
    ids: Vec<u32>,
    /// What `ids` decode to, without special tokens.
    decoded: String,
}

/// Compares a translation model with what a public implementation computed from it.
pub(crate) fn verify(
    check: &Check<'_>,
    device: &Device,
    report: &mut Report<'_>,
) -> Result<(), InputError> {
    let options = LoadOptions {
        weights: check.weights,
        ..LoadOptions::default()
    };
    let pretrained = PretrainedTranslator::from_folder(check.folder, &options, device)?;
    for notice in &pretrained.notices {
        report.notice(notice);
    }
    let tolerance = Tolerance::of(pretrained.precision);
    let source = Source {
        pretrained: &pretrained,
        path: &check.reference.join("reference.safetensors"),
        tensors: &Tensors::read(check.reference.join("reference.safetensors"))?,
        device,
    };
    let input = source.tokens("input_ids", "attention_mask", pretrained.config.vocab_size)?;
    let memory = pretrained.model.encoder.encode(SourceTokens {
        ids: input.tensor(device),
        padding: input.padding(device),
    });
    for name in source.tensors.names()? {
        if INPUTS.contains(&name.as_str()) {
            continue;
        }
        let found = match name.as_str() {
            "encoder_last_hidden_state" => memory.hidden.clone(),
            "logits" => source.logits(&memory)?,
            _ => {
                let reason = "this program does not compute this tensor for this model";
                report.add(Comparison::not_run(name, 1, reason))?;
                continue;
            }
        };
        let expected = source.tensors.floats(&name)?;
        let same_shape = found.dims().as_slice() == expected.shape;
        let found = found.into_data().try_into_vec::<f32>().unwrap_or_default();
        let found = if same_shape { found } else { Vec::new() };
        let values = &expected.values;
        report.add(Comparison::of_values(
            name,
            &found,
            values,
            tolerance.states,
        ))?;
    }

    let path = check.reference.join(check.reference_file);
    let texts: Texts = read_json(&path)?;
    let tokenizer = match check.folder.join(MarianTokenizer::FILES[0]).exists() {
        true => Some(MarianTokenizer::from_folder(check.folder)?),
        false => None,
    };
    compare_texts(tokenizer.as_ref(), &texts, &input, report)?;
    let translations = Translations {
        pretrained: &pretrained,
        tokenizer: tokenizer.as_ref(),
        memory,
        tolerance,
    };
    compare_cases(&translations, &path, report)
}

/// Token ids of texts, and texts of token ids.
fn compare_texts(
    tokenizer: Option<&MarianTokenizer>,
    texts: &Texts,
    input: &Tokens,
    report: &mut Report<'_>,
) -> Result<(), InputError> {
    let encodings = texts.tokenizer.as_deref().unwrap_or_default();
    let sources = texts.texts.as_deref().unwrap_or_default();
    let Some(tokenizer) = tokenizer else {
        let count = encodings.len() + sources.len();
        if count > 0 {
            let reason = format!("the checkpoint has no {}", MarianTokenizer::FILES[0]);
            report.add(Comparison::not_run("token ids", count, reason))?;
        }
        return Ok(());
    };
    let encode = |text: &str| tokenizer.encode(text, None, None).ok();
    if !sources.is_empty() {
        let rows = sources.iter().enumerate();
        let equal = rows.filter(|(row, text)| encode(text) == input.row(*row));
        let (equal, cases) = (equal.count(), sources.len());
        report.add(Comparison::of_cases("input_ids of texts", equal, cases))?;
    }
    if !encodings.is_empty() {
        let count = |is_equal: &dyn Fn(&Encoding) -> bool| {
            encodings.iter().filter(|one| is_equal(one)).count()
        };
        let cases = encodings.len();
        let equal = count(&|one| encode(&one.text).as_ref() == Some(&one.ids));
        report.add(Comparison::of_cases("token ids", equal, cases))?;
        // The reference's ids are decoded, so that this does not depend on encoding.
        let equal = count(&|one| tokenizer.decode(&one.ids, true) == one.decoded);
        report.add(Comparison::of_cases("decoded texts", equal, cases))?;
    }
    Ok(())
}

/// The tensors of a reference, and what they are inputs of.
struct Source<'a> {
    pretrained: &'a PretrainedTranslator,
    path: &'a Path,
    tensors: &'a Tensors,
    device: &'a Device,
}

/// Token ids of texts, and which of them are padding.
struct Tokens {
    ids: Vec<i64>,
    is_padding: Vec<bool>,
    shape: [usize; 2],
}

impl Source<'_> {
    /// Reads ids, all of which have to be in the vocabulary, and their mask, if there is one.
    fn tokens(&self, name: &str, mask: &str, vocab_size: usize) -> Result<Tokens, InputError> {
        let ids = self.tensors.integers(name)?;
        let shape: [usize; 2] = ids.dims(self.path, name)?;
        let most = self.pretrained.config.max_position_embeddings;
        if shape[0] == 0 || !(1..=most).contains(&shape[1]) {
            let reason = format!("{name} has shape {shape:?}, expected [texts, up to {most}]");
            return Err(content(self.path, reason));
        }
        let vocabulary = 0..vocab_size as i64;
        if let Some(id) = ids.values.iter().find(|id| !vocabulary.contains(id)) {
            let reason =
                format!("{name} has token {id}, expected one of the vocabulary {vocabulary:?}");
            return Err(content(self.path, reason));
        }
        let has_mask = self.tensors.names()?.iter().any(|name| name == mask);
        let keep = match has_mask {
            true => self.tensors.integers(mask)?.values,
            false => vec![1; ids.values.len()],
        };
        if keep.len() != ids.values.len() || keep.iter().any(|keep| !matches!(keep, 0 | 1)) {
            let reason = format!("{mask} is not 0 or 1 for each of {name}");
            return Err(content(self.path, reason));
        }
        Ok(Tokens {
            ids: ids.values,
            is_padding: keep.into_iter().map(|keep| keep == 0).collect(),
            shape,
        })
    }

    /// Teacher-forced logits.
    fn logits(&self, memory: &Memory) -> Result<Tensor<3>, InputError> {
        let vocab_size = self.pretrained.config.target_vocab_size();
        let tokens = self.tokens("decoder_input_ids", "decoder_attention_mask", vocab_size)?;
        let [texts, _, _] = memory.hidden.dims();
        if tokens.shape[0] != texts {
            let reason = format!(
                "decoder_input_ids has {} texts, input_ids {texts}",
                tokens.shape[0]
            );
            return Err(content(self.path, reason));
        }
        let row_sources: Vec<usize> = (0..texts).collect();
        let (ids, padding) = (tokens.tensor(self.device), tokens.padding(self.device));
        let model = &self.pretrained.model;
        Ok(model.forward_from(memory.clone(), &row_sources, ids, padding))
    }
}

impl Tokens {
    fn tensor(&self, device: &Device) -> Tensor<2, Int> {
        Tensor::from_data(TensorData::new(self.ids.clone(), self.shape), device)
    }

    /// The mask of padding, if there is any.
    fn padding(&self, device: &Device) -> Option<Tensor<2, Bool>> {
        let data = || TensorData::new(self.is_padding.clone(), self.shape);
        let has_padding = self.is_padding.contains(&true);
        has_padding.then(|| Tensor::from_data(data(), device))
    }

    /// The ids of a text without its padding.
    fn row(&self, row: usize) -> Option<Vec<u32>> {
        let [texts, length] = self.shape;
        let range = row * length..(row + 1) * length;
        let places = (row < texts).then_some(range)?;
        let kept = places.filter(|place| !self.is_padding[*place]);
        kept.map(|place| u32::try_from(self.ids[place]).ok())
            .collect()
    }
}

/// The model that the cases are compared with.
struct Translations<'a> {
    pretrained: &'a PretrainedTranslator,
    tokenizer: Option<&'a MarianTokenizer>,
    /// The reference's texts, encoded.
    memory: Memory,
    tolerance: Tolerance,
}

impl Subject for Translations<'_> {
    fn defaults(&self) -> &GenerationConfig {
        &self.pretrained.generation_config
    }

    fn compare(
        &self,
        name: &str,
        case: &Case,
        pad_token_id: u32,
        config: GenerationConfig,
    ) -> Result<Vec<Comparison>, GenerateError> {
        let run = Run {
            model: &self.pretrained.model,
            memory: self.memory.clone(),
            config,
            pad_token_id,
            tolerance: self.tolerance,
        };
        let mut comparisons = run.compare(name, case)?;
        // The reference's tokens are decoded, so that this does not depend on the search.
        if let (Some(expected), Some(tokenizer)) = (&case.texts, self.tokenizer) {
            let found = case.sequences.iter();
            let found = found.map(|tokens| tokenizer.decode(tokens, true));
            let equal = found.zip(expected).filter(|(found, text)| found == *text);
            let cases = expected.len().max(case.sequences.len());
            let what = format!("texts of {name}");
            comparisons.push(Comparison::of_cases(what, equal.count(), cases));
        }
        Ok(comparisons)
    }
}
