use std::time::{Duration, Instant};

use ureq::http::header::{ACCEPT_ENCODING, AUTHORIZATION, LOCATION, RANGE};
use ureq::http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use crate::address::{Origin, join};
use crate::pace::Pace;
use crate::retry::RetryPolicy;
use crate::settings::DEFAULT_ENDPOINT;
use crate::shown::{shown, shown_address};
use crate::{HubError, HubModel};

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// After this time without data, a connection counts as broken.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 10;

/// The agent does not follow redirects: [`Connection`] does, because it knows where the token may be sent.
pub(crate) fn new_agent() -> Agent {
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
pub(crate) enum Redirects {
    /// All of them.
    Everywhere,
    /// Redirects of the Hub to itself, such as those of renamed repositories. If a file is on another
    /// server, the headers of the redirect describe it.
    WithinHub,
}

/// A response, and the address that it came from after all redirects.
pub(crate) struct Answer {
    pub(crate) address: Uri,
    pub(crate) response: Response<Body>,
}

/// Sends requests to a Hub.
pub(crate) struct Connection<'a> {
    pub(crate) agent: &'a Agent,
    pub(crate) endpoint: &'a str,
    pub(crate) origin: &'a Origin,
    pub(crate) authorization: Option<&'a HeaderValue>,
    pub(crate) retry_policy: RetryPolicy,
    pub(crate) pace: Pace,
}

impl Connection<'_> {
    /// Sends a request for the content, beginning at byte `start`. Responses of all statuses are returned. The headers
    /// of all redirects together have to arrive in the window of the pace, and the body in `body_time`.
    pub(crate) fn send(
        &self,
        method: &Method,
        url: &str,
        start: u64,
        redirects: Redirects,
        body_time: Option<Duration>,
    ) -> Result<Answer, HubError> {
        let wrong = |reason: String| HubError::Response {
            url: shown(url),
            reason,
        };
        let begin = Instant::now();
        let mut address: Uri = url
            .parse()
            .map_err(|e| wrong(format!("an invalid address: {e}")))?;
        for _ in 0..=MAX_REDIRECTS {
            let times = Times {
                headers: self.pace.window.saturating_sub(begin.elapsed()),
                body: body_time,
            };
            let response = self.send_once(method, &address, start, times)?;
            let Some(location) = location(&response) else {
                return Ok(Answer { address, response });
            };
            let target = location
                .to_str()
                .ok()
                .and_then(|location| join(&address, location))
                .and_then(|target| Some((Origin::of(&target)?, target)));
            let Some((origin, target)) = target else {
                let location = String::from_utf8_lossy(location.as_bytes());
                let location = location.split('?').next().unwrap_or_default();
                return Err(wrong(format!("a redirect to {:?}", shown(location))));
            };
            if redirects == Redirects::WithinHub && !self.is_hub(&origin) {
                return Ok(Answer { address, response });
            }
            if self.origin.is_encrypted() && !origin.is_encrypted() {
                return Err(wrong("a redirect to an unencrypted address".into()));
            }
            address = self.with_credentials(target, &origin);
        }
        Err(wrong(format!("more than {MAX_REDIRECTS} redirects")))
    }

    /// Fails unless the status is a success or a redirect. `file` is the file that was requested, if it was
    /// one.
    pub(crate) fn check_status(
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
            url: shown_address(&answer.address),
            status,
        };
        // The answers of other servers have nothing to do with the name of the model or the token.
        if !Origin::of(&answer.address).is_some_and(|origin| self.is_hub(&origin)) {
            return Err(other);
        }
        let endpoint = || shown(self.endpoint);
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
        times: Times,
    ) -> Result<Response<Body>, HubError> {
        let mut request = Request::builder()
            .method(method)
            .uri(address)
            // Sizes and hashes are those of the content without compression.
            .header(ACCEPT_ENCODING, "identity");
        if start > 0 {
            request = request.header(RANGE, format!("bytes={start}-"));
        }
        if let Some(authorization) = self.authorization
            && Origin::of(address).as_ref() == Some(self.origin)
            // The user and the password of the address are sent instead, as Python does it.
            && !has_credentials(address)
        {
            request = request.header(AUTHORIZATION, authorization);
        }
        let unreachable = |reason: String| HubError::Unreachable {
            server: server(address),
            reason: shown(&reason),
        };
        if times.headers.is_zero() {
            return Err(unreachable("no answer in time".into()));
        }
        let request = request
            .body(())
            .map_err(|error| unreachable(error.to_string()))?;
        let request = self.agent.configure_request(request);
        let request = request
            .timeout_recv_response(Some(times.headers))
            .timeout_recv_body(times.body)
            .build();
        let response = self.agent.run(request);
        response.map_err(|error| unreachable(error.to_string()))
    }

    /// Fails if the Hub says that a file is of another commit.
    pub(crate) fn check_commit(
        &self,
        answer: &Answer,
        model: &HubModel,
        commit: &str,
    ) -> Result<(), HubError> {
        let is_hub = Origin::of(&answer.address).is_some_and(|origin| self.is_hub(&origin));
        let found = answer.response.headers().get("x-repo-commit");
        match found.filter(|_| is_hub) {
            Some(found) if !found.as_bytes().eq_ignore_ascii_case(commit.as_bytes()) => {
                Err(HubError::Commit {
                    model: model.to_string(),
                    expected: commit.into(),
                    found: shown(&String::from_utf8_lossy(found.as_bytes())),
                })
            }
            _ => Ok(()),
        }
    }

    /// Adds the user and the password of the endpoint to an address of the same server that has none, such as the target
    /// of a redirect.
    fn with_credentials(&self, address: Uri, origin: &Origin) -> Uri {
        let endpoint: Option<Uri> = self.endpoint.parse().ok();
        let authority = endpoint.as_ref().and_then(Uri::authority);
        let Some(authority) = authority.filter(|authority| authority.as_str().contains('@')) else {
            return address;
        };
        if origin != self.origin || has_credentials(&address) {
            return address;
        }
        let mut parts = address.clone().into_parts();
        parts.authority = Some(authority.clone());
        Uri::from_parts(parts).unwrap_or(address)
    }

    /// Whether an origin is the Hub or the public Hub, which mirrors redirect to.
    fn is_hub(&self, origin: &Origin) -> bool {
        origin == self.origin
            || Origin::of(&Uri::from_static(DEFAULT_ENDPOINT)).as_ref() == Some(origin)
    }
}

/// The longest times of one request.
struct Times {
    headers: Duration,
    body: Option<Duration>,
}

fn has_credentials(address: &Uri) -> bool {
    let authority = address.authority();
    authority.is_some_and(|authority| authority.as_str().contains('@'))
}

/// The target of a redirect.
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
    shown(&format!("{scheme}://{authority}"))
}
