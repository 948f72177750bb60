//! The parts of Ollama's API that a model which captions pictures can answer.
//!
//! <https://github.com/ollama/ollama/blob/main/docs/api.md>

mod answer;
mod requests;
mod time;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use self::answer::Form;
use self::requests::Asked;
use crate::app::App;
use crate::ask::Ask;
use crate::body::{self, Hold, Whole, outside};
use crate::failure::Failure;
use crate::fields::Object;
use crate::openai::language_in;
use crate::work;

/// `POST /api/generate`
pub(crate) async fn generate(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let (sent, asked) = read(&app, request, requests::generate).await?;
    respond(app, sent, asked, Form::Generate).await
}

/// `POST /api/chat`
pub(crate) async fn chat(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let (sent, asked) = read(&app, request, requests::chat).await?;
    respond(app, sent, asked, Form::Chat).await
}

/// `GET /api/tags`
pub(crate) async fn tags(State(app): State<Arc<App>>) -> Response {
    let name = name(&app);
    Json(json!({"models": [{
        "name": name,
        "model": name,
        "modified_at": time::rfc3339(UNIX_EPOCH + std::time::Duration::from_secs_f64(app.started())),
        "size": 0,
        "digest": "",
        "details": details(&app),
    }]}))
    .into_response()
}

/// `POST /api/show`
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let (_, model) = read(&app, request, requests::show).await?;
    app.check_model(model.as_deref())?;
    let languages: Vec<&str> = app
        .captioner()
        .languages()
        .iter()
        .map(|one| one.code)
        .collect();
    Ok(Json(json!({
        "modelfile": "",
        "parameters": "",
        "template": "",
        "license": "",
        "modified_at": time::rfc3339(UNIX_EPOCH + std::time::Duration::from_secs_f64(app.started())),
        "details": details(&app),
        "model_info": {
            "general.architecture": "vision-encoder-decoder",
            "general.description": app.model.about,
            "general.languages": languages,
        },
        "capabilities": ["completion", "vision"],
    }))
    .into_response())
}

/// `GET /api/version`
pub(crate) async fn version() -> Response {
    Json(json!({"version": env!("CARGO_PKG_VERSION")})).into_response()
}

/// The model's name as Ollama writes it.
fn name(app: &App) -> String {
    format!("{}:latest", app.model.name)
}

fn details(app: &App) -> serde_json::Value {
    json!({
        "parent_model": "",
        "format": "safetensors",
        "family": "vision-encoder-decoder",
        "families": ["vision-encoder-decoder"],
        "parameter_size": "",
        "quantization_level": app.model.precision,
    })
}

/// What stays of a request when its body is read.
struct Sent {
    headers: HeaderMap,
    /// The permit for the memory of its pictures.
    hold: Hold,
}

/// Reads a body as JSON, whatever its media type is called, as Ollama does: its users call it with `curl -d`. A page of
/// another origin that sends such a body without asking is refused for its origin.
async fn read<T: Send + 'static>(
    app: &App,
    request: Request,
    read: fn(Object<'_>) -> Result<T, Failure>,
) -> Result<(Sent, T), Failure> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let Whole { bytes, hold } = body::read(app, &headers, body).await?;
    let asked = outside(move || read(Object::parse(&bytes)?)).await?;
    Ok((Sent { headers, hold }, asked))
}

async fn respond(app: Arc<App>, sent: Sent, asked: Asked, form: Form) -> Result<Response, Failure> {
    let Asked {
        model,
        system,
        picture,
        stream,
        mut fields,
        is_empty,
    } = asked;
    if model.is_none() {
        return Err(Failure::field("model", "model is required"));
    }
    app.check_model(model.as_deref())?;
    let Some(picture) = picture else {
        // This is how a client asks for a model to be loaded, which it is.
        return match is_empty {
            true => Ok(answer::loaded(&app, form)),
            false => Err(Failure::unsupported(
                "images",
                "there is no picture: this model captions pictures and does not chat; send one in images, in base64",
            )),
        };
    };
    if !fields.has("language")
        && !fields.has("languages")
        && let Some(language) = system.as_deref().and_then(|text| language_in(&app, text))
    {
        fields.set("language", language.code);
    }
    requests::translate(&app, &mut fields)?;
    fields.set("stream", stream);
    let mut ask = Ask::new(&app, &sent.headers, fields)?;
    // An answer is one caption.
    ask.languages.truncate(1);
    let options = ask.options.generation.clone();
    let begun = std::time::Instant::now();
    let events = work::start(&app, ask, vec![picture], sent.hold).await?;
    let answer = answer::Answer {
        app,
        form,
        begun,
        options,
    };
    match stream {
        true => Ok(answer.streamed(events)),
        false => answer.whole(events).await,
    }
}
