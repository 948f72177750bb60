use datasets::cleaning::{CleaningConfig, Part, RULES, Tally};
use preprocess::text::language;
use report::{OutputError, Program};
use serde::Serialize;

/// The content of report.json.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    /// The inputs as they were named.
    pub(crate) inputs: Vec<String>,
    /// The rules with all their values.
    pub(crate) rules: &'a CleaningConfig,
    /// The numbers.
    pub(crate) tally: &'a Tally,
}

/// Prints the table of a model card, and why the rest was dropped.
pub(crate) fn print(program: &Program, tally: &Tally) -> Result<(), OutputError> {
    program.line(format_args!(
        "read: {} captions, {} images",
        number(tally.captions),
        number(tally.examples)
    ))?;
    for (title, part) in [("train", &tally.train), ("validation", &tally.validation)] {
        program.line(format_args!(
            "{title}: {} captions, {} images",
            number(part.captions),
            number(part.images)
        ))?;
        for (language, captions, images) in languages(part) {
            program.line(format_args!(
                "  {language:<12} {:>13} captions {:>13} images",
                number(captions),
                number(images)
            ))?;
        }
    }
    program.line(format_args!(
        "dropped: {} images with {} captions, and {} captions of other reasons",
        number(tally.dropped_examples),
        number(tally.captions_of_dropped_examples),
        number(tally.dropped_captions)
    ))?;
    for (title, counts) in [
        ("images", &tally.example_reasons),
        ("captions", &tally.caption_reasons),
    ] {
        for (rule, count) in by_rule(counts) {
            program.line(format_args!("  {rule:<24} {:>13} {title}", number(count)))?;
        }
    }
    for (reason, count) in &tally.skipped_rows {
        program.line(format_args!(
            "  unreadable_row           {:>13} rows: {reason}",
            number(*count)
        ))?;
    }
    if tally.repeated_examples > 0 {
        program.line(format_args!(
            "{} examples have an image that stands elsewhere in the data too; sort the data by image to bring its captions together",
            number(tally.repeated_examples)
        ))?;
    }
    Ok(())
}

/// The languages of a part by name, with captions and images.
pub(crate) fn languages(part: &Part) -> Vec<(String, u64, u64)> {
    let mut languages: Vec<_> = part
        .languages
        .iter()
        .map(|(code, counts)| {
            let name =
                language(code).map_or_else(|| code.clone(), |language| language.name.to_owned());
            (name, counts.captions, counts.images)
        })
        .collect();
    languages.sort();
    languages
}

/// Counts in the order of the rules, and those of other rules behind them.
pub(crate) fn by_rule(counts: &std::collections::BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let position = |rule: &str| {
        RULES
            .iter()
            .position(|(name, _)| *name == rule)
            .unwrap_or(RULES.len())
    };
    let mut counts: Vec<_> = counts
        .iter()
        .map(|(rule, count)| (rule.as_str(), *count))
        .collect();
    counts.sort_by_key(|(rule, _)| position(rule));
    counts
}

/// A number with commas between thousands, as model cards have them.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (10_010_625, "10,010,625"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
