//! Everything that `generation` can do, around a model of another kind: a table of word counts.
//!
//! To use your own model, implement `StepModel` as `model.rs` does.

mod model;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use generation::{
    ConfigError, Event, GenerateError, Generation, GenerationConfig, Hypothesis, Matching, Phrase,
    Prompt, PromptError, Vocabulary,
};
use report::{OutputError, Program};
use whole_files::limits;

use crate::model::{END, NGrams};

/// Write sentences like those of a text, by how often words follow each other.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Text file with one sentence per line; by default some sentences about animals.
    corpus: Option<PathBuf>,
    /// Words that the sentence begins with.
    #[arg(long, value_name = "WORDS", default_value = "")]
    prefix: String,
    /// Words that have to occur (needs num_beams above 1); may be given several times.
    #[arg(long, value_name = "WORDS")]
    require: Vec<String>,
    /// Words that must not occur; may be given several times.
    #[arg(long, value_name = "WORDS")]
    forbid: Vec<String>,
    /// A generation option by its Hugging Face name, such as num_beams=4 or do_sample=true; may be
    /// given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Print words as they are generated.
    #[arg(long)]
    stream: bool,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Corpus(#[from] whole_files::ReadError),
    #[error("the corpus has no words")]
    Empty,
    #[error("--stream shows one text, but num_return_sequences is {0}")]
    Stream(usize),
    #[error("{0:?} has a word that is not in the corpus")]
    Word(String),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Generate(#[from] GenerateError<std::convert::Infallible>),
    #[error(transparent)]
    Prompt(#[from] PromptError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| run(program, &arguments).map(|()| 0))
}

fn run(program: &Program, arguments: &Arguments) -> Result<(), Error> {
    let text = match &arguments.corpus {
        // The usual name of an empty file, although it is a device.
        Some(path) if path.as_os_str() == "/dev/null" => String::new(),
        Some(path) => whole_files::read_text(path, limits::TEXT)?,
        None => include_str!("../animals.txt").into(),
    };
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    let model = NGrams::count(&text);
    let words = |text: &String| model.ids(text).ok_or_else(|| Error::Word(text.clone()));
    let phrase = |text: &String| -> Result<Phrase, Error> {
        Ok(Phrase::new(words(text)?).with_matching(Matching::WholeWords))
    };

    let mut prompt = Prompt::new([vec![END], words(&arguments.prefix)?].concat());
    for text in &arguments.require {
        prompt = prompt.with_required(phrase(text)?);
    }
    for text in &arguments.forbid {
        prompt = prompt.with_forbidden(phrase(text)?);
    }
    let config = GenerationConfig {
        eos_token_id: vec![END],
        ..GenerationConfig::default()
    };
    let config = config.with_settings(&arguments.set)?;
    if arguments.stream && config.num_return_sequences > 1 {
        return Err(Error::Stream(config.num_return_sequences));
    }
    let vocabulary = Arc::new(Vocabulary::new(model.token_texts()));

    let (mut printed, mut failed) = (0, None);
    let mut show = |event: Event<'_>| {
        let (tokens, settled) = match event {
            Event::Draft { draft, .. } if draft.sequence == 0 => {
                (&draft.hypothesis.tokens, draft.settled)
            }
            Event::Finished { hypotheses, .. } => match hypotheses.first() {
                Some(best) => (&best.tokens, best.tokens.len()),
                None => return ControlFlow::Continue(()),
            },
            _ => return ControlFlow::Continue(()),
        };
        let text = model.text(&tokens[..settled]);
        let result = program.part(&text[printed..]);
        printed = text.len();
        match result {
            Ok(()) if !program.is_closed() => ControlFlow::Continue(()),
            Ok(()) => ControlFlow::Break(()), // nobody reads any more
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    let mut generation = Generation::new(config).with_vocabulary(vocabulary);
    if arguments.stream {
        generation = generation.with_observer(&mut show);
    }
    let results = generation.run(&model, vec![Vec::new()], &[prompt])?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    for result in results {
        let texts = result?;
        match arguments.stream {
            true => program.line("")?,
            false => print(program, &texts, &model)?,
        }
    }
    Ok(())
}

fn print(program: &Program, texts: &[Hypothesis], model: &NGrams) -> Result<(), OutputError> {
    for text in texts {
        let words = model.text(&text.tokens);
        program.line(format_args!("{:8.4}  {words}", text.score))?;
    }
    Ok(())
}
