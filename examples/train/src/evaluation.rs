//! Loss and scores of a model in training.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use captioning::{CaptionOptions, Captioner, card_defaults};
use datasets::{BatchCaption, Loader, Position};
use generation::GenerationConfig;
use metrics::Corpus;
use preprocess::image::ImageProcessor;
use preprocess::text::{Language, Tokenizer, UNDETERMINED};
use pretrained::{ImageEncoder, Pretrained, PretrainedModel, TextDecoder};
use report::Progress;
use training::{BoxError, CaptionEncoder, Objective};
use vision_encoder_decoder::{Memory, VisionEncoderDecoder};

use crate::sample::{Sample, Written, pictures};
use crate::settings::EvaluationSettings;
use crate::{Session, Start, data, error::Error};

/// Evaluates models with the data and the search of the settings.
pub(crate) struct Evaluator {
    loader: Loader,
    /// Configurations; the weights are replaced.
    template: Pretrained,
    tokenizer: Tokenizer,
    processor: ImageProcessor,
    settings: EvaluationSettings,
    max_length: usize,
    objective: Objective,
    /// Without automatic differentiation.
    device: Device,
}

/// What an evaluation found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// By the names of Hugging Face's trainer: `eval_loss`, `eval_bleu4_es_XX`.
    pub(crate) metrics: BTreeMap<String, f64>,
    pub(crate) samples: Vec<Sample>,
}

/// Finds out how good a model in training is.
pub(crate) trait Evaluate<E, D> {
    /// Loss, scores and captions of a model that is outside of automatic differentiation.
    fn evaluate(&self, model: &VisionEncoderDecoder<E, D>) -> Result<Found, BoxError>;
}

/// What is added up for a language.
#[derive(Default)]
struct Sums {
    loss: f64,
    tokens: usize,
    corpus: Corpus,
}

impl Evaluator {
    pub(crate) fn new(
        session: &Session<'_>,
        start: &Start,
        objective: Objective,
    ) -> Result<Self, Error> {
        let settings = session.settings;
        Ok(Self {
            loader: data::validation(settings, start, session.output, session.program)?,
            template: start.pretrained.clone(),
            tokenizer: start.tokenizer.clone(),
            processor: start.processor.clone(),
            settings: settings.evaluation.clone(),
            max_length: settings.data.max_length,
            objective,
            device: session.device.clone().inner(),
        })
    }
}

impl Evaluate<ImageEncoder, TextDecoder> for Evaluator {
    /// Loss and scores, for each language and for all together.
    fn evaluate(&self, model: &PretrainedModel) -> Result<Found, BoxError> {
        let pretrained = Pretrained {
            model: model.clone(),
            ..self.template.clone()
        };
        let mut languages: Vec<Language> =
            self.tokenizer.languages().map(|(known, _)| known).collect();
        if languages.is_empty() {
            languages.push(UNDETERMINED);
        }
        let captioner = Captioner::new(
            pretrained,
            self.processor.clone(),
            self.tokenizer.clone(),
            languages,
            &self.device,
        )?;
        let generation = self.generation(&captioner)?;
        let ends = &self.template.generation_config.eos_token_id;
        let mut encoder = CaptionEncoder::new(&self.tokenizer, self.max_length, ends);
        let limit = self.settings.limit(&self.loader);
        let bar = Progress::bar(limit, "evaluation {bar:20} {pos}/{len} images, {eta} left");
        let (mut sums, mut samples, mut images) = (BTreeMap::new(), Vec::new(), 0);
        for batch in self.loader.batches(Position::default(), 1)? {
            let batch = batch?;
            if images >= limit {
                break;
            }
            let memory = model.encode(self.pixels(&batch));
            self.add_losses((model, &mut encoder), &memory, &batch, &mut sums)?;
            let captions =
                self.add_captions((&captioner, &generation), memory, &batch, &mut sums)?;
            let wanted = self.settings.samples.saturating_sub(samples.len());
            samples.extend(self.samples(&batch, captions).take(wanted));
            images += batch.examples.len() as u64;
            bar.set(images, limit.max(images));
        }
        bar.finish();
        Ok(Found {
            metrics: summed(&sums),
            samples,
        })
    }
}

impl Evaluator {
    /// The options of the search: those of the settings, then those of the checkpoint.
    fn generation(&self, captioner: &Captioner) -> Result<GenerationConfig, captioning::Error> {
        let mut said = vec![format!("num_beams={}", self.settings.num_beams)];
        let tokens = self.settings.max_new_tokens;
        said.extend(tokens.map(|tokens| format!("max_new_tokens={tokens}")));
        let defaults = GenerationConfig {
            max_length: Some(self.max_length),
            ..card_defaults()
        };
        let checkpoint = CaptionOptions::new(captioner.generation_config().clone());
        let options = captioner.options(checkpoint, &said, &defaults)?;
        Ok(options.generation)
    }

