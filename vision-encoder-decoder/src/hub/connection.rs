use std::time::Duration;

use ureq::http::header::{ACCEPT_ENCODING, AUTHORIZATION, LOCATION, RANGE};
use ureq::http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use super::address::{Origin, join, without_query};
use super::retry::RetryPolicy;
use super::settings::DEFAULT_ENDPOINT;
use super::{HubError, HubModel};

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Silence for longer than this is a broken connection.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 10;

/// Redirects are followed by [`Connection`], which knows where the token may go.
pub(super) fn new_agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(USER_AGENT)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        .timeout_per_write(Some(READ_TIMEOUT))
        .build()
        .new_agent()
}

/// Which redirects to follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirects {
    /// All of them.
    Everywhere,
    /// Those of the Hub to itself, as renamed repositories give them. What it says about a file
    /// that another server holds stands in the redirect.
    WithinHub,
}

/// What was asked for in the end, and what was answered.
pub(super) struct Answer {
    pub(super) address: Uri,
    pub(super) response: Response<Body>,
}

/// Sends requests to a Hub.
pub(super) struct Connection<'a> {
    pub(super) agent: &'a Agent,
    pub(super) endpoint: &'a str,
    pub(super) origin: &'a Origin,
    pub(super) authorization: Option<&'a HeaderValue>,
    pub(super) retry_policy: RetryPolicy,
}

impl Connection<'_> {
    /// Sends a request for the content from byte `start` on. Any status is an answer.
    pub(super) fn send(
        &self,
        method: &Method,
        url: &str,
        start: u64,
        redirects: Redirects,
    ) -> Result<Answer, HubError> {
        let wrong = |reason: String| HubError::Response {
            url: url.into(),
            reason,
        };
        let mut address: Uri = url.parse().map_err(|e| wrong(format!("no address: {e}")))?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send_once(method, &address, start)?;
            let Some(location) = location(&response) else {
                return Ok(Answer { address, response });
            };
            let target = location
                .to_str()
                .ok()
                .and_then(|location| join(&address, location))
                .and_then(|target| Some((Origin::of(&target)?, target)));
            let Some((origin, target)) = target else {
                return Err(wrong(format!("a redirect to {location:?}")));
            };
            if redirects == Redirects::WithinHub && !self.is_hub(&origin) {
                return Ok(Answer { address, response });
            }
            if self.origin.is_encrypted() && !origin.is_encrypted() {
                return Err(wrong("a redirect to an unencrypted address".into()));
            }
            address = target;
        }
        Err(wrong(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// An error unless the status is a success or a redirect. `file` is what was asked for, if it
    /// was a file.
    pub(super) fn check_status(
        &self,
        answer: &Answer,
        model: &HubModel,
        file: Option<&str>,
    ) -> Result<(), HubError> {
        let status = answer.response.status();
        if status.is_success() || status.is_redirection() {
            return Ok(());
        }
        let status = status.as_u16();
        let other = HubError::Status {
            url: without_query(&answer.address),
            status,
        };
        // What other servers refuse has nothing to do with the model's name or the token.
        if !Origin::of(&answer.address).is_some_and(|origin| self.is_hub(&origin)) {
            return Err(other);
        }
        let endpoint = || self.endpoint.to_owned();
        let repository = || model.repository().to_owned();
        let revision = || model.revision().to_owned();
        let code = answer.response.headers().get("x-error-code");
        let code = code.and_then(|code| code.to_str().ok()).unwrap_or_default();
        Err(match (code, status, file) {
            ("RevisionNotFound", ..) => HubError::NoRevision {
                repository: repository(),
                revision: revision(),
            },
            ("RepoNotFound", 404, _) | ("", 404, None) => HubError::NoRepository {
                endpoint: endpoint(),
                repository: repository(),
                revision: revision(),
            },
            ("EntryNotFound" | "", 404, Some(file)) => HubError::NoFile {
                model: model.to_string(),
                file: file.into(),
            },
            (_, 401 | 403, _) => HubError::Denied {
                endpoint: endpoint(),
                repository: repository(),
                status,
            },
            _ => other,
        })
    }

    fn send_once(
        &self,
        method: &Method,
        address: &Uri,
        start: u64,
    ) -> Result<Response<Body>, HubError> {
        let mut request = Request::builder()
            .method(method)
            .uri(address)
            // Sizes and hashes are those of the plain content.
            .header(ACCEPT_ENCODING, "identity");
        if start > 0 {
            request = request.header(RANGE, format!("bytes={start}-"));
        }
        if let Some(authorization) = self.authorization
            && Origin::of(address).as_ref() == Some(self.origin)
        {
            request = request.header(AUTHORIZATION, authorization);
        }
        let unreachable = |reason: String| HubError::Unreachable {
            server: server(address),
            reason,
        };
        let request = request
            .body(())
            .map_err(|error| unreachable(error.to_string()))?;
        let response = self.agent.run(request);
        response.map_err(|error| unreachable(error.to_string()))
    }

    /// Mirrors redirect to the public Hub, which is no other kind of server then.
    fn is_hub(&self, origin: &Origin) -> bool {
        origin == self.origin
            || Origin::of(&Uri::from_static(DEFAULT_ENDPOINT)).as_ref() == Some(origin)
    }
}

/// Where a redirect leads to.
fn location(response: &Response<Body>) -> Option<&HeaderValue> {
    match response.status() {
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => response.headers().get(LOCATION),
        _ => None,
    }
}

/// Scheme and host, for messages.
fn server(address: &Uri) -> String {
    let scheme = address.scheme_str().unwrap_or_default();
    let authority = address
        .authority()
        .map_or("", |authority| authority.as_str());
    format!("{scheme}://{authority}")
}
