//! Draws scenes of pictograms with captions in four languages: the data that the embedded model was trained on.
//!
//! The art and the names come from npm packages, which `packages.sh` unpacks. Scenes are written as WebDataset
//! shards, which `train` and `evaluate` read. A description of what was written goes to stdout, everything else
//! to stderr. Exit codes: 0 all was written, 2 it was not.

mod art;
mod augment;
mod caption;
mod error;
mod fill;
mod font;
mod icons;
mod names;
mod packages;
mod raster;
mod scene;
mod shard;
mod style;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use rayon::prelude::*;
use report::{Program, Progress};
use serde_json::json;

use crate::art::Pictogram;
use crate::augment::Augmentation;
use crate::error::Error;
use crate::scene::{Sampler, Things};
use crate::style::Style;

/// Draw scenes of pictograms with captions in English, French, German and Spanish.
///
/// Each scene shows one thing or two on a coloured background, in one style of drawing. The shards hold for each
/// scene a PNG picture, a JSON object with its captions, and its labels for a classifier.
///
/// Exit code 0: all was written; 2: it was not.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Folder with the npm packages that packages.sh has unpacked.
    #[arg(long, value_name = "DIR")]
    packages: PathBuf,
    /// Folder to write the shards to. It is created; it must not hold shards already.
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// How many scenes to draw.
    #[arg(long, default_value_t = 400)]
    scenes: u64,
    /// Which styles of drawing.
    #[arg(long, value_enum, default_value_t = Styles::Seen)]
    styles: Styles,
    /// How many things a scene shows.
    #[arg(long, value_enum, default_value_t = Things::OneOrTwo)]
    things: Things,
    /// Vary the drawing: outlines, colours, blur, stretching, small turns.
    #[arg(long)]
    augment: bool,
    /// Seed of all random choices.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Width and height of a scene in pixels.
    #[arg(long, default_value_t = 96, value_parser = clap::value_parser!(u32).range(16..=2048))]
    size: u32,
    /// Scenes in a shard.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    shard_size: u64,
    /// Print a JSON object that describes what was written.
    #[arg(long)]
    json: bool,
}

/// The styles that scenes are drawn in.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Styles {
    /// The six that the reference was trained on.
    Seen,
    /// Those, and four more sets of emoji.
    More,
    /// Those, a font of line drawings, and icons of the same things.
    Open,
    /// The one that is never trained on.
    HeldOut,
}

impl Styles {
    fn list(self) -> Vec<Style> {
        match self {
            Self::Seen => Style::SEEN.to_vec(),
            Self::More => Style::MORE.to_vec(),
            Self::Open => Style::open(),
            Self::HeldOut => vec![Style::HELD_OUT],
        }
    }
}

fn main() -> ExitCode {
    report::run(draw)
}

fn draw(program: &Program, arguments: Arguments) -> Result<u8, Error> {
    let styles = arguments.styles.list();
    let pictograms = art::load(&arguments.packages, &styles)?;
    if pictograms.is_empty() {
        return Err(Error::NothingToDraw {
            packages: arguments.packages.clone(),
        });
    }
    shard::prepare(&arguments.output)?;
    let sampler = Sampler {
        pictograms: &pictograms,
        styles: &styles,
        things: arguments.things,
        size: arguments.size,
        augmentation: arguments.augment.then(Augmentation::default),
        seed: arguments.seed,
    };
    let template = "{bar:30} {pos}/{len} scenes, {per_sec}, {eta} left";
    let progress = Progress::bar(arguments.scenes, template);
    let shards = arguments.scenes.div_ceil(arguments.shard_size);
    (0..shards).into_par_iter().try_for_each(|number| {
        let first = number * arguments.shard_size;
        let scenes = first..arguments.scenes.min(first + arguments.shard_size);
        let path = shard::path(&arguments.output, number);
        shard::write(
            &path,
            scenes.map(|index| (index, sampler.scene(index))),
            || {
                progress.advance();
            },
        )
    })?;
    progress.finish();
    describe(&arguments, program, &pictograms, shards)?;
    Ok(0)
}

fn describe(
    arguments: &Arguments,
    program: &Program,
    pictograms: &[Pictogram],
    shards: u64,
) -> Result<(), Error> {
    let things = pictograms.len();
    if arguments.json {
        program.json(&json!({
            "scenes": arguments.scenes,
            "shards": shards,
            "things": things,
            "seed": arguments.seed,
        }))?;
    } else {
        program.line(format!(
            "{} scenes of {things} things in {shards} shards of {}",
            arguments.scenes,
            report::name(&arguments.output),
        ))?;
    }
    Ok(())
}
