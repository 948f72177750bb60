//! What a training shows and writes while it runs.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use report::Program;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use training::logs::{EventFile, Table};
use training::{BoxError, Evaluation, Progress, TrainingConfig, TrainingObserver, UpdateReport};
use vision_encoder_decoder::VisionEncoderDecoder;

use crate::error::Error;
use crate::evaluation::Evaluate;
use crate::output::Output;
use crate::page;
use crate::sample::Sample;

/// The columns of the table of updates.
const COLUMNS: [&str; 5] = ["loss", "grad_norm", "learning_rate", "tokens", "images"];

/// The bar of a training.
const TEMPLATE: &str = "{bar:20} update {pos}/{len}, {eta} left, {msg}";

/// The largest file of evaluations that is read when a training goes on.
const LIMIT: u64 = 1 << 30;

/// Writes tables, event files, evaluations and the page, and shows a bar.
pub(crate) struct Observer<'a, V> {
    program: &'a Program,
    output: &'a Output,
    config: TrainingConfig,
    evaluator: Option<V>,
    stop: Arc<AtomicBool>,
    is_json: bool,
    bar: report::Progress,
    updates: Table,
    events: EventFile,
    evaluated: Vec<Evaluated>,
    samples: Vec<Sample>,
    /// When the updates began that are not yet logged, and what they learnt.
    since: Instant,
    tokens: usize,
    images: usize,
    /// Why nothing can be written any more.
    failure: Option<Error>,
}

/// An evaluation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Evaluated {
    pub(crate) update: usize,
    #[serde(deserialize_with = "numbers")]
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// JSON has no NaN: it is written as `null`.
fn numbers<'de, D: Deserializer<'de>>(source: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let metrics = BTreeMap::<String, Option<f64>>::deserialize(source)?;
    let metrics = metrics.into_iter();
    Ok(metrics
        .map(|(name, value)| (name, value.unwrap_or(f64::NAN)))
        .collect())
}

impl<'a, V> Observer<'a, V> {
    /// Goes on with the files of a training that has come so far.
    pub(crate) fn new(
        program: &'a Program,
        output: &'a Output,
        config: TrainingConfig,
        progress: &Progress,
        evaluator: Option<V>,
        stop: Arc<AtomicBool>,
        is_json: bool,
    ) -> Result<Self, Error> {
        let update = progress.update as u64;
        let path = output.updates();
        let updates = Table::open(&path, &COLUMNS, update).map_err(Error::writing(path))?;
        let first = if update == 0 { 0 } else { update + 1 };
        let folder = output.events();
        let events = EventFile::create(&folder, first).map_err(Error::writing(folder))?;
        let evaluated = evaluations(&output.evaluations(), progress.update)?;
        let bar = report::Progress::bar(config.max_steps.unwrap_or(0) as u64, TEMPLATE);
        bar.set(update, config.max_steps.unwrap_or(0) as u64);
        Ok(Self {
            program,
            output,
            config,
            evaluator,
            stop,
            is_json,
            bar,
            updates,
            events,
            evaluated,
            samples: Vec::new(),
            since: Instant::now(),
            tokens: 0,
            images: 0,
            failure: None,
        })
    }

