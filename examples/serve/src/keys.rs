use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::{Choice, ConstantTimeEq};
use whole_files::limits;

use crate::app::App;
use crate::error::StartError;
use crate::failure::Failure;

/// The shortest key, in characters.
const SHORTEST: usize = 16;

/// Keys of which a client has to send one.
pub(crate) struct Keys(Vec<String>);

impl Keys {
    /// Reads a file of keys.
    pub(crate) fn read(path: &Path) -> Result<Self, StartError> {
        let text = whole_files::read_text(path, limits::TEXT)?;
        let mut keys = Vec::new();
        for (line, key) in text.lines().map(str::trim).enumerate() {
            if key.is_empty() || key.starts_with('#') {
                continue;
            }
            if key.len() < SHORTEST || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                let (path, line) = (path.to_owned(), line + 1);
                return Err(StartError::Key { path, line });
            }
            keys.push(key.to_owned());
        }
        match keys.is_empty() {
            true => Err(StartError::NoKeys(path.to_owned())),
            false => Ok(Self(keys)),
        }
    }

    /// Whether a text is one of the keys. The time that this takes tells nothing but lengths.
    fn has(&self, text: &[u8]) -> bool {
        let found = self.0.iter().fold(Choice::from(0), |found, key| {
            found | key.as_bytes().ct_eq(text)
        });
        found.into()
    }
}

/// Lets a request pass if there are no keys or it has one of them.
pub(crate) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(keys) = &app.keys else {
        return next.run(request).await;
    };
    let sent = request.headers().get(header::AUTHORIZATION);
    let key = sent.and_then(|value| {
        let (scheme, key) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some(key)
    });
    let message = match key {
        Some(key) if keys.has(key.trim_ascii()) => return next.run(request).await,
        Some(_) => "the key is not one of this server's",
        None => "this server needs a key: Authorization: Bearer KEY",
    };
    Failure::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message).into_response()
}
