//! The preparation of an encoder by classification.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor};
use datasets::{Dataset, Entry, Loader, Position};
use preprocess::image::ImageProcessor;
use pretrained::ImageEncoder;
use report::Progress;
use training::{BoxError, Classes, Classifier, Objective, class_batch};
use vision_encoder_decoder::{Decoder, Memory, VisionEncoderDecoder};

use crate::evaluation::{Evaluate, Found, number};
use crate::sample::{Sample, Written, pictures};
use crate::settings::{EvaluationSettings, Settings};
use crate::{Session, Start, data, error::Error};

/// Evaluates classifiers.
pub(crate) struct LabelEvaluator {
    loader: Loader,
    processor: ImageProcessor,
    classes: Classes,
    settings: EvaluationSettings,
    objective: Objective,
    /// Without automatic differentiation.
    device: Device,
}

/// The classes of the training data, all of which is read for them.
pub(crate) fn classes(settings: &Settings) -> Result<Classes, Error> {
    let spinner = Progress::spinner();
    let dataset = Dataset::open_all(&settings.data.train_files, &data::options(settings)?)?;
    let (mut failure, mut images) = (None, 0u64);
    let labels = dataset
        .captions()
        .map_while(|entry| entry.map_err(|error| failure = Some(error)).ok())
        .filter_map(|entry| match entry {
            Entry::Example(example) => Some(example.captions.into_iter().map(|label| label.text)),
            Entry::Skipped(_) => None,
        })
        .inspect(|_| {
            images += 1;
            if images.is_multiple_of(10_000) {
                spinner.set_message(&format!("labels of {images} images read"));
            }
        });
    let classes = Classes::of(labels);
    spinner.finish();
    match failure {
        Some(error) => Err(error.into()),
        None => Ok(classes?),
    }
}

/// What is added up.
#[derive(Default)]
struct Sums {
    loss: f64,
    tokens: usize,
    right_labels: usize,
    labels: usize,
    right_images: usize,
    images: usize,
}

impl LabelEvaluator {
    pub(crate) fn new(
        session: &Session<'_>,
        start: &Start,
        classes: &Classes,
        objective: Objective,
    ) -> Result<Self, Error> {
        let settings = session.settings;
        Ok(Self {
            loader: data::validation(settings, start, session.output, session.program)?,
            processor: start.processor.clone(),
            classes: classes.clone(),
            settings: settings.evaluation.clone(),
            objective,
            device: session.device.clone().inner(),
        })
    }

    /// The tokens of the classes that score best, `[rows][places]`.
    fn predictions(
        &self,
        model: &VisionEncoderDecoder<ImageEncoder, Classifier>,
        memory: Memory,
        row_sources: &[usize],
    ) -> Result<Vec<Vec<u32>>, BoxError> {
        let places = self.classes.max_labels() + 1;
        let decoder = &model.decoder;
        let mut state = decoder.start(memory, row_sources);
        // A classifier does not look at tokens.
        let tokens = Tensor::<2, Int>::zeros([row_sources.len(), places], &self.device);
        let logits = decoder.logits(decoder.forward(tokens, None, &mut state));
        let best = logits.argmax(2).flatten::<1>(0, 2);
        let best = best
            .try_into_vec_as::<i64>()
            .map_err(|error| format!("{error:?}"))?;
        let rows = best.chunks(places);
        Ok(rows
            .map(|row| row.iter().map(|token| *token as u32).collect())
            .collect())
    }
}

impl Evaluate<ImageEncoder, Classifier> for LabelEvaluator {
    /// Loss, the share of labels that are right and the share of images all of whose labels are.
    fn evaluate(
        &self,
        model: &VisionEncoderDecoder<ImageEncoder, Classifier>,
    ) -> Result<Found, BoxError> {
        let limit = self.settings.limit(&self.loader);
        let bar = Progress::bar(limit, "evaluation {bar:20} {pos}/{len} images, {eta} left");
        let (mut sums, mut samples) = (Sums::default(), Vec::new());
        for batch in self.loader.batches(Position::default(), 1)? {
            if sums.images as u64 >= limit {
                break;
            }
            let batch = batch?;
            let wanted = self.settings.samples.saturating_sub(samples.len());
            let shown = pictures(&batch.pixel_values, self.processor.config()).take(wanted);
            let mut shown = shown.collect::<Vec<_>>().into_iter();
            let batch = class_batch(batch, &self.classes, &self.device)?;
            let memory = model.encode(batch.input);
            let labels = self.objective.labels(&model.decoder, &batch.labels)?;
            let loss = self
                .objective
                .sum(model, memory.clone(), &batch.row_sources, &labels)?;
            sums.loss += number(loss)?;
            sums.tokens += labels.tokens();
            let predictions = self.predictions(model, memory, &batch.row_sources)?;
            for (wanted, found) in batch.labels.iter().zip(&predictions) {
                let (wanted, found) = (self.classes.decode(wanted), self.classes.decode(found));
                sums.labels += wanted.len();
                sums.right_labels += wanted.iter().zip(&found).filter(|(a, b)| a == b).count();
                sums.images += 1;
                sums.right_images += usize::from(wanted == found);
                samples.extend(shown.next().map(|picture| Sample {
                    picture,
                    captions: vec![Written::labels(&found, &wanted)],
                }));
            }
            bar.set(sums.images as u64, limit.max(sums.images as u64));
        }
        bar.finish();
        Ok(Found {
            metrics: sums.metrics(),
            samples,
        })
    }
}

impl Sums {
    fn metrics(&self) -> BTreeMap<String, f64> {
        let share = |right: usize, all: usize| right as f64 / all as f64;
        let metrics = [
            ("eval_loss", self.loss / self.tokens as f64),
            ("eval_accuracy", share(self.right_labels, self.labels)),
            ("eval_exact", share(self.right_images, self.images)),
        ];
        let metrics = metrics.map(|(name, value)| (name.to_owned(), value));
        metrics.into_iter().collect()
    }
}
