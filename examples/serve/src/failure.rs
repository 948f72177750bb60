//! Why a client does not get what it asked for, in the form of its API.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serving::Refused;

/// An answer to a client that asked for something that it can't have.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    /// What programs tell failures apart by.
    code: &'static str,
    /// The field of the request that it is about.
    param: Option<String>,
    message: String,
    /// Seconds after which it makes sense to ask again.
    retry_after: Option<u64>,
}

/// The body of an error, in OpenAI's form.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorBody {
    pub(crate) error: ErrorRecord,
}

/// An error, in OpenAI's form.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorRecord {
    /// What is wrong, in a sentence.
    message: String,
    /// `invalid_request_error`, `authentication_error` or `server_error`.
    r#type: &'static str,
    /// The field of the request that it is about.
    param: Option<String>,
    /// What programs tell errors apart by.
    code: &'static str,
}

/// The body of an error, in Ollama's form.
#[derive(Serialize)]
struct OllamaError<'a> {
    error: &'a str,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            param: None,
            message: message.into(),
            retry_after: None,
        }
    }

    /// A request that can't be understood or asks for what can't be done.
    pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A field that has an unusable value.
    pub(crate) fn field(name: &str, message: impl Into<String>) -> Self {
        Self::invalid("invalid_value", message).about(name)
    }

    /// A field that asks for more than this server gives.
    pub(crate) fn over_limit(name: &str, asked: usize, most: usize) -> Self {
        let message = format!("{name} is {asked}, but this server allows at most {most}");
        Self::invalid("over_limit", message).about(name)
    }

    /// What a model that captions pictures can't do.
    pub(crate) fn unsupported(name: &str, message: impl Into<String>) -> Self {
        Self::invalid("unsupported", message).about(name)
    }

    /// A fault of the server.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }

    /// The same, about a field of the request.
    pub(crate) fn about(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    pub(crate) fn later(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The error as a record within an answer.
    pub(crate) fn record(&self) -> ErrorRecord {
        ErrorRecord {
            message: self.message.clone(),
            r#type: match self.status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "authentication_error",
                status if status.is_server_error() => "server_error",
                _ => "invalid_request_error",
            },
            param: self.param.clone(),
            code: self.code,
        }
    }

    fn with_body(&self, body: impl Serialize) -> Response {
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // For the log, and for another API's form.
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.with_body(ErrorBody {
            error: self.record(),
        })
    }
}

/// Gives failures the form of the API that was asked: below `/api/`, that is Ollama's.
pub(crate) async fn in_form_of_api(request: Request, next: Next) -> Response {
    let is_ollama = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    match response.extensions().get::<Failure>() {
        Some(failure) if is_ollama => failure.with_body(OllamaError {
            error: failure.message(),
        }),
        _ => response,
    }
}

/// The answer for a path that is not there.
pub(crate) async fn not_found(request: Request) -> Failure {
    let message = format!("there is nothing at {}", request.uri().path());
    Failure::new(StatusCode::NOT_FOUND, "not_found", message)
}

/// The answer for a method that a path does not have.
pub(crate) async fn wrong_method(request: Request) -> Failure {
    let message = format!(
        "{} does not take {}",
        request.uri().path(),
        request.method()
    );
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    )
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let unavailable =
            |code| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, refused.to_string());
        match refused {
            Refused::QueueFull { retry_after } => {
                unavailable("queue_full").later(retry_after.as_secs())
            }
            _ => unavailable("stopping"),
        }
    }
}

impl From<&captioning::Error> for Failure {
    fn from(error: &captioning::Error) -> Self {
        use captioning::Error;
        let message = report::message(error);
        match error {
            Error::UnknownLanguage { .. } => {
                Self::invalid("unknown_language", message).about("languages")
            }
            Error::Words { .. } => Self::invalid("invalid_value", message),
            // A text to score is too long, for example.
            Error::Generate(captioning::GenerateError::Config(_)) => {
                Self::invalid("invalid_value", message)
            }
            Error::Unwritable { .. } => Self::invalid("unwritable", message),
            Error::WordsMissing { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "words_missing", message)
            }
            Error::NoCaption { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "no_caption", message)
            }
            // Options are checked before a picture is accepted; what is wrong later is ours.
            _ => Self::fault(message),
        }
    }
}

impl From<&serving::Error> for Failure {
    fn from(error: &serving::Error) -> Self {
        match error {
            serving::Error::Captioning(error) => error.into(),
            serving::Error::Deadline => Self::timed_out(),
            serving::Error::Stopped => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "stopping",
                error.to_string(),
            ),
            error => Self::fault(error.to_string()),
        }
    }
}

impl Failure {
    /// A picture that was not captioned in time.
    pub(crate) fn timed_out() -> Self {
        let message = "the picture was not captioned within the server's --timeout";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", message).later(10)
    }

    /// Options that can't be used.
    pub(crate) fn of_options(error: &captioning::Error) -> Self {
        match Self::from(error) {
            failure if failure.status.is_server_error() => {
                Self::invalid("invalid_value", failure.message)
            }
            failure => failure,
        }
    }
}
