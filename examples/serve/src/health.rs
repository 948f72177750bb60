//! Whether the server lives, and whether it takes requests.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;
use crate::failure::Failure;

/// Answers as long as the program runs.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "The program runs")))]
pub(crate) async fn health() -> &'static str {
    "ok\n"
}

/// Answers that requests are accepted: the model is loaded, and the server is not stopping.
#[utoipa::path(
    get,
    path = "/ready",
    responses(
        (status = 200, description = "Requests are accepted"),
        (status = 503, description = "The server is stopping", body = crate::failure::ErrorBody),
    )
)]
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Result<&'static str, Failure> {
    match app.server.is_accepting() && !app.is_stopping() {
        true => Ok("ready\n"),
        false => Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            "the server is stopping",
        )),
    }
}
