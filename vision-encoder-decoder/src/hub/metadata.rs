use ureq::http::Method;
use ureq::http::header::{CONTENT_LENGTH, ETAG};

use super::address::{percent_encode, without_query};
use super::connection::{Answer, Connection, Redirects};
use super::etag::Etag;
use super::{HubError, HubModel};

/// What the Hub says about a file before it is transferred.
pub(super) struct Metadata {
    pub(super) etag: Etag,
    /// In bytes.
    pub(super) size: u64,
}

impl Connection<'_> {
    /// The address of a file's content.
    pub(super) fn file_url(&self, model: &HubModel, commit: &str, path: &str) -> String {
        let path = percent_encode(path, "/");
        format!(
            "{}/{}/resolve/{commit}/{path}",
            self.endpoint,
            model.repository()
        )
    }

    /// Asks for size and entity tag of a file; `path` is relative to the repository.
    pub(super) fn metadata(
        &self,
        model: &HubModel,
        commit: &str,
        path: &str,
    ) -> Result<Metadata, HubError> {
        let url = self.file_url(model, commit, path);
        self.retry_policy.run(HubError::is_transient, || {
            let answer = self.send(&Method::HEAD, &url, 0, Redirects::WithinHub)?;
            self.check_status(&answer, model, Some(path))?;
            read(&answer)
        })
    }
}

/// A file that another server holds has its own size and tag in headers of the Hub.
fn read(answer: &Answer) -> Result<Metadata, HubError> {
    let headers = answer.response.headers();
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let missing = |reason: &str| HubError::Response {
        url: without_query(&answer.address),
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
        etag: Etag::parse(etag).ok_or_else(|| missing("an entity tag that is no file name"))?,
        size: size
            .and_then(|size| size.parse().ok())
            .ok_or_else(|| missing("no size of the file"))?,
    })
}