    /// Says what could not be written.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.bar.finish();
        let path = self.output.updates();
        self.updates.flush().map_err(Error::writing(path))?;
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn record_update(&mut self, report: &UpdateReport) -> Result<(), Error> {
        let update = report.update as u64;
        let values = [
            Some(report.loss),
            Some(report.grad_norm),
            Some(report.learning_rate),
            Some(report.tokens as f64),
            Some(report.sources as f64),
        ];
        let path = self.output.updates();
        self.updates
            .row(update, &values)
            // Before a checkpoint of this update exists: a kill may follow.
            .and_then(|()| self.updates.flush())
            .map_err(Error::writing(path))?;
        self.tokens += report.tokens;
        self.images += report.sources;
        let is_last = Some(report.update) == self.config.max_steps;
        if !report.update.is_multiple_of(self.config.logging_steps) && !is_last {
            return Ok(());
        }
        let seconds = self.since.elapsed().as_secs_f64().max(1e-9);
        let speed = [self.images as f64 / seconds, self.tokens as f64 / seconds];
        self.since = Instant::now();
        (self.images, self.tokens) = (0, 0);
        let [images, tokens] = speed;
        let scalars = [
            ("train/loss", report.loss),
            ("train/grad_norm", report.grad_norm),
            ("train/learning_rate", report.learning_rate),
            ("train/images_per_second", images),
            ("train/tokens_per_second", tokens),
        ];
        self.write_events(report.update, &scalars)?;
        self.bar.set_message(&format!(
            "loss {:.4}, rate {:.2e}, {images:.1} images/s, {tokens:.0} tokens/s",
            report.loss, report.learning_rate
        ));
        if self.is_json {
            self.program.json(&json!({
                "update": report.update,
                "loss": report.loss,
                "grad_norm": report.grad_norm,
                "learning_rate": report.learning_rate,
                "tokens": report.tokens,
                "texts": report.rows,
                "images": report.sources,
                "images_per_second": images,
                "tokens_per_second": tokens,
            }))?;
        }
        Ok(())
    }

    fn record_evaluation(&mut self, evaluated: Evaluated) -> Result<(), Error> {
        let path = self.output.evaluations();
        let line = serde_json::to_string(&evaluated).unwrap_or_default();
        let mut file = OpenOptions::new();
        let written = file.create(true).append(true).open(&path);
        written
            .and_then(|mut file| writeln!(file, "{line}"))
            .map_err(Error::writing(path))?;
        let tags: Vec<(String, f64)> = evaluated
            .metrics
            .iter()
            .map(|(name, value)| (name.replacen("eval_", "eval/", 1), *value))
            .collect();
        let scalars: Vec<(&str, f64)> = tags
            .iter()
            .map(|(tag, value)| (tag.as_str(), *value))
            .collect();
        self.write_events(evaluated.update, &scalars)?;
        if self.is_json {
            self.program.json(&json!({
                "update": evaluated.update,
                "evaluation": evaluated.metrics,
            }))?;
        } else {
            let program = self.program;
            self.bar.suspend(|| print(program, &evaluated))?;
        }
        self.evaluated.push(evaluated);
        self.write_page()
    }

    fn write_events(&mut self, update: usize, scalars: &[(&str, f64)]) -> Result<(), Error> {
        let values = scalars.iter().map(|(tag, value)| (*tag, *value as f32));
        let written = self.events.scalars(update as u64, values);
        let written = written.and_then(|()| self.events.flush());
        written.map_err(Error::writing(self.events.path()))
    }

    fn write_page(&mut self) -> Result<(), Error> {
        let updates = self.output.updates();
        self.updates.flush().map_err(Error::writing(&updates))?;
        let updates = whole_files::read_text(updates, LIMIT)?;
        let page = page::page(&updates, &self.evaluated, &self.samples);
        let path = self.output.page();
        whole_files::replace(&path, page.as_bytes()).map_err(Error::writing(path))
    }

    /// Keeps the first failure.
    fn keep(&mut self, result: Result<(), Error>) {
        if let Err(failure) = result {
            self.failure.get_or_insert(failure);
        }
    }
}

