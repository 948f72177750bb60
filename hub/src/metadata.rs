use ureq::http::Method;
use ureq::http::header::{CONTENT_LENGTH, ETAG};

use crate::address::percent_encode;
use crate::connection::{Answer, Connection, Redirects};
use crate::etag::Etag;
use crate::shown::shown_address;
use crate::{HubError, HubModel};

/// What the Hub announces about a file before its transfer.
pub(crate) struct Metadata {
    pub(crate) etag: Etag,
    /// In bytes.
    pub(crate) size: u64,
}

impl Connection<'_> {
    /// The address of a file's content.
    pub(crate) fn file_url(&self, model: &HubModel, commit: &str, path: &str) -> String {
        let path = percent_encode(path, "/");
        format!(
            "{}/{}/resolve/{commit}/{path}",
            self.endpoint,
            model.repository()
        )
    }

    /// Requests the size and the entity tag of a file. `path` is relative to the repository.
    pub(crate) fn metadata(
        &self,
        model: &HubModel,
        commit: &str,
        path: &str,
    ) -> Result<Metadata, HubError> {
        let url = self.file_url(model, commit, path);
        self.retry_policy.run(HubError::is_transient, || {
            let answer = self.send(&Method::HEAD, &url, 0, Redirects::WithinHub, None)?;
            self.check_status(&answer, model, Some(path))?;
            self.check_commit(&answer, model, commit)?;
            read(&answer)
        })
    }
}

/// Reads the headers of an answer. If the file is on another server, the Hub sends its size and tag in
/// separate headers.
fn read(answer: &Answer) -> Result<Metadata, HubError> {
    let headers = answer.response.headers();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let missing = |reason: &str| HubError::Response {
        url: shown_address(&answer.address),
        reason: reason.into(),
    };
    let etag = header("x-linked-etag")
        .or_else(|| header(ETAG.as_str()))
        .ok_or_else(|| missing("no entity tag"))?;
    let size = match header("x-linked-size") {
        Some(size) => Some(size),
        // The length of a redirect is not the file's.
        None if answer.response.status().is_redirection() => None,
        None => header(CONTENT_LENGTH.as_str()),
    };
    Ok(Metadata {
        etag: Etag::parse(etag)
            .ok_or_else(|| missing("an entity tag that is not a valid file name"))?,
        size: size
            .and_then(|size| size.parse().ok())
            .ok_or_else(|| missing("no size of the file"))?,
    })
}
