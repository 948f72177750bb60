//! `/openapi.json`, and a page to try it.

use axum::Json;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;

const PAGE: &str = include_str!("openapi.html");

/// Nothing is loaded from elsewhere; the page's own script and style are within it.
const POLICY: &str = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "serve",
        description = "Captions of pictures in many languages. Beside the paths here, parts of OpenAI's API (/v1/chat/completions, /v1/models) and of Ollama's (/api/generate, /api/chat, /api/tags, /api/show, /api/version) are answered; docs/serving.md says which.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        crate::captions::captions,
        crate::model::model,
        crate::health::health,
        crate::health::ready,
        crate::metrics::metrics,
    ),
    components(schemas(
        crate::captions::CaptionsRequest,
        crate::captions::CaptionsResponse,
        crate::failure::ErrorBody
    ))
)]
struct Description;

pub(crate) async fn json() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

pub(crate) async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, PAGE)
}
