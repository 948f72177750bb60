//! `GET /v1/model`: what clients and pages need to know before they ask.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use captioning::GenerationConfig;
use serde::Serialize;
use serde_json::Value;

use crate::app::App;
use crate::limits::{TEXT_BYTES, WORDS};

/// The model, and what may be asked of it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ModelRecord {
    id: String,
    name: String,
    /// What it knows, in a sentence or two.
    about: String,
    languages: Vec<LanguageName>,
    /// The most tokens of a caption.
    max_length: usize,
    /// The options of a request that names none, as far as they are not Hugging Face's defaults.
    #[schema(value_type = Object)]
    defaults: BTreeMap<String, Value>,
    limits: LimitRecord,
    /// Rows and columns of patches in attention maps.
    patches: [usize; 2],
}

/// A language.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct LanguageName {
    /// `de_DE`
    code: &'static str,
    /// `de`
    short: &'static str,
    /// `German`
    name: &'static str,
    /// Whether a request that names no language gets it.
    default: bool,
}

/// The most that a request may ask for.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct LimitRecord {
    images: usize,
    body_bytes: usize,
    pixels: u64,
    num_beams: usize,
    num_return_sequences: usize,
    alternatives: usize,
    texts: usize,
    /// Required and forbidden words.
    words: usize,
    /// Bytes of a text.
    text_bytes: usize,
    /// Seconds that a picture may take.
    timeout: u64,
}

/// Tells what the model is, and what may be asked of it.
#[utoipa::path(get, path = "/v1/model", responses((status = 200, body = ModelRecord)))]
pub(crate) async fn model(State(app): State<Arc<App>>) -> Json<ModelRecord> {
    let chosen = app.default_languages();
    let languages = app
        .captioner()
        .languages()
        .iter()
        .map(|language| LanguageName {
            code: language.code,
            short: language.code.split('_').next().unwrap_or(language.code),
            name: language.name,
            default: chosen.contains(language),
        });
    let limits = &app.limits;
    Json(ModelRecord {
        id: app.model.name.clone(),
        name: app.model.name.clone(),
        about: app.model.about.clone(),
        languages: languages.collect(),
        max_length: app.model.max_length,
        defaults: options(&app.model.defaults),
        limits: LimitRecord {
            images: limits.max_images,
            body_bytes: limits.max_body_bytes,
            pixels: limits.max_pixels,
            num_beams: limits.max_num_beams,
            num_return_sequences: limits.max_num_return_sequences,
            alternatives: limits.max_alternatives,
            texts: limits.max_texts,
            words: WORDS,
            text_bytes: TEXT_BYTES,
            timeout: limits.timeout,
        },
        patches: app.model.patches,
    })
}

/// The options that differ from Hugging Face's defaults, and those that every page shows.
fn options(config: &GenerationConfig) -> BTreeMap<String, Value> {
    // Whoever writes infinity in a file has a value that JSON does not have.
    let mut options: BTreeMap<String, Value> =
        serde_json::from_str(&config.to_json()).unwrap_or_default();
    options.retain(|name, _| !name.ends_with("token_id"));
    options.insert("num_beams".into(), config.num_beams.into());
    let sequences = config.num_return_sequences;
    options.insert("num_return_sequences".into(), sequences.into());
    options.insert("max_length".into(), config.longest(1).into());
    options
}
