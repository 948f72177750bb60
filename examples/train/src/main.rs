//! Trains a captioner: data, cleaning aside, to checkpoints, with evaluations and reports on the way.
//!
//! Evaluations and where the checkpoints are go to stdout, everything else to stderr. Exit codes: 0 the training is
//! complete, 1 it was stopped and can go on, 2 it failed.

mod arguments;
mod classify;
mod curve;
mod data;
mod error;
mod evaluation;
mod observer;
mod output;
mod page;
mod sample;
mod settings;

use std::path::PathBuf;
use std::process::ExitCode;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use datasets::Loader;
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use preprocess::text::Tokenizer;
use pretrained::{LoadOptions, Pretrained, Weights};
use report::Program;
use training::{BatchSource, CaptionBatches, CaptionEncoder, Classes, Classifier, ClassifierFiles};
use training::{Finished, ModelFiles, PretrainedFiles, Trainer, TrainingConfig, latest_checkpoint};
use vision_encoder_decoder::{Decoder, Encoder, VisionEncoderDecoder};

use crate::arguments::Arguments;
use crate::classify::LabelEvaluator;
use crate::error::Error;
use crate::evaluation::{Evaluate, Evaluator};
use crate::observer::Observer;
use crate::output::Output;
use crate::settings::{Settings, Task};

/// A number that no vocabulary has, for padding where every token may be a label.
const NO_TOKEN: u32 = u32::MAX;

/// The exit code of a training that was stopped.
const STOPPED: u8 = 1;

fn main() -> ExitCode {
    report::run(train)
}

/// A checkpoint to start from.
struct Start {
    folder: PathBuf,
    pretrained: Pretrained,
    tokenizer: Tokenizer,
    processor: ImageProcessor,
}

fn train(program: &Program, arguments: Arguments) -> Result<u8, Error> {
    let settings = Settings::read(arguments.config.as_deref(), arguments.changes()?)?;
    let devices = device::devices(&arguments.device)?;
    let device = devices[0].clone().autodiff();
    let output = Output::open(&settings, arguments.overwrite_settings)?;
    let start = load(program, &settings, &device)?;
    for notice in &start.pretrained.notices {
        program.message(notice);
    }
    let loader = data::training(&settings, &start, &output, program)?;
    let config = settings.training.clone().for_batches_on(
        usize::try_from(loader.batches_per_epoch()).unwrap_or(usize::MAX),
        devices.len(),
    );
    let session = Session {
        program,
        settings: &settings,
        output: &output,
        devices: &devices,
        device: &device,
        overwrites_settings: arguments.overwrite_settings,
        is_json: arguments.json,
    };
    match settings.task {
        Task::Captioning => session.captioning(start, loader, config),
        Task::Classification => session.classification(start, loader, config),
    }
}

/// What both tasks need.
struct Session<'a> {
    program: &'a Program,
    settings: &'a Settings,
    output: &'a Output,
    devices: &'a [Device],
    /// The first of them, with automatic differentiation.
    device: &'a Device,
    /// Whether a training goes on although its settings were others.
    overwrites_settings: bool,
    is_json: bool,
}

