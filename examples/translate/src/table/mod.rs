//! Translates the captions of a table and adds them as rows.

mod chunk;
mod header;
mod report;
mod row;
mod work;

use std::sync::atomic::Ordering;

use ::report::{Program, Progress};
use translation::Translator;

use self::chunk::{Chunk, translate};
use self::header::Header;
use self::report::{Counts, print};
use self::row::Rows;
use self::work::{Begun, Settings, Work};
use crate::arguments::{Arguments, TableSettings};
use crate::error::TranslateError;

/// What a shell gives for a program that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

const BAR: &str = "{bar:30} {bytes}/{total_bytes}, {eta} left  {msg}";

/// Translates a table. Returns the exit code.
pub(crate) fn run(
    program: &Program,
    arguments: &Arguments,
    table: &TableSettings,
    translator: &Translator,
    back: Option<&Translator>,
) -> Result<u8, TranslateError> {
    let (_, metadata) = whole_files::open(&table.input)?;
    let mut rows = Rows::open(&table.input)?;
    let header = Header::read(&table.input, &mut rows)?;
    let settings = Settings::new(arguments, table, &metadata);
    let work = match Work::begin(&table.output, settings)? {
        Begun::Complete(counts) => return finish(program, arguments, &counts),
        Begun::Here(work) => work,
    };
    let mut work = *work;
    if work.rows() > 0 {
        program.message(format_args!("going on after row {}", work.rows()));
    }
    match work.position() {
        0 => work.add_header(&header, &rows)?,
        position => rows.seek(position, work.rows())?,
    }
    let stop = ::report::stop_at_interrupt(INTERRUPTED);
    let progress = Progress::bar(metadata.len(), BAR);
    loop {
        progress.set(rows.position(), metadata.len());
        let chunk = Chunk::read(&mut rows, &header, table, arguments.save_every)?;
        if chunk.is_empty() {
            break;
        }
        let translated = translate(chunk, table, &header, translator, back)?;
        work.add(translated, rows.position())?;
        progress.set_message(&format!("{} rows", work.rows()));
        if stop.load(Ordering::Relaxed) {
            progress.finish();
            program.message("stopped; the same command goes on");
            return Ok(INTERRUPTED);
        }
    }
    progress.finish();
    let counts = work.complete()?;
    finish(program, arguments, &counts)
}

fn finish(program: &Program, arguments: &Arguments, counts: &Counts) -> Result<u8, TranslateError> {
    match arguments.json {
        true => program.json(counts)?,
        false => print(program, counts)?,
    }
    Ok(u8::from(!counts.is_perfect()))
}
