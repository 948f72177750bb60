//! The report: one page without anything from elsewhere.

use std::fmt::Write;

use report::{html, html_head};

use crate::curve::curve;
use crate::observer::{Evaluated, languages};
use crate::sample::Sample;

/// A page of the table of updates, the evaluations and the captions of the last one.
pub(crate) fn page(updates: &str, evaluated: &[Evaluated], samples: &[Sample]) -> String {
    let mut page = html_head("Training", STYLE);
    page.push_str("<h1>Training</h1><h2>Loss</h2>");
    page.push_str(&curve(&column(updates, "loss")));
    if !evaluated.is_empty() {
        page.push_str("<h2>Evaluations</h2>");
        curves(&mut page, evaluated);
        scores(&mut page, evaluated);
    }
    if !samples.is_empty() {
        page.push_str("<h2>Captions of the last evaluation</h2><div class=gallery>");
        for one in samples {
            sample(&mut page, one);
        }
        page.push_str("</div>");
    }
    page.push_str(
        "<details><summary>Learning rate and gradient norm</summary><h3>Learning rate</h3>",
    );
    page.push_str(&curve(&column(updates, "learning_rate")));
    page.push_str("<h3>Gradient norm</h3>");
    page.push_str(&curve(&column(updates, "grad_norm")));
    page.push_str("</details></main></html>\n");
    page
}

/// The updates and the values of a column of a CSV table.
fn column(table: &str, name: &str) -> Vec<(f64, f64)> {
    let mut lines = table.lines();
    let header = lines.next().unwrap_or_default();
    let Some(column) = header.split(',').position(|title| title == name) else {
        return Vec::new();
    };
    let number = |line: &str, column: usize| line.split(',').nth(column)?.parse().ok();
    let points = lines.filter_map(|line| Some((number(line, 0)?, number(line, column)?)));
    points.collect()
}

fn curves(page: &mut String, evaluated: &[Evaluated]) {
    for (metric, title) in [
        ("eval_loss", "Loss"),
        ("eval_bleu4", "BLEU-4, mean of the languages"),
        ("eval_accuracy", "Right labels, as a share"),
    ] {
        let points = evaluated
            .iter()
            .filter_map(|found| Some((found.update as f64, *found.metrics.get(metric)?)));
        let points: Vec<_> = points.collect();
        if !points.is_empty() {
            let _ = write!(page, "<h3>{title}</h3>{}", curve(&points));
        }
    }
}

/// The table of the last evaluation.
fn scores(page: &mut String, evaluated: &[Evaluated]) {
    const METRICS: [(&str, &str); 8] = [
        ("loss", "loss"),
        ("bleu1", "BLEU-1"),
        ("bleu2", "BLEU-2"),
        ("bleu3", "BLEU-3"),
        ("bleu4", "BLEU-4"),
        ("chrf", "chrF"),
        ("cider", "CIDEr"),
        ("exact", "exact"),
    ];
    let Some(last) = evaluated.last() else {
        return;
    };
    if languages(&last.metrics).next().is_none() {
        return; // Labels are in no language.
    }
    let _ = write!(
        page,
        "<h3>After update {}</h3><div class=scroll><table><tr><th>language",
        last.update
    );
    for (_, title) in METRICS {
        let _ = write!(page, "<th>{title}");
    }
    for language in languages(&last.metrics) {
        let _ = write!(page, "<tr><td>{}", html(language));
        for (metric, _) in METRICS {
            match last.metrics.get(&format!("eval_{metric}_{language}")) {
                Some(value) => {
                    let _ = write!(page, "<td>{value:.4}");
                }
                None => page.push_str("<td>"),
            }
        }
    }
    page.push_str("</table></div>");
}

fn sample(page: &mut String, sample: &Sample) {
    let _ = write!(
        page,
        "<figure><img alt=\"\" src=\"{}\"><figcaption>",
        sample.picture
    );
    for caption in &sample.captions {
        let class = match caption.references.contains(&caption.prediction) {
            true => "right",
            false => "other",
        };
        let _ = write!(
            page,
            "<p lang=\"{}\" dir=auto class={class}>{}",
            html(caption.language.split('_').next().unwrap_or_default()),
            html(&caption.prediction)
        );
        for reference in &caption.references {
            let _ = write!(page, "<small>{}</small>", html(reference));
        }
    }
    page.push_str("</figcaption></figure>");
}

/// What this page has beside the style that pages share.
const STYLE: &str = "\
:root { --accent: light-dark(#2a6fdb, #6ea8ff); }
.curve { margin: 0; }
.curve svg { width: 100%; border: 1px solid var(--line); }
.curve path { fill: none; stroke: var(--accent); stroke-width: 2; }
.curve figcaption { display: flex; justify-content: space-between; font-size: .8rem; }
.gallery { grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); }
.gallery img { width: 100%; }
.gallery p { margin: .3rem 0; }
.gallery small { display: block; color: var(--dim); }
.right::after { content: \" ✓\"; }
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Written;

    #[test]
    fn captions_can_not_change_the_page() {
        let sample = Sample {
            picture: "AAAA".to_owned(),
            captions: vec![Written {
                language: "en_XX".to_owned(),
                prediction: "<script>\u{202e}".to_owned(),
                references: vec!["a & b".to_owned()],
            }],
        };
        let page = page("step,loss\n1,2.5\n2,2\n", &[], &[sample]);
        assert!(page.contains("&lt;script&gt;\\u{202e}") && page.contains("a &amp; b"));
        assert!(page.contains("2.0000 to 2.5000"));
    }
}