impl Session<'_> {
    fn captioning(
        &self,
        mut start: Start,
        loader: Loader,
        config: TrainingConfig,
    ) -> Result<u8, Error> {
        let length = self.settings.data.max_length;
        if let Some(positions) = start.pretrained.model.decoder.max_positions()
            && length > positions
        {
            return Err(Error::TooLong { length, positions });
        }
        let options = &start.pretrained.generation_config;
        let ends = options.eos_token_id.clone();
        // The end has to be learnt, also where it is padding, as in GPT-2.
        let is_learnt = |pad: u32| ends.contains(&pad);
        let pad = options.pad_token_id.map(|pad| match is_learnt(pad) {
            true => NO_TOKEN,
            false => pad,
        });
        let config = config.with_tokens(options.decoder_start_token_id, pad);
        // What was trained with is what captions begin with, in evaluations and in the checkpoints.
        start.pretrained.generation_config.decoder_start_token_id = config.decoder_start_token_id;
        let files = PretrainedFiles::new(&start.pretrained, Some(&start.folder));
        let trainer = Trainer::new(start.pretrained.model.clone(), config, &files)?;
        let evaluator = match self.settings.training.eval_steps {
            Some(_) => Some(Evaluator::new(self, &start, *trainer.objective())?),
            None => None,
        };
        let encoder = CaptionEncoder::new(&start.tokenizer, length, &ends);
        let batches = CaptionBatches::new(loader, encoder, self.device);
        self.run(trainer, batches, &files, evaluator)
    }

    fn classification(
        &self,
        start: Start,
        loader: Loader,
        config: TrainingConfig,
    ) -> Result<u8, Error> {
        let classes = classify::classes(self.settings)?;
        let config = TrainingConfig {
            decoder_start_token_id: Some(Classes::PADDING),
            pad_token_id: Some(Classes::PADDING),
            ..config
        };
        let VisionEncoderDecoder {
            encoder,
            decoder,
            projection,
        } = start.pretrained.model.clone();
        let [channels, height, width] = start.pretrained.config.encoder.input();
        let pixels = Tensor::zeros([1, channels, height, width], self.device);
        let [_, _, width] = start.pretrained.model.encode(pixels).hidden.dims();
        let model = VisionEncoderDecoder {
            encoder,
            decoder: Classifier::new(width, &classes, self.device),
            projection,
        };
        let files = PretrainedFiles::new(&start.pretrained, Some(&start.folder));
        let files = ClassifierFiles::new(files, decoder, classes.clone());
        let trainer = Trainer::new(model, config, &files)?;
        let evaluator = match self.settings.training.eval_steps {
            Some(_) => {
                let objective = *trainer.objective();
                Some(LabelEvaluator::new(self, &start, &classes, objective)?)
            }
            None => None,
        };
        let batches = CaptionBatches::of_labels(loader, &classes, self.device);
        self.run(trainer, batches, &files, evaluator)
    }

    fn run<E, D, V>(
        &self,
        trainer: Trainer<E, D>,
        batches: CaptionBatches<'_>,
        files: &dyn ModelFiles<E, D>,
        evaluator: Option<V>,
    ) -> Result<u8, Error>
    where
        E: Encoder<Input = Tensor<4>>,
        D: Decoder,
        V: Evaluate<E, D>,
    {
        let mut trainer = trainer.with_devices(self.devices)?;
        let program = self.program;
        let on_skipped = |skipped: &datasets::Skipped| program.message(skipped);
        let mut batches = batches.on_skipped(on_skipped);
        if let Some(checkpoint) = latest_checkpoint(self.output.folder())? {
            let position = match self.overwrites_settings {
                true => trainer.restore_with_changes(&checkpoint, files)?,
                false => trainer.restore(&checkpoint, files)?,
            };
            batches
                .restore(&position)
                .map_err(training::TrainingError::Data)?;
            program.message(format!("goes on from {}", checkpoint.display()));
        }
        self.output.keep(self.settings)?;
        // Without a handler a signal ends the program at once, and what was saved stays.
        let stop = report::stop_at_interrupt(STOPPED);
        let mut observer = Observer::new(
            program,
            self.output,
            trainer.config().clone(),
            trainer.progress(),
            evaluator,
            stop,
            self.is_json,
        )?;
        let finished = trainer.run(&mut batches, files, self.output.folder(), &mut observer);
        observer.finish()?;
        self.tell(&finished?)
    }

    fn tell(&self, finished: &Finished) -> Result<u8, Error> {
        match finished {
            Finished::Stopped { checkpoint } => {
                self.program.message(format!(
                    "stopped; the same command goes on from {}",
                    checkpoint.display()
                ));
                Ok(STOPPED)
            }
            Finished::Complete { checkpoint } => {
                let next = match self.settings.task {
                    Task::Captioning => "try caption",
                    Task::Classification => "now train captions with train",
                };
                self.program.message(format!(
                    "complete; {next} --model {} ...",
                    checkpoint.display()
                ));
                Ok(0)
            }
            _ => Ok(0),
        }
    }
}

fn load(program: &Program, settings: &Settings, device: &Device) -> Result<Start, Error> {
    let folder = locate::checkpoint(program, &settings.model)?;
    let options = LoadOptions {
        weights: Weights::Ordinary,
        ..LoadOptions::default()
    };
    let tokenizer = Tokenizer::from_folder(&folder)?;
    let languages = data::languages(settings)?;
    let has_codes = tokenizer.languages().next().is_some();
    if !has_codes && settings.task == Task::Captioning && languages.len() > 1 {
        return Err(Error::SeveralLanguages(settings.data.languages.clone()));
    }
    if has_codes {
        for language in languages {
            tokenizer.language_id(language.code)?;
        }
    }
    let mut pretrained = Pretrained::from_folder(&folder, &options, device)?;
    if settings.fresh_weights {
        pretrained = Pretrained::from_config(
            pretrained.config,
            pretrained.generation_config,
            Weights::Ordinary,
            device,
        );
        // They are drawn when they are first used.
        device.seed(settings.training.seed);
        pretrained.model = pretrained.model.materialize();
    }
    let size = pretrained.config.encoder.image_size();
    let processor = match settings.data.as_published {
        true => ImageProcessorConfig::as_published(size[0]),
        false => ImageProcessorConfig::of_checkpoint(&folder, size)?,
    };
    Ok(Start {
        folder,
        pretrained,
        tokenizer,
        processor: ImageProcessor::new(processor)?,
    })
}
