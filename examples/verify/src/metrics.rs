use std::collections::BTreeMap;
use std::path::Path;

use ::metrics::{Corpus, Scores, WordTokenizer};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::input::{InputError, content, read_json};
use crate::report::{Comparison, Report};

/// Absolute for scores above 1, and relative for those below, so that tiny ones are compared too: a BLEU without any
/// match of four words is 1e-155 with NLTK, and 0 would be wrong.
const TOLERANCE: f64 = 1e-6;

/// How far from 0 a score may be that should be 0.
const ZERO: f64 = 1e-12;

/// The scores of sacreBLEU that this program computes.
const SIGNATURE: &str = "13a, exp smoothing";

/// Captions and what public implementations say of them.
#[derive(Deserialize)]
#[serde(expecting = "a JSON object")]
struct Case {
    predictions: Vec<String>,
    references: Vec<Vec<String>>,
    nltk_tokens_of_predictions: Option<Vec<Vec<String>>>,
    #[serde(default)]
    bleu_first_reference: BTreeMap<String, f64>,
    #[serde(default)]
    sacrebleu: BTreeMap<String, Value>,
    #[serde(default)]
    coco: BTreeMap<String, f64>,
    /// The language is for readers: no score depends on it.
    #[serde(default, rename = "lang")]
    _lang: Option<String>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// The results of one comparison in all cases.
#[derive(Default)]
struct Tally {
    equal: usize,
    cases: usize,
    /// The largest difference.
    difference: f64,
    /// Why it can't be made.
    reason: Option<String>,
}

/// Results by what was compared, in the order in which it was met first.
#[derive(Default)]
struct Tallies(Vec<(String, Tally)>);

/// Compares tokens and scores of captions with those of public implementations.
pub(crate) fn verify(file: &Path, report: &mut Report<'_>) -> Result<(), InputError> {
    let cases: Vec<Case> = read_json(file)?;
    let mut tallies = Tallies::default();
    for (index, case) in cases.iter().enumerate() {
        compare(case, &mut tallies, file, index)?;
    }
    if tallies.0.is_empty() {
        report.add(Comparison::of_cases("metrics", 0, 0))?;
    }
    for (what, tally) in tallies.0 {
        report.add(tally.comparison(what))?;
    }
    Ok(())
}

fn compare(
    case: &Case,
    tallies: &mut Tallies,
    file: &Path,
    index: usize,
) -> Result<(), InputError> {
    let corpus = Corpus::of(&case.predictions, &case.references);
    let corpus = corpus.map_err(|error| content(file, format!("case {index}: {error}")))?;
    let scores = corpus.score();
    if let Some(expected) = &case.nltk_tokens_of_predictions {
        if expected.len() != case.predictions.len() {
            let (found, wanted) = (expected.len(), case.predictions.len());
            let reason =
                format!("case {index}: tokens of {found} predictions, expected those of {wanted}");
            return Err(content(file, reason));
        }
        let tokenizer = WordTokenizer::default();
        let tally = tallies.of("NLTK tokens");
        for (prediction, expected) in case.predictions.iter().zip(expected) {
            tally.cases += 1;
            tally.equal += usize::from(tokenizer.tokens(prediction) == *expected);
        }
    }
    for (name, expected) in &case.bleu_first_reference {
        tallies.add("NLTK", name, nltk(&scores, name), *expected);
    }
    let mut unknown_signature = None;
    for (name, expected) in &case.sacrebleu {
        match (name.as_str(), expected) {
            ("signature", Value::String(signature)) if signature == SIGNATURE => {}
            ("signature", signature) => unknown_signature = Some(signature),
            (_, expected) => {
                let expected = expected.as_f64().ok_or_else(|| {
                    content(file, format!("case {index}: sacrebleu {name} is no number"))
                })?;
                tallies.add("sacreBLEU", name, sacrebleu(&scores, name), expected);
            }
        }
    }
    if let Some(signature) = unknown_signature {
        let reason = format!("{signature} is not computed, only \"{SIGNATURE}\"");
        tallies.not_run("sacreBLEU signature", reason);
    }
    for (name, expected) in &case.coco {
        tallies.add("COCO", name, coco(&scores, name), *expected);
    }
    for name in case.unknown.keys() {
        tallies.not_run(name, "this program does not know what it is".into());
    }
    Ok(())
}

fn nltk(scores: &Scores, name: &str) -> Option<f64> {
    of_order(&scores.bleu, name.strip_prefix("BLEU-")?)
}

fn sacrebleu(scores: &Scores, name: &str) -> Option<f64> {
    match name {
        "bleu" => Some(scores.sacre_bleu),
        "chrf" => Some(scores.chrf),
        _ => None,
    }
}

fn coco(scores: &Scores, name: &str) -> Option<f64> {
    match name {
        "CIDEr" => Some(scores.cider),
        "ROUGE_L" => Some(scores.rouge_l),
        _ => of_order(&scores.coco_bleu, name.strip_prefix("Bleu_")?),
    }
}

fn of_order(scores: &[f64; 4], order: &str) -> Option<f64> {
    let order = order.parse::<usize>().ok()?.checked_sub(1)?;
    scores.get(order).copied()
}

impl Tallies {
    fn of(&mut self, what: &str) -> &mut Tally {
        let position = self.0.iter().position(|(known, _)| known == what);
        let position = position.unwrap_or_else(|| {
            self.0.push((what.to_owned(), Tally::default()));
            self.0.len() - 1
        });
        &mut self.0[position].1
    }

    /// Compares a score of one case.
    fn add(&mut self, group: &str, name: &str, found: Option<f64>, expected: f64) {
        let what = format!("{group} {name}");
        let Some(found) = found else {
            return self.not_run(&what, "this program does not compute it".into());
        };
        let tally = self.of(&what);
        let difference = (found - expected).abs();
        let tolerance = match expected == 0.0 {
            true => ZERO,
            false => TOLERANCE * expected.abs().min(1.0),
        };
        tally.cases += 1;
        tally.equal += usize::from(difference <= tolerance);
        tally.difference = tally.difference.max(difference);
    }

    fn not_run(&mut self, what: &str, reason: String) {
        let tally = self.of(what);
        tally.cases += 1;
        tally.reason = Some(reason);
    }
}

impl Tally {
    fn comparison(self, what: String) -> Comparison {
        if let Some(reason) = self.reason {
            return Comparison::not_run(what, self.cases, reason);
        }
        let tokens = what.ends_with("tokens");
        let comparison = Comparison::of_cases(what, self.equal, self.cases);
        match tokens {
            true => comparison, // equal or not
            false => comparison.with_difference(self.difference, TOLERANCE),
        }
    }
}
