//! The parts of OpenAI's API that a model which captions pictures can answer: chat completions and models.
//!
//! <https://platform.openai.com/docs/api-reference/chat>

mod answer;
mod messages;
mod parameters;
mod stream;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::app::App;
use crate::ask::Ask;
use crate::body::{self, Whole, media_type, outside, wrong_media_type};
use crate::failure::Failure;
use crate::fields::Object;
use crate::work;

pub(crate) use self::answer::{captions, finish_reason};
pub(crate) use self::messages::language_in;
pub(crate) use self::parameters::sampling;

/// A model of the list.
#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

#[derive(Serialize)]
struct Models<'a> {
    object: &'static str,
    data: [Model<'a>; 1],
}

fn record(app: &App) -> Model<'_> {
    Model {
        id: &app.model.name,
        object: "model",
        created: app.started() as u64,
        owned_by: "serve",
    }
}

/// `GET /v1/models`
pub(crate) async fn models(State(app): State<Arc<App>>) -> Response {
    let models = Models {
        object: "list",
        data: [record(&app)],
    };
    Json(models).into_response()
}

/// `GET /v1/models/{name}`
pub(crate) async fn model(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    app.check_model(Some(&name))?;
    Ok(Json(record(&app)).into_response())
}

/// `POST /v1/chat/completions`
pub(crate) async fn chat(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    if media_type(&headers) != "application/json" {
        return Err(wrong_media_type(&headers, "application/json"));
    }
    let Whole { bytes, hold } = body::read(&app, &headers, body).await?;
    let (messages, mut fields) = outside(move || {
        let mut object = Object::parse(&bytes)?;
        let messages = messages::read(&mut object)?;
        Ok((messages, object.short()?))
    })
    .await?;
    if !fields.has("language")
        && !fields.has("languages")
        && let Some(language) = messages
            .system
            .as_deref()
            .and_then(|text| language_in(&app, text))
    {
        fields.set("language", language.code);
    }
    let parameters = parameters::translate(&app, &mut fields)?;
    let mut ask = Ask::new(&app, &headers, fields)?;
    // An answer is in one language.
    ask.languages.truncate(1);
    let options = ask.options.generation.clone();
    let events = work::start(&app, ask, vec![messages.picture], hold).await?;
    let head = answer::Head {
        id: format!("chatcmpl-{:x}-{:x}", now().as_millis(), app.next_number()),
        created: now().as_secs(),
        model: app.model.name.clone(),
        options,
    };
    match parameters.stream {
        true => Ok(stream::answer(app, head, parameters, events)),
        false => answer::whole(&app, head, &parameters, events).await,
    }
}

fn now() -> std::time::Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
