//! Answers as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderValue, header};
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use captioning::Captioner;
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc::Receiver;

use super::records::{LanguageRecord, ScoreRecord, language_record, score_records};
use crate::app::App;
use crate::failure::ErrorRecord;
use crate::view::View;
use crate::work::Event;

#[derive(Serialize)]
struct ImageEvent {
    image: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(flatten)]
    view: View,
}

#[derive(Serialize)]
struct DraftEvent {
    image: usize,
    language: &'static str,
    sequence: usize,
    settled: String,
    draft: String,
}

#[derive(Serialize)]
struct CaptionsEvent {
    image: usize,
    #[serde(flatten)]
    captions: LanguageRecord,
}

#[derive(Serialize)]
struct ScoresEvent {
    image: usize,
    scores: Vec<ScoreRecord>,
}

#[derive(Serialize)]
struct ErrorEvent {
    image: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    error: ErrorRecord,
}

#[derive(Serialize)]
struct DoneEvent {}

/// An event for each that is received, and `done` after the last.
pub(super) fn answer(app: Arc<App>, events: Receiver<Event>) -> Response {
    let messages = stream::unfold(Some(events), move |events| {
        let app = Arc::clone(&app);
        async move {
            let mut events = events?;
            let (message, events) = match events.recv().await {
                Some(event) => (message(app.captioner(), event), Some(events)),
                None => (named("done", &DoneEvent {}), None),
            };
            Some((Ok::<_, Infallible>(message), events))
        }
    });
    let mut response = Sse::new(messages)
        .keep_alive(KeepAlive::default())
        .into_response();
    // nginx would collect the events otherwise.
    let headers = response.headers_mut();
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn message(captioner: &Captioner, event: Event) -> Message {
    match event {
        Event::Accepted { image, name, view } => named("image", &ImageEvent { image, name, view }),
        Event::Draft {
            image,
            language,
            sequence,
            settled,
            draft,
        } => named(
            "draft",
            &DraftEvent {
                image,
                language: language.code,
                sequence,
                settled,
                draft,
            },
        ),
        Event::Captions {
            image,
            language,
            captions,
        } => {
            let captions = language_record(captioner, language.code, captions);
            let name = match captions.error {
                Some(_) => "error",
                None => "captions",
            };
            named(name, &CaptionsEvent { image, captions })
        }
        Event::Scores {
            image,
            language,
            scores,
        } => {
            let scores = score_records(language.code, scores);
            named("scores", &ScoresEvent { image, scores })
        }
        Event::Failed {
            image,
            name,
            failure,
        } => {
            let error = failure.record();
            named("error", &ErrorEvent { image, name, error })
        }
    }
}

fn named(name: &str, data: &impl Serialize) -> Message {
    let message = Message::default().event(name);
    // Records are plain structures, which always become JSON.
    message.json_data(data).unwrap_or_default()
}