    /// Adds the losses of the captions of each language.
    fn add_losses(
        &self,
        (model, encoder): (&PretrainedModel, &mut CaptionEncoder<'_>),
        memory: &Memory,
        batch: &datasets::Batch,
        sums: &mut BTreeMap<&'static str, Sums>,
    ) -> Result<(), BoxError> {
        for language in languages(batch) {
            let captions: Vec<&BatchCaption> = of_language(batch, language).collect();
            let labels: Result<Vec<_>, _> = captions
                .iter()
                .map(|caption| encoder.encode(&caption.text, language))
                .collect();
            let labels = self.objective.labels(&model.decoder, &labels?)?;
            let row_sources: Vec<usize> = captions.iter().map(|caption| caption.image).collect();
            let memory = memory.clone();
            let loss = self.objective.sum(model, memory, &row_sources, &labels)?;
            let sums = sums.entry(language.code).or_default();
            sums.loss += number(loss)?;
            sums.tokens += labels.tokens();
        }
        Ok(())
    }

    /// Adds the captions that the model writes to the corpus of each language. Returns them by image.
    fn add_captions(
        &self,
        (captioner, generation): (&Captioner, &GenerationConfig),
        memory: Memory,
        batch: &datasets::Batch,
        sums: &mut BTreeMap<&'static str, Sums>,
    ) -> Result<Vec<Vec<Written>>, BoxError> {
        let languages = languages(batch);
        // A model without codes of languages writes the only one of the data.
        let asked = match captioner.languages() == [UNDETERMINED] {
            true => vec![UNDETERMINED],
            false => languages.clone(),
        };
        let results = captioner.caption_encoded(memory, &asked, generation)?;
        let mut written = Vec::with_capacity(results.len());
        for (image, results) in results.iter().enumerate() {
            let mut captions = Vec::new();
            for (result, language) in results.iter().zip(&languages) {
                let references: Vec<&str> = of_language(batch, *language)
                    .filter(|caption| caption.image == image)
                    .map(|caption| caption.text.as_str())
                    .collect();
                if references.is_empty() {
                    continue;
                }
                // A model that has learnt little may end at once.
                let prediction = result.best().map_or("", |caption| caption.text.as_str());
                let sums = sums.entry(language.code).or_default();
                sums.corpus.add(prediction, &references)?;
                captions.push(Written::new(*language, prediction, &references));
            }
            written.push(captions);
        }
        Ok(written)
    }

    fn samples<'a>(
        &'a self,
        batch: &'a datasets::Batch,
        captions: Vec<Vec<Written>>,
    ) -> impl Iterator<Item = Sample> + 'a {
        let pictures = pictures(&batch.pixel_values, self.processor.config());
        pictures
            .zip(captions)
            .map(|(picture, captions)| Sample { picture, captions })
    }

    fn pixels(&self, batch: &datasets::Batch) -> Tensor<4> {
        let pixels = &batch.pixel_values;
        Tensor::from_data(
            TensorData::new(pixels.values.clone(), pixels.shape),
            &self.device,
        )
    }
}

/// The value of a tensor with one.
pub(crate) fn number(tensor: Tensor<1>) -> Result<f64, BoxError> {
    let values = tensor
        .try_into_vec_as::<f32>()
        .map_err(|error| format!("{error:?}"))?;
    Ok(values.first().copied().map_or(f64::NAN, f64::from))
}

/// The languages of a batch's captions, in the order in which they come first.
fn languages(batch: &datasets::Batch) -> Vec<Language> {
    let mut languages: Vec<Language> = Vec::new();
    for caption in &batch.captions {
        if !languages.contains(&caption.language) {
            languages.push(caption.language);
        }
    }
    languages
}

fn of_language(batch: &datasets::Batch, language: Language) -> impl Iterator<Item = &BatchCaption> {
    let captions = batch.captions.iter();
    captions.filter(move |caption| caption.language == language)
}

/// The metrics of all languages. Scores of all together are means over languages, as captions of several languages
/// are no corpus.
fn summed(sums: &BTreeMap<&'static str, Sums>) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    let tokens: usize = sums.values().map(|sums| sums.tokens).sum();
    let loss: f64 = sums.values().map(|sums| sums.loss).sum();
    metrics.insert("eval_loss".to_owned(), loss / tokens as f64);
    let mut means: BTreeMap<&str, f64> = BTreeMap::new();
    for (language, sums) in sums {
        let scores = sums.corpus.score();
        let scores = [
            ("bleu1", scores.bleu[0]),
            ("bleu2", scores.bleu[1]),
            ("bleu3", scores.bleu[2]),
            ("bleu4", scores.bleu[3]),
            ("chrf", scores.chrf),
            ("cider", scores.cider),
            ("exact", scores.exact_match),
        ];
        let loss = sums.loss / sums.tokens as f64;
        metrics.insert(format!("eval_loss_{language}"), loss);
        for (name, score) in scores {
            metrics.insert(format!("eval_{name}_{language}"), score);
            *means.entry(name).or_default() += score;
        }
    }
    for (name, sum) in means {
        metrics.insert(format!("eval_{name}"), sum / sums.len() as f64);
    }
    metrics
}