impl<E, D, V: Evaluate<E, D>> TrainingObserver<E, D> for Observer<'_, V> {
    fn on_update(&mut self, report: &UpdateReport, _progress: &Progress) -> ControlFlow<()> {
        self.bar.advance();
        let result = self.record_update(report);
        self.keep(result);
        match self.failure.is_some() || self.stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn evaluate(
        &mut self,
        model: &VisionEncoderDecoder<E, D>,
        _progress: &Progress,
    ) -> Result<Option<Evaluation>, BoxError> {
        let Some(evaluator) = &self.evaluator else {
            return Ok(None);
        };
        let found = self.bar.suspend(|| evaluator.evaluate(model))?;
        // The time of an evaluation is not that of updates.
        self.since = Instant::now();
        (self.images, self.tokens) = (0, 0);
        self.samples = found.samples;
        Ok(Some(Evaluation {
            metrics: found.metrics,
        }))
    }

    fn on_evaluation(&mut self, evaluation: &Evaluation, progress: &Progress) {
        let result = self.record_evaluation(Evaluated {
            update: progress.update,
            metrics: evaluation.metrics.clone(),
        });
        self.keep(result);
    }

    fn before_save(&mut self, _progress: &Progress) {
        let path = self.output.updates();
        let result = self.updates.sync().map_err(Error::writing(path));
        self.keep(result);
    }

    fn on_save(&mut self, folder: &Path, progress: &Progress) {
        if self.is_json {
            let result = self.program.json(&json!({
                "update": progress.update,
                "checkpoint": report::name(folder),
            }));
            self.keep(result.map_err(Error::from));
        }
    }
}

/// Prints an evaluation, a line for each language.
fn print(program: &Program, evaluated: &Evaluated) -> Result<(), Error> {
    let metrics = &evaluated.metrics;
    let loss = metrics.get("eval_loss").copied().unwrap_or(f64::NAN);
    program.line(format!("update {}: loss {loss:.4}", evaluated.update))?;
    let share = |name: &str| metrics.get(name).map(|share| share * 100.0);
    if let (Some(labels), Some(images)) = (share("eval_accuracy"), share("eval_exact")) {
        program.line(format!(
            "  labels {labels:.1} % right, all of an image {images:.1} %"
        ))?;
    }
    for language in languages(metrics) {
        let of = |name: &str| {
            let value = metrics.get(&format!("eval_{name}_{language}"));
            value.copied().unwrap_or(f64::NAN)
        };
        program.line(format!(
            "  {language}  loss {:.4}  BLEU-1 {:.4}  BLEU-4 {:.4}  chrF {:.2}  CIDEr {:.3}  exact {:.1} %",
            of("loss"),
            of("bleu1"),
            of("bleu4"),
            of("chrf"),
            of("cider"),
            of("exact") * 100.0
        ))?;
    }
    Ok(())
}

/// The codes of the languages that metrics are of.
pub(crate) fn languages(metrics: &BTreeMap<String, f64>) -> impl Iterator<Item = &str> {
    metrics
        .keys()
        .filter_map(|name| name.strip_prefix("eval_loss_"))
}

/// The evaluations up to an update, in a file of which later ones are removed.
fn evaluations(path: &Path, last: usize) -> Result<Vec<Evaluated>, Error> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = whole_files::read_text(path, LIMIT)?;
    let all = text
        .lines()
        .map_while(|line| serde_json::from_str(line).ok());
    let kept: Vec<Evaluated> = all
        .take_while(|found: &Evaluated| found.update <= last)
        .collect();
    let lines = kept
        .iter()
        .map(|found| serde_json::to_string(found).unwrap_or_default() + "\n");
    let text: String = lines.collect();
    whole_files::replace(path, text.as_bytes()).map_err(Error::writing(path))?;
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluations_are_read_up_to_the_last_update_also_without_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("evaluations.jsonl");
        let line = |update: usize, loss: f64| {
            let metrics = BTreeMap::from([("eval_loss".to_owned(), loss)]);
            serde_json::to_string(&Evaluated { update, metrics }).unwrap() + "\n"
        };
        let text = line(1, f64::NAN) + &line(2, 0.5) + &line(3, 0.4);
        std::fs::write(&path, text).unwrap();
        let found = evaluations(&path, 2).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[0].metrics["eval_loss"].is_nan());
        assert_eq!(found[1].metrics["eval_loss"], 0.5);
    }
}
