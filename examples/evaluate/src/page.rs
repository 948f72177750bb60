use std::fmt::Write;

use datasets::ImageSource;
use preprocess::image::decode::{self, DecodeOptions};
use report::{data_url, html_head, shortened};

use crate::output::{self, COLUMNS, Summary};
use crate::samples::{LanguageSamples, Sample, Samples};

/// The longest side of a picture on the page, in pixels.
const SIDE: u32 = 192;

/// What was skipped and is listed on the page.
const LISTED: usize = 100;

/// Characters of a caption that are shown.
const CHARACTERS: usize = 600;

/// The scores and some captions, as one page without anything from elsewhere.
pub(crate) fn page(summary: &Summary<'_>, samples: &Samples, decoding: &DecodeOptions) -> String {
    let mut page = html_head("Evaluation of captions", STYLE);
    // Writing to a string can't fail.
    let _ = write!(
        page,
        "<h1>Evaluation of {}</h1><p>Data: {}. {}.</p>",
        html(summary.model),
        html(&summary.data.join(", ")),
        html(&output::sentence(summary)),
    );
    scores(&mut page, summary);
    for language in samples.languages() {
        captions(&mut page, language, decoding);
    }
    skipped(&mut page, summary);
    page.push_str("</main>");
    page
}

fn scores(page: &mut String, summary: &Summary<'_>) {
    page.push_str("<h2>Scores</h2><div class=scroll><table class=scores><tr><th>language");
    for column in &COLUMNS {
        let (explanation, title) = (html(column.explanation), html(column.title));
        let _ = write!(page, "<th title=\"{explanation}\">{title}");
    }
    for scored in summary.languages {
        let _ = write!(page, "<tr><td>{}", html(scored.language.name));
        for column in &COLUMNS {
            let _ = write!(page, "<td>{}", html(&(column.value)(scored)));
        }
    }
    let options = &summary.options;
    let _ = write!(
        page,
        "</table></div><p class=dim>BLEU is NLTK's on its words, against the first reference, as are sacreBLEU and chrF; ROUGE-L \
         and CIDEr are COCO's on words between spaces, against all references. num_beams {}, length_penalty {}. Below, references \
         stand under each caption, green if they equal it.</p>",
        options.num_beams, options.length_penalty
    );
}

fn captions(page: &mut String, samples: &LanguageSamples, decoding: &DecodeOptions) {
    let _ = write!(page, "<h2>{}</h2>", html(samples.language.name));
    for (title, list) in [
        ("Random", &samples.random),
        ("Best", &samples.best),
        ("Worst", &samples.worst),
    ] {
        let _ = write!(page, "<h3>{title}</h3><div class=gallery>");
        for sample in list {
            figure(page, samples.language.code, sample, decoding);
        }
        page.push_str("</div>");
    }
}

fn figure(page: &mut String, code: &str, sample: &Sample, decoding: &DecodeOptions) {
    let short_code = code.split('_').next().unwrap_or(code);
    page.push_str("<figure>");
    match thumbnail(&sample.image, decoding) {
        Some(thumbnail) => {
            let _ = write!(
                page,
                "<img alt=\"{}\" src=\"{thumbnail}\">",
                html(&sample.prediction)
            );
        }
        None => page.push_str("<div class=none>no picture</div>"),
    }
    let _ = write!(
        page,
        "<figcaption lang=\"{}\"><p dir=auto>{}</p>",
        html(short_code),
        html(&sample.prediction)
    );
    for reference in &sample.references {
        let equal = match *reference == sample.prediction {
            true => " same",
            false => "",
        };
        let _ = write!(
            page,
            "<p class=\"dim{equal}\" dir=auto>{}</p>",
            html(reference)
        );
    }
    let _ = write!(
        page,
        "<p class=dim>chrF {:.0}</p></figcaption></figure>",
        sample.chrf
    );
}

fn skipped(page: &mut String, summary: &Summary<'_>) {
    let skips = summary.skipped;
    if skips.count() == 0 {
        return;
    }
    let _ = write!(
        page,
        "<h2>Skipped</h2><p>{} pictures, {} captions, {} rows.</p><ul>",
        skips.pictures, skips.captions, skips.rows
    );
    for skip in skips.list.iter().take(LISTED) {
        let (what, reason) = (html(&skip.what), html(&skip.reason));
        let _ = write!(page, "<li>{what}: {reason}");
    }
    page.push_str("</ul>");
}

/// The first characters of a text, for a page.
fn html(text: &str) -> String {
    report::html(&shortened(text, CHARACTERS))
}

/// A small picture as an address, if it is still there.
fn thumbnail(image: &ImageSource, decoding: &DecodeOptions) -> Option<String> {
    let picture = match image {
        ImageSource::File(path) => decode::open(path, decoding),
        ImageSource::Bytes { bytes, .. } => decode::decode(bytes, decoding),
    };
    data_url(&picture.ok()?, SIDE)
}

const STYLE: &str = "\
.scores { font-size: .9rem; }
.scores th, .scores td { padding: .3rem .4rem; }
.scores th:first-child, .scores td:first-child { position: sticky; left: 0; background: Canvas; }
.dim { color: var(--dim); }
.same { color: light-dark(#070, #7d7); }
.gallery figure p { margin: .2rem 0; }
li { overflow-wrap: anywhere; }
";
