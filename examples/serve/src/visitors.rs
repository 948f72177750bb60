//! Which pages of the web may use the server.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::app::App;
use crate::error::StartError;
use crate::failure::Failure;

/// Who may use the server from a page in a browser.
pub(crate) struct Visitors {
    /// Origins of other servers' pages.
    origins: Vec<String>,
    /// Names of the server. `None` if it may have any.
    names: Option<Vec<String>>,
}

impl Visitors {
    /// `hosts` are the names that a server on a loopback address may have, besides those of this machine.
    pub(crate) fn new(
        origins: &[String],
        address: IpAddr,
        hosts: &[String],
    ) -> Result<Self, StartError> {
        let is_origin = |origin: &str| {
            let rest = origin.strip_prefix("http://");
            let rest = rest.or_else(|| origin.strip_prefix("https://"));
            rest.is_some_and(|host| !host.is_empty() && !host.contains('/'))
                && HeaderValue::from_str(origin).is_ok()
        };
        match origins.iter().find(|one| *one != "*" && !is_origin(one)) {
            Some(wrong) => Err(StartError::Origin(wrong.clone())),
            None => Ok(Self {
                origins: origins.to_vec(),
                names: address.is_loopback().then(|| hosts.to_vec()),
            }),
        }
    }

    /// The headers that let browsers show answers to pages of other servers, if any may use this one.
    pub(crate) fn cors(&self) -> Option<CorsLayer> {
        if self.origins.is_empty() {
            return None;
        }
        let origins = match self.is_open() {
            true => AllowOrigin::any(),
            false => AllowOrigin::list(
                self.origins
                    .iter()
                    .filter_map(|one| HeaderValue::from_str(one).ok()),
            ),
        };
        Some(
            CorsLayer::new()
                .allow_origin(origins)
                .allow_methods([Method::GET, Method::POST])
                .allow_headers([
                    header::AUTHORIZATION,
                    header::CONTENT_TYPE,
                    header::ACCEPT_LANGUAGE,
                ]),
        )
    }

    fn is_open(&self) -> bool {
        self.origins.iter().any(|origin| origin == "*")
    }

    /// Why a request is not answered: it comes from a page of another server, or a page has given this server its own
    /// name.
    fn refusal(&self, headers: &HeaderMap) -> Option<&'static str> {
        let text = |name| Some(headers.get(name)?.to_str().unwrap_or_default());
        let host = text(header::HOST).unwrap_or_default();
        if let Some(names) = &self.names
            && !is_of_this_machine(host)
            && !names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(without_port(host)))
        {
            return Some(
                "this server listens on a loopback address and does not answer to this Host; see --allow-host",
            );
        }
        let origin = text(header::ORIGIN)?;
        let is_own = origin
            .split_once("://")
            .is_some_and(|(_, rest)| rest == host);
        let is_allowed = self.is_open() || self.origins.iter().any(|one| one == origin);
        match is_own || is_allowed {
            true => None,
            false => Some("pages of this origin may not use the server; see --allow-origin"),
        }
    }
}

/// Lets a request pass if it comes from no page, from one of this server or from one that may use it.
pub(crate) async fn check(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.visitors.refusal(request.headers()) {
        Some(message) => Failure::new(StatusCode::FORBIDDEN, "forbidden", message).into_response(),
        None => next.run(request).await,
    }
}

/// Whether a `Host` is a name or an address that only this machine has for itself.
fn is_of_this_machine(host: &str) -> bool {
    let name = without_port(host);
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|one| one.is_loopback())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visitors(origins: &[&str], address: &str, hosts: &[&str]) -> Visitors {
        let owned =
            |texts: &[&str]| -> Vec<String> { texts.iter().map(|one| (*one).into()).collect() };
        Visitors::new(&owned(origins), address.parse().unwrap(), &owned(hosts)).unwrap()
    }

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_server_on_a_loopback_address_answers_to_names_of_this_machine() {
        let local = visitors(&[], "127.0.0.1", &["captions.example"]);
        for host in [
            "localhost:8080",
            "127.0.0.1",
            "[::1]:8080",
            "LocalHost",
            "captions.example",
        ] {
            assert!(local.refusal(&headers(host, None)).is_none(), "{host}");
        }
        for host in [
            "evil.example:8080",
            "",
            "localhost.evil.example",
            "192.168.0.1",
            "::",
        ] {
            assert!(local.refusal(&headers(host, None)).is_some(), "{host}");
        }
        let open = visitors(&[], "0.0.0.0", &[]);
        assert!(open.refusal(&headers("any.example", None)).is_none());
    }

    #[test]
    fn pages_of_other_origins_are_refused_unless_they_are_named() {
        let own = Some("http://localhost:8080");
        let other = Some("https://example.org");
        let closed = visitors(&[], "127.0.0.1", &[]);
        assert!(closed.refusal(&headers("localhost:8080", own)).is_none());
        assert!(closed.refusal(&headers("localhost:8080", other)).is_some());
        assert!(
            closed
                .refusal(&headers("localhost:8080", Some("null")))
                .is_some()
        );
        for allowed in ["https://example.org", "*"] {
            let named = visitors(&[allowed], "127.0.0.1", &[]);
            assert!(named.refusal(&headers("localhost:8080", other)).is_none());
        }
        assert!(Visitors::new(&["example.org".into()], "::1".parse().unwrap(), &[]).is_err());
    }
}
