//! Trains a captioner: data, cleaning aside, to checkpoints, with evaluations and reports on the way.
//!
//! Evaluations and where the checkpoints are go to stdout, everything else to stderr. Exit codes: 0 the training is
//! complete, 1 it was stopped and can go on, 2 it failed.

mod arguments;
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

use burn::tensor::Device;
use preprocess::image::{ImageProcessor, ImageProcessorConfig};
use preprocess::text::Tokenizer;
use pretrained::{LoadOptions, Pretrained, Weights};
use report::Program;
use training::{BatchSource, CaptionBatches};
use training::{Finished, PretrainedFiles, Trainer, latest_checkpoint};

use crate::arguments::Arguments;
use crate::error::Error;
use crate::evaluation::Evaluator;
use crate::observer::Observer;
use crate::output::Output;
use crate::settings::Settings;

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
    let mut start = load(program, &settings, &device)?;
    for notice in &start.pretrained.notices {
        program.message(notice);
    }

    let loader = data::training(&settings, &start.processor, &output, program)?;
    let config = settings.training.clone().for_batches_on(
        usize::try_from(loader.batches_per_epoch()).unwrap_or(usize::MAX),
        devices.len(),
    );
    let options = &start.pretrained.generation_config;
    let config = config.with_tokens(options.decoder_start_token_id, options.pad_token_id);
    // What was trained with is what captions begin with, in evaluations and in the checkpoints.
    start.pretrained.generation_config.decoder_start_token_id = config.decoder_start_token_id;

    let files = PretrainedFiles::new(&start.pretrained, Some(&start.folder));
    let trainer = Trainer::new(start.pretrained.model.clone(), config, &files)?;
    let mut trainer = trainer.with_devices(&devices)?;
    let evaluator = match settings.training.eval_steps {
        Some(_) => {
            let objective = *trainer.objective();
            let evaluator = Evaluator::new(&settings, &start, objective, &output, &device, program);
            Some(evaluator?)
        }
        None => None,
    };
    let on_skipped = |skipped: &datasets::Skipped| program.message(skipped);
    let max_length = settings.data.max_length;
    let mut batches =
        CaptionBatches::new(loader, &start.tokenizer, max_length, &device).on_skipped(on_skipped);
    if let Some(checkpoint) = latest_checkpoint(output.folder())? {
        let position = match arguments.overwrite_settings {
            true => trainer.restore_with_changes(&checkpoint, &files)?,
            false => trainer.restore(&checkpoint, &files)?,
        };
        batches
            .restore(&position)
            .map_err(training::TrainingError::Data)?;
        program.message(format!("goes on from {}", checkpoint.display()));
    }
    // Without a handler a signal ends the program at once, and what was saved stays.
    let stop = report::stop_at_interrupt(STOPPED);
    let mut observer = Observer::new(
        program,
        &output,
        trainer.config().clone(),
        trainer.progress(),
        evaluator,
        stop,
        arguments.json,
    )?;
    let finished = trainer.run(&mut batches, &files, output.folder(), &mut observer);
    observer.finish()?;
    tell(program, &finished?)
}

fn load(program: &Program, settings: &Settings, device: &Device) -> Result<Start, Error> {
    let folder = locate::checkpoint(program, &settings.model)?;
    let options = LoadOptions {
        weights: Weights::Ordinary,
        ..LoadOptions::default()
    };
    let tokenizer = Tokenizer::from_folder(&folder)?;
    for language in data::languages(settings)? {
        tokenizer.language_id(language.code)?;
    }
    let mut pretrained = Pretrained::from_folder(&folder, &options, device)?;
    if settings.fresh_weights {
        pretrained = Pretrained::from_config(
            pretrained.config,
            pretrained.generation_config,
            Weights::Ordinary,
            device,
        );
    }
    let [_, height, _] = pretrained.config.encoder.input();
    let side = u32::try_from(height).unwrap_or(u32::MAX);
    let processor = match settings.data.as_published {
        true => ImageProcessorConfig::as_published(side),
        false => ImageProcessorConfig::of_checkpoint(&folder, side)?,
    };
    Ok(Start {
        folder,
        pretrained,
        tokenizer,
        processor: ImageProcessor::new(processor)?,
    })
}

fn tell(program: &Program, finished: &Finished) -> Result<u8, Error> {
    match finished {
        Finished::Stopped { checkpoint } => {
            program.message(format!(
                "stopped; the same command goes on from {}",
                checkpoint.display()
            ));
            Ok(STOPPED)
        }
        Finished::Complete { checkpoint } => {
            program.message(format!(
                "complete; try caption --model {} PICTURE",
                checkpoint.display()
            ));
            Ok(0)
        }
        _ => Ok(0),
    }
}
