use captioning::GenerationConfig;
use report::{OutputError, Program};
use serde::Serialize;

use crate::scores::LanguageScores;
use crate::skips::Skips;

/// The captions in a batch of the published evaluation; with as many or fewer, its average is the score of the whole.
const BATCH: u64 = 512;

/// All that an evaluation has found, as `--json` prints it.
#[derive(Serialize)]
pub(crate) struct Summary<'a> {
    /// The name of the model.
    pub(crate) model: &'a str,
    /// The names of files, folders and patterns.
    pub(crate) data: &'a [String],
    /// The pictures that were captioned.
    pub(crate) pictures: u64,
    /// Whether the user has stopped it before its end.
    pub(crate) stopped: bool,
    /// The time of captioning and scoring.
    pub(crate) seconds: f64,
    pub(crate) batch_size: usize,
    /// Whether the pixels were those that the published model was trained with.
    pub(crate) as_published: bool,
    /// The options of generation that scores depend on most.
    pub(crate) options: Options,
    pub(crate) languages: &'a [LanguageScores],
    pub(crate) skipped: &'a Skips,
}

#[derive(Serialize)]
pub(crate) struct Options {
    pub(crate) num_beams: usize,
    pub(crate) max_length: Option<usize>,
    pub(crate) max_new_tokens: Option<usize>,
    pub(crate) length_penalty: f64,
}

impl Options {
    pub(crate) fn of(options: &GenerationConfig) -> Self {
        Self {
            num_beams: options.num_beams,
            max_length: options.max_length,
            max_new_tokens: options.max_new_tokens,
            length_penalty: options.length_penalty,
        }
    }
}

/// A column of the table of scores.
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// What is in it, for people who don't know the score.
    pub(crate) explanation: &'static str,
    pub(crate) value: fn(&LanguageScores) -> String,
}

/// The table of scores: the card's columns, then the others.
pub(crate) const COLUMNS: [Column; 13] = [
    Column {
        title: "captions",
        explanation: "number of captions",
        value: |one| one.scores.captions.to_string(),
    },
    Column {
        title: "BLEU-1",
        explanation: "NLTK's BLEU, from 0 to 1",
        value: |one| format!("{:.5}", one.scores.bleu[0]),
    },
    Column {
        title: "BLEU-2",
        explanation: "NLTK's BLEU, from 0 to 1",
        value: |one| format!("{:.5}", one.scores.bleu[1]),
    },
    Column {
        title: "BLEU-3",
        explanation: "NLTK's BLEU, from 0 to 1",
        value: |one| format!("{:.5}", one.scores.bleu[2]),
    },
    Column {
        title: "BLEU-4",
        explanation: "NLTK's BLEU, from 0 to 1",
        value: |one| format!("{:.5}", one.scores.bleu[3]),
    },
    Column {
        title: "sacreBLEU",
        explanation: "13a, exponential smoothing, from 0 to 100",
        value: |one| format!("{:.2}", one.scores.sacre_bleu),
    },
    Column {
        title: "chrF",
        explanation: "chrF2, from 0 to 100",
        value: |one| format!("{:.2}", one.scores.chrf),
    },
    Column {
        title: "ROUGE-L",
        explanation: "COCO's, from 0 to 1",
        value: |one| format!("{:.4}", one.scores.rouge_l),
    },
    Column {
        title: "CIDEr",
        explanation: "COCO's, from 0 to 10",
        value: |one| format!("{:.4}", one.scores.cider),
    },
    Column {
        title: "exact %",
        explanation: "captions that equal a reference",
        value: |one| format!("{:.1}", 100.0 * one.scores.exact_match),
    },
    Column {
        title: "length",
        explanation: "mean length in words",
        value: |one| format!("{:.2}", one.scores.mean_length),
    },
    Column {
        title: "distinct-1",
        explanation: "share of different words, from 0 to 1",
        value: |one| format!("{:.4}", one.scores.distinct[0]),
    },
    Column {
        title: "distinct-2",
        explanation: "share of different pairs of words, from 0 to 1",
        value: |one| format!("{:.4}", one.scores.distinct[1]),
    },
];

/// Prints the tables and what was skipped.
pub(crate) fn print(program: &Program, summary: &Summary<'_>) -> Result<(), OutputError> {
    let titles = COLUMNS.iter().map(|column| column.title.to_owned());
    let mut rows = vec![["language".to_owned()].into_iter().chain(titles).collect()];
    for scored in summary.languages {
        let values = COLUMNS.iter().map(|column| (column.value)(scored));
        rows.push(
            [scored.language.name.to_owned()]
                .into_iter()
                .chain(values)
                .collect(),
        );
    }
    print_table(program, &rows)?;
    if summary
        .languages
        .iter()
        .any(|one| one.scores.captions > BATCH)
    {
        program.line("")?;
        program.line(format_args!(
            "averages over batches of {BATCH}, as the published table:"
        ))?;
        let titles = (1..=4).map(|order| format!("BLEU-{order}"));
        let mut rows = vec![["language".to_owned()].into_iter().chain(titles).collect()];
        for LanguageScores { language, scores } in summary.languages {
            let values = scores.batch_bleu.iter().map(|bleu| format!("{bleu:.5}"));
            rows.push(
                [language.name.to_owned()]
                    .into_iter()
                    .chain(values)
                    .collect(),
            );
        }
        print_table(program, &rows)?;
    }
    program.line("")?;
    program.line(sentence(summary))
}

/// What was done, in a sentence.
pub(crate) fn sentence(summary: &Summary<'_>) -> String {
    let Summary {
        pictures,
        seconds,
        skipped,
        ..
    } = summary;
    let mut text = format!("{pictures} pictures in {seconds:.1} s");
    if skipped.count() > 0 {
        text += &format!(
            "; skipped: {} pictures, {} captions, {} rows",
            skipped.pictures, skipped.captions, skipped.rows
        );
    }
    if summary.stopped {
        text += "; stopped before the end of the data";
    }
    text
}

/// Prints columns of equal width, the first to the left and the others to the right.
fn print_table(program: &Program, rows: &[Vec<String>]) -> Result<(), OutputError> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| match column {
            0 => format!("{cell:<width$}", width = width(0)),
            _ => format!("  {cell:>width$}", width = width(column)),
        });
        program.line(cells.collect::<String>())?;
    }
    Ok(())
}
