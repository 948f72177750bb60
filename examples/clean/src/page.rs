use std::fmt::Write;

use datasets::cleaning::{Part, Tally, explanation};
use report::{html, html_head};

use crate::samples::{KEPT, Sample, Samples};
use crate::summary::{Summary, by_rule, languages, number};

/// The report as one page without anything from elsewhere: numbers, and examples of each reason.
pub(crate) fn page(summary: &Summary<'_>, samples: &Samples) -> String {
    let tally = summary.tally;
    let mut page = html_head("Cleaned data set", STYLE);
    let names: Vec<String> = summary.inputs.iter().map(|name| html(name)).collect();
    let _ = write!(
        page,
        "<h1>Cleaned data set</h1><p>From {}: {} captions of {} images were read, {} captions of {} images are kept.</p>",
        names.join(", "),
        number(tally.captions),
        number(tally.examples),
        number(tally.kept_captions()),
        number(tally.kept_images()),
    );
    page.push_str(
        "<h2>Kept</h2><div class=scroll><table class=kept><tr><th>part<th>language<th>captions<th>images",
    );
    part(&mut page, "training", &tally.train);
    part(&mut page, "validation", &tally.validation);
    page.push_str("</table></div>");
    gallery(&mut page, samples.of(KEPT));
    dropped(&mut page, tally, samples);
    let rules = serde_json::to_string_pretty(summary.rules).unwrap_or_default();
    let _ = write!(
        page,
        "<details><summary>Rules</summary><pre>{}</pre></details></main>",
        rules.lines().map(html).collect::<Vec<_>>().join("\n")
    );
    page
}

fn part(page: &mut String, title: &str, part: &Part) {
    let _ = write!(
        page,
        "<tr class=sum><td>{title}<td>all<td>{}<td>{}",
        number(part.captions),
        number(part.images)
    );
    for (language, captions, images) in languages(part) {
        let _ = write!(
            page,
            "<tr><td><td>{}<td>{}<td>{}",
            html(&language),
            number(captions),
            number(images)
        );
    }
}

fn dropped(page: &mut String, tally: &Tally, samples: &Samples) {
    let _ = write!(
        page,
        "<h2>Dropped</h2><p>{} images with {} captions, and {} captions for what they are. One may have several reasons.</p>",
        number(tally.dropped_examples),
        number(tally.captions_of_dropped_examples),
        number(tally.dropped_captions),
    );
    let rows: u64 = tally.skipped_rows.values().sum();
    let examples = by_rule(&tally.example_reasons)
        .into_iter()
        .map(|(rule, count)| (rule, count, "image"));
    let rows = (rows > 0).then_some(("unreadable_row", rows, "row"));
    let captions = by_rule(&tally.caption_reasons)
        .into_iter()
        .map(|(rule, count)| (rule, count, "caption"));
    for (rule, count, what) in examples.chain(rows).chain(captions) {
        let _ = write!(
            page,
            "<section><h3>{} <small>{} {what}{}</small></h3><p>{}</p>",
            html(rule),
            number(count),
            if count == 1 { "" } else { "s" },
            html(explanation(rule).unwrap_or_default())
        );
        gallery(page, samples.of(rule));
        page.push_str("</section>");
    }
}

fn gallery(page: &mut String, samples: &[Sample]) {
    page.push_str("<div class=gallery>");
    for sample in samples {
        page.push_str("<figure>");
        match &sample.thumbnail {
            Some(thumbnail) => {
                let _ = write!(
                    page,
                    "<img alt=\"{}\" src=\"{thumbnail}\">",
                    html(&sample.name)
                );
            }
            None => page.push_str("<div class=none>no picture</div>"),
        }
        page.push_str("<figcaption>");
        for (class, text) in [
            ("name", &sample.name),
            ("detail", &sample.detail),
            ("origin", &sample.origin),
        ] {
            if !text.is_empty() {
                let _ = write!(page, "<div class={class}>{}</div>", html(text));
            }
        }
        for caption in &sample.captions {
            let _ = write!(page, "<div dir=auto>{}</div>", html(caption));
        }
        page.push_str("</figcaption></figure>");
    }
    page.push_str("</div>");
}

const STYLE: &str = "\
h3 { margin: 0; font-family: ui-monospace, monospace; font-size: 1rem; }
h3 small { color: var(--dim); font-weight: normal; white-space: nowrap; }
section { border-top: 1px solid var(--line); padding: 1rem 0; }
section > p { margin: .25rem 0 .75rem; color: var(--dim); }
.kept td:nth-child(2), .kept th:nth-child(2) { text-align: left; }
.sum { font-weight: 600; }
.gallery figure { font-size: .8rem; }
.name { font-weight: 600; }
.origin { color: var(--dim); }
.detail { font-style: italic; }
pre { overflow-x: auto; font-size: .8rem; }
";

#[cfg(test)]
mod tests {
    use datasets::cleaning::CleaningConfig;

    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        let rules = CleaningConfig {
            languages: vec!["</pre><script>".into()],
            ..CleaningConfig::default()
        };
        let mut tally = Tally::default();
        tally.example_reasons.insert("<b>own</b>".into(), 1);
        let summary = Summary {
            inputs: vec!["<img src=x onerror=alert(1)>.tsv".into()],
            rules: &rules,
            tally: &tally,
        };
        let page = page(&summary, &Samples::default());
        for text in ["<script", "<img src=x", "<b>own"] {
            assert!(!page.contains(text), "{text}");
        }
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;.tsv"));
    }
}
