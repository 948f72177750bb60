//! Which path leads where, and through what.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::failure::{Failure, in_form_of_api, not_found, wrong_method};
use crate::{captions, health, keys, log, metrics, model, ollama, openai, openapi, visitors};

pub(crate) fn router(app: &Arc<App>) -> Router {
    let with_key = Router::new()
        .route("/v1/captions", post(captions::captions))
        .route("/v1/model", get(model::model))
        .route("/v1/models", get(openai::models))
        .route("/v1/models/{name}", get(openai::model))
        .route("/v1/chat/completions", post(openai::chat))
        .route("/api/generate", post(ollama::generate))
        .route("/api/chat", post(ollama::chat))
        .route("/api/tags", get(ollama::tags))
        .route("/api/show", post(ollama::show))
        .route("/api/version", get(ollama::version))
        .route("/metrics", get(metrics::metrics))
        .route_layer(from_fn_with_state(Arc::clone(app), keys::check));
    // What needs no key tells nothing that is not public.
    let open = Router::new()
        .route("/health", get(health::health))
        .route("/ready", get(health::ready))
        .route("/openapi.json", get(openapi::json))
        .route("/openapi", get(openapi::page));
    let all = with_key
        .merge(open)
        .with_state(Arc::clone(app))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        // Bodies have limits of their own, which also count time and memory.
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(|_| {
            Failure::fault("the work on this request panicked; please report it").into_response()
        }))
        .layer(from_fn_with_state(Arc::clone(app), visitors::check));
    // Around everything that refuses, so that pages that may can read why.
    let all = match app.visitors.cors() {
        Some(cors) => all.layer(cors),
        None => all,
    };
    all.layer(from_fn(in_form_of_api))
        .layer(from_fn_with_state(Arc::clone(app), log::each_request))
}
