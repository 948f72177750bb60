//! Lines of the log: on stderr, since stdout has what programs read.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tracing_subscriber::filter::LevelFilter;

use crate::app::App;
use crate::arguments::LogForm;
use crate::failure::Failure;

/// Starts the log of this process.
pub(crate) fn start(form: LogForm, level: LevelFilter) {
    let log = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        // A log that can't be written must not end the program.
        .log_internal_errors(false)
        .with_max_level(level);
    // Only the first one counts, which is this unless a test has started another.
    let _ = match form {
        LogForm::Text => log.try_init(),
        LogForm::Json => log.json().flatten_event(true).try_init(),
    };
}

/// Logs each request when its answer begins. Names of files, texts and keys are not logged, and of a path only what is not
/// a query.
pub(crate) async fn each_request(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let number = app.next_number();
    let method = request.method().clone();
    let path: String = request.uri().path().chars().take(100).collect();
    let begun = Instant::now();
    let response = next.run(request).await;
    let (status, ms) = (
        response.status().as_u16(),
        begun.elapsed().as_millis() as u64,
    );
    // As a value of `Debug`, control characters have escapes.
    tracing::info!(number, %method, path = ?path, status, ms, "request");
    if let Some(failure) = response.extensions().get::<Failure>()
        && failure.status == StatusCode::INTERNAL_SERVER_ERROR
    {
        tracing::error!(number, message = ?failure.message(), "a fault");
    }
    response
}
