//! `POST /v1/captions`: this server's own interface.

mod form;
mod records;
mod stream;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc::Receiver;

use crate::app::App;
use crate::ask::Ask;
use crate::body::{self, Whole, media_type, outside, wrong_media_type};
use crate::failure::Failure;
use crate::fields::{Fields, List, Object};
use crate::pictures::Picture;
use crate::work::{self, Event};

pub(crate) use self::form::CaptionsRequest;
pub(crate) use self::records::{CaptionsResponse, ImageRecord, token_records};

/// Captions pictures, or scores texts for them.
#[utoipa::path(
    post,
    path = "/v1/captions",
    request_body(
        description = "JSON, or multipart/form-data with the same names: `images` are files then, and lists are repeated fields.",
        content((CaptionsRequest = "application/json"), (CaptionsRequest = "multipart/form-data"))
    ),
    responses(
        (status = 200, description = "At least one picture could be read. With `stream`, server-sent events: draft, captions, scores, error, done.", body = CaptionsResponse),
        (status = "4XX", description = "Why no picture is captioned", body = crate::failure::ErrorBody),
        (status = 503, description = "The queue is full; the header Retry-After says when to come back", body = crate::failure::ErrorBody),
    )
)]
pub(crate) async fn captions(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let headers = parts.headers;
    let is_form = match media_type(&headers).as_str() {
        "multipart/form-data" => true,
        "application/json" => false,
        _ => {
            return Err(wrong_media_type(
                &headers,
                "application/json or multipart/form-data",
            ));
        }
    };
    let Whole { bytes, hold } = body::read(&app, &headers, body).await?;
    let most = app.limits.max_images;
    let (pictures, mut fields) = match is_form {
        true => form::read(&app, &headers, bytes).await?,
        false => outside(move || of_json(&bytes, most)).await?,
    };
    if pictures.is_empty() {
        let message = "there is no picture: images is a list of data URLs, or files of a form";
        return Err(Failure::field("images", message));
    }
    if wants_events(&headers) {
        fields.set("stream", true);
    }
    let ask = Ask::new(&app, &headers, fields)?;
    let streamed = ask.drafts;
    let with_captions = ask.captions;
    let languages: Vec<&'static str> = ask.languages.iter().map(|one| one.code).collect();
    let total = pictures.len();
    let events = work::start(&app, ask, pictures, hold).await?;
    match streamed {
        true => Ok(stream::answer(app, events)),
        false => {
            let order = records::Order {
                total,
                languages,
                with_captions,
            };
            whole_answer(&app, events, order).await
        }
    }
}

/// Waits for all events.
async fn whole_answer(
    app: &App,
    mut events: Receiver<Event>,
    order: records::Order,
) -> Result<Response, Failure> {
    let mut images: Vec<ImageRecord> = order.empty();
    while let Some(event) = events.recv().await {
        records::add(app.captioner(), &mut images, event);
    }
    order.sort(&mut images);
    let response = CaptionsResponse {
        model: app.model.name.clone(),
        images,
    };
    Ok(Json(response).into_response())
}

/// Whether a client accepts server-sent events rather than JSON.
fn wants_events(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| {
        let mut types = accept.split(',').filter_map(|one| one.split(';').next());
        types.any(|one| one.trim().eq_ignore_ascii_case("text/event-stream"))
    })
}

fn of_json(bytes: &[u8], most: usize) -> Result<(Vec<Picture>, Fields), Failure> {
    let mut object = Object::parse(bytes)?;
    let images: Option<List<String>> = object.take("images")?;
    let mut texts = images.map(|list| list.0).unwrap_or_default();
    texts.extend(object.take::<String>("image")?);
    if texts.len() > most {
        return Err(Failure::over_limit("images", texts.len(), most));
    }
    let pictures = texts.into_iter().map(|text| Picture::from_text(text, None));
    let pictures: Result<_, Failure> = pictures.collect();
    let pictures = pictures.map_err(|failure| failure.about("images"))?;
    Ok((pictures, object.short()?))
}
