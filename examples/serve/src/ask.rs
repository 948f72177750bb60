//! What a client asks for, checked before a picture is decoded.

use axum::http::{HeaderMap, header};
use captioning::{CaptionOptions, Language, Words, card_defaults};
use serde_json::Value;

use crate::app::App;
use crate::failure::Failure;
use crate::fields::Fields;
use crate::limits::{TEXT_BYTES, WORDS};

/// What is wanted of every picture of a request.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) languages: Vec<Language>,
    pub(crate) options: CaptionOptions,
    pub(crate) captions: bool,
    pub(crate) texts: Vec<String>,
    pub(crate) attention: bool,
    /// Whether the client wants to see captions while they are written.
    pub(crate) drafts: bool,
}

impl Ask {
    /// Reads and checks fields: those of this server's own, and options of generation by Hugging Face's names. No other
    /// may be left.
    pub(crate) fn new(app: &App, headers: &HeaderMap, mut fields: Fields) -> Result<Self, Failure> {
        let model: Option<String> = fields.take("model")?;
        app.check_model(model.as_deref())?;
        let languages = languages(app, headers, &mut fields)?;
        let captions = fields.take("captions")?.unwrap_or(true);
        let attention = fields.take("attention")?.unwrap_or(false);
        let drafts = fields.take("stream")?.unwrap_or(false);
        let texts = short_texts("texts", fields.take_texts("texts")?)?;
        let most = app.limits.max_texts;
        if texts.len() > most {
            return Err(Failure::over_limit("texts", texts.len(), most));
        }
        if texts.is_empty() && !captions {
            let message = "captions is false and there are no texts to score: nothing is asked for";
            return Err(Failure::field("captions", message));
        }
        let options = options(app, fields)?;
        Ok(Self {
            languages,
            options,
            captions,
            texts,
            attention,
            drafts,
        })
    }
}

/// The languages that the fields name, or the headers, or the default ones.
fn languages(
    app: &App,
    headers: &HeaderMap,
    fields: &mut Fields,
) -> Result<Vec<Language>, Failure> {
    let name = match fields.has("languages") {
        true => "languages",
        false => "language",
    };
    let named = fields.take_texts(name)?;
    if named.is_empty() {
        let preferred = of_accept_language(app, headers).map(|one| vec![one]);
        return Ok(preferred.unwrap_or_else(|| app.default_languages()));
    }
    let mut languages = Vec::new();
    // A command line's way to write a list is fine in a form too.
    for name in named.iter().flat_map(|text| text.split(',')) {
        let language = app.captioner().language(&shortened(name.trim()));
        let language = language.map_err(|error| Failure::from(&error))?;
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    Ok(languages)
}

/// The language of the model that a client's `Accept-Language` likes best, by RFC 9110.
fn of_accept_language(app: &App, headers: &HeaderMap) -> Option<Language> {
    let value = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut ranges: Vec<(f32, &str)> = Vec::new();
    for range in value.split(',').take(WORDS) {
        let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
        let quality = quality
            .trim()
            .strip_prefix("q=")
            .and_then(|q| q.parse().ok());
        let quality: f32 = quality.unwrap_or(0.0);
        if quality > 0.0 {
            ranges.push((quality, tag.trim()));
        }
    }
    ranges.sort_by(|one, other| other.0.total_cmp(&one.0)); // stable: of equals the first
    ranges.into_iter().find_map(|(_, tag)| {
        let primary = tag.split('-').next().filter(|primary| *primary != "*")?;
        app.captioner().language(primary).ok()
    })
}

fn options(app: &App, mut fields: Fields) -> Result<CaptionOptions, Failure> {
    let captioner = app.captioner();
    let prefix: Option<String> = fields.take("prefix")?;
    let prefix = short_texts("prefix", prefix.into_iter().collect())?.pop();
    let alternatives = fields.take("alternatives")?.unwrap_or(0);
    let most = app.limits.max_alternatives;
    if alternatives > most {
        return Err(Failure::over_limit("alternatives", alternatives, most));
    }
    let required = words("required", &mut fields)?;
    let forbidden = words("forbidden", &mut fields)?;
    if fields.has("n") && !fields.has("num_return_sequences") {
        let n: Option<u64> = fields.take("n")?;
        fields.set("num_return_sequences", n);
    }
    let said: Vec<String> = said(fields);
    let options = CaptionOptions {
        prefix: prefix.unwrap_or_default(),
        required,
        forbidden,
        alternatives,
        ..CaptionOptions::new(captioner.generation_config().clone())
    };
    let options = captioner.options(options, &said, &card_defaults());
    let mut options = options.map_err(|error| Failure::of_options(&error))?;
    let generation = &mut options.generation;
    // Several captions need as many beams, which a client need not know.
    let says_beams = said.iter().any(|one| one.starts_with("num_beams="));
    if !says_beams && !generation.do_sample && generation.num_beams > 1 {
        generation.num_beams = generation.num_beams.max(generation.num_return_sequences);
    }
    check_limits(app, &options)?;
    let checked = captioner.validate_options(&options);
    checked.map_err(|error| Failure::of_options(&error))?;
    Ok(options)
}

/// Fields as settings, each `NAME=VALUE`. What a checkpoint or a client says about tokens of the model's own stays the
/// library's to check.
fn said(fields: Fields) -> Vec<String> {
    let of_value = |(name, value): (String, Value)| match value {
        Value::Null => None,
        value => Some(format!("{name}={value}")),
    };
    fields.rest().into_iter().filter_map(of_value).collect()
}

/// Checks that options do not ask for more than this server gives.
fn check_limits(app: &App, options: &CaptionOptions) -> Result<(), Failure> {
    let (limits, generation) = (&app.limits, &options.generation);
    // Contrastive search tries this many continuations of each caption at a time.
    let tried = match generation.penalty_alpha {
        Some(alpha) if alpha > 0.0 => generation.top_k,
        _ => 1,
    };
    let most = limits.max_num_beams;
    for (name, asked, most) in [
        ("num_beams", generation.num_beams, most),
        (
            "num_return_sequences",
            generation.num_return_sequences,
            limits.max_num_return_sequences,
        ),
        ("top_k", tried, most),
        ("max_length", generation.longest(1), app.model.max_length),
    ] {
        if asked > most {
            return Err(Failure::over_limit(name, asked, most));
        }
    }
    Ok(())
}

fn words(name: &str, fields: &mut Fields) -> Result<Vec<Words>, Failure> {
    let texts = short_texts(name, fields.take_texts(name)?)?;
    if texts.len() > WORDS {
        return Err(Failure::over_limit(name, texts.len(), WORDS));
    }
    let parsed = texts.iter().map(|text| text.parse::<Words>());
    let parsed: Result<_, captioning::Error> = parsed.collect();
    parsed.map_err(|error| Failure::of_options(&error).about(name))
}

fn short_texts(name: &str, texts: Vec<String>) -> Result<Vec<String>, Failure> {
    match texts.iter().find(|text| text.len() > TEXT_BYTES) {
        Some(long) => {
            let bytes = long.len();
            let message =
                format!("a text of {name} has {bytes} bytes, but at most {TEXT_BYTES} are read");
            Err(Failure::invalid("over_limit", message).about(name))
        }
        None => Ok(texts),
    }
}

/// The beginning of a client's text, for a message.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
