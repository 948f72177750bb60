//! An answer in Ollama's form: JSON, or lines of JSON.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use captioning::{Caption, GenerationConfig};
use serde::Serialize;
use tokio::sync::mpsc::{self, Receiver};

use super::time::rfc3339;
use crate::app::App;
use crate::failure::Failure;
use crate::growth::Growth;
use crate::openai::{captions, finish_reason};
use crate::sse::receiver_stream;
use crate::work::Event;

/// Which of the two forms an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The text is in `response`.
    Generate,
    /// The text is in `message`.
    Chat,
}

/// What every part of an answer needs.
pub(super) struct Answer {
    pub(super) app: Arc<App>,
    pub(super) form: Form,
    pub(super) begun: Instant,
    pub(super) options: GenerationConfig,
}

#[derive(Serialize)]
struct Part {
    model: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
    done: bool,
    #[serde(flatten)]
    end: Option<End>,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: String,
}

/// What the last part says. Durations are in nanoseconds.
#[derive(Serialize)]
struct End {
    done_reason: &'static str,
    total_duration: u64,
    load_duration: u64,
    prompt_eval_count: usize,
    prompt_eval_duration: u64,
    eval_count: usize,
    eval_duration: u64,
}

#[derive(Serialize)]
struct ErrorLine<'a> {
    error: &'a str,
}

impl Form {
    fn part(self, app: &App, text: String, end: Option<End>) -> Part {
        let (response, message) = match self {
            Self::Generate => (Some(text), None),
            Self::Chat => (
                None,
                Some(Message {
                    role: "assistant",
                    content: text,
                }),
            ),
        };
        Part {
            model: super::name(app),
            created_at: rfc3339(SystemTime::now()),
            response,
            message,
            done: end.is_some(),
            end,
        }
    }
}

impl End {
    fn new(done_reason: &'static str, duration: Duration, tokens: usize) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self {
            done_reason,
            total_duration: nanoseconds,
            load_duration: 0,
            prompt_eval_count: 0,
            prompt_eval_duration: 0,
            eval_count: tokens,
            eval_duration: nanoseconds,
        }
    }
}

/// The answer to a request that only wants the model to be loaded.
pub(super) fn loaded(app: &App, form: Form) -> Response {
    let end = End::new("load", Duration::ZERO, 0);
    Json(form.part(app, String::new(), Some(end))).into_response()
}

impl Answer {
    /// Waits for the caption.
    pub(super) async fn whole(self, mut events: Receiver<Event>) -> Result<Response, Failure> {
        let best = best(captions(&mut events, |_| ()).await?)?;
        let end = self.end(&best);
        let part = self.form.part(&self.app, best.text, Some(end));
        Ok(Json(part).into_response())
    }

    /// Sends what is settled of the caption as it grows.
    pub(super) fn streamed(self, mut events: Receiver<Event>) -> Response {
        let (lines, receiver) = mpsc::unbounded_channel();
        let work = async move {
            let send = |line: String| drop(lines.send(Ok::<_, Infallible>(line)));
            let part = |text| line(&self.form.part(&self.app, text, None));
            let mut growth = Growth::default();
            let written = captions(&mut events, |settled| {
                if let Some(new) = growth.add(settled) {
                    send(part(new));
                }
            });
            match written.await.and_then(best) {
                Ok(best) => {
                    if let Some(rest) = growth.add(&best.text) {
                        send(part(rest));
                    }
                    let end = Some(self.end(&best));
                    send(line(&self.form.part(&self.app, String::new(), end)));
                }
                Err(failure) => {
                    let error = failure.message();
                    send(line(&ErrorLine { error }));
                }
            }
        };
        let body = Body::from_stream(receiver_stream(receiver, work));
        ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
    }

    fn end(&self, caption: &Caption) -> End {
        let reason = finish_reason(&self.options, caption);
        End::new(reason, self.begun.elapsed(), caption.token_log_probs.len())
    }
}

fn best(captions: Vec<Caption>) -> Result<Caption, Failure> {
    let best = captions.into_iter().next();
    best.ok_or_else(|| Failure::fault("the search found no caption"))
}

fn line(value: &impl Serialize) -> String {
    // Plain structures always become JSON.
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}
