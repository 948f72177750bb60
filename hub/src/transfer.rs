use std::io::Read;
use std::time::Instant;

use ureq::http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use ureq::http::{HeaderName, Method, StatusCode};

use crate::connection::{Answer, Connection, Redirects};
use crate::pace::Watch;
use crate::partial::{BLOCK, PartialFile};
use crate::shown::shown;
use crate::{HubError, HubModel};

/// A file to transfer.
pub(crate) struct Transfer<'a> {
    pub(crate) connection: &'a Connection<'a>,
    pub(crate) model: &'a HubModel,
    pub(crate) commit: &'a str,
    /// The path of the file, relative to the repository.
    pub(crate) path: &'a str,
    pub(crate) url: &'a str,
}

impl Transfer<'_> {
    /// Transfers the rest of a file. A transfer that breaks off is continued, until some attempts in a row
    /// have made no progress.
    ///
    /// # Errors
    /// [`HubError::TooSlow`] if too few bytes arrived in a window of the pace, over all attempts.
    /// [`HubError::Size`] if the server's file has another size, so that the transferred part is useless.
    /// Another [`HubError`] if the last attempt failed.
    pub(crate) fn run(
        &self,
        partial: &mut PartialFile,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), HubError> {
        let policy = self.connection.retry_policy;
        let mut retries = policy.start();
        let mut furthest = partial.length();
        let mut watch = self.connection.pace.start();
        progress(furthest);
        while partial.length() < partial.size() {
            let attempt = self.attempt(partial, &mut watch, progress);
            if partial.length() > furthest {
                furthest = partial.length();
                retries = policy.start();
            }
            if let Err(error) = attempt {
                retries.pause_after(error)?;
                self.check_pace(partial, &mut watch)?;
            }
        }
        Ok(())
    }

    /// Sends one request for the rest of the file, and reads the answer.
    fn attempt(
        &self,
        partial: &mut PartialFile,
        watch: &mut Watch,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), HubError> {
        // The addresses of the storage servers expire, so the Hub is asked for a new one each time.
        let start = partial.length();
        // The framing of a body may be endless even if its content is not. A server without ranges sends it all again.
        let body_time = self.connection.pace.longest(partial.size());
        let redirects = Redirects::Everywhere;
        let begin = Instant::now();
        let send = self
            .connection
            .send(&Method::GET, self.url, start, redirects, body_time);
        watch.leave_out(begin.elapsed());
        let mut answer = send?;
        self.connection
            .check_commit(&answer, self.model, self.commit)?;
        if !self.continues(&answer, partial)? {
            partial.restart()?;
            progress(0);
            if answer.response.status() != StatusCode::OK {
                return Err(
                    self.interrupted(partial, "the server can't continue the transfer".into())
                );
            }
        }
        let mut body = answer.response.body_mut().as_reader();
        let mut block = vec![0; BLOCK];
        while partial.length() < partial.size() {
            let begin = Instant::now();
            let count = body.read(&mut block).map_err(|error| {
                watch.leave_out(begin.elapsed());
                self.interrupted(partial, error.to_string())
            })?;
            watch.add(count as u64);
            if count == 0 {
                return Err(self.interrupted(partial, "the answer ended early".into()));
            }
            let length = partial.length() + count as u64;
            self.check_size(partial, length.max(partial.size()))?;
            partial.append(&block[..count])?;
            progress(length);
            if length < partial.size() {
                self.check_pace(partial, watch)?;
            }
        }
        Ok(())
    }

    /// Whether the answer begins where the transferred part ends.
    fn continues(&self, answer: &Answer, partial: &PartialFile) -> Result<bool, HubError> {
        let header = |name: HeaderName| answer.response.headers().get(name)?.to_str().ok();
        match answer.response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let Some((start, size)) = header(CONTENT_RANGE).and_then(content_range) else {
                    return Ok(false);
                };
                self.check_size(partial, size.unwrap_or(partial.size()))?;
                Ok(start == partial.length())
            }
            StatusCode::OK => {
                let size = header(CONTENT_LENGTH).and_then(|length| length.parse().ok());
                self.check_size(partial, size.unwrap_or(partial.size()))?;
                Ok(partial.length() == 0)
            }
            StatusCode::RANGE_NOT_SATISFIABLE if partial.length() > 0 => Ok(false),
            _ => {
                self.connection
                    .check_status(answer, self.model, Some(self.path))?;
                Err(self.interrupted(partial, format!("HTTP {}", answer.response.status())))
            }
        }
    }

    fn check_size(&self, partial: &PartialFile, found: u64) -> Result<(), HubError> {
        if found == partial.size() {
            return Ok(());
        }
        Err(HubError::Size {
            file: self.path.into(),
            expected: partial.size(),
            found,
        })
    }

    fn check_pace(&self, partial: &PartialFile, watch: &mut Watch) -> Result<(), HubError> {
        let pace = self.connection.pace;
        match watch.is_too_slow() {
            true => Err(HubError::TooSlow {
                file: self.path.into(),
                done: partial.length(),
                minimum: pace.minimum,
                window: pace.window,
            }),
            false => Ok(()),
        }
    }

    fn interrupted(&self, partial: &PartialFile, reason: String) -> HubError {
        HubError::Interrupted {
            file: self.path.into(),
            done: partial.length(),
            size: partial.size(),
            reason: shown(&reason),
        }
    }
}

/// The first byte and, if it is known, the size of the whole file, in a header such as `bytes 5-9/10` or
/// `bytes 5-9/*`.
fn content_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, size) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.parse().ok()?;
    match size {
        "*" => Some((start, None)),
        size => Some((start, Some(size.parse().ok()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_range_has_a_start_and_perhaps_a_size() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, Some(10))));
        assert_eq!(content_range("bytes 5-9/*"), Some((5, None)));
        for header in [
            "",
            "bytes */10",
            "bytes 5/10",
            "bytes -5-9/10",
            "items 5-9/10",
            "bytes 5-9/x",
        ] {
            assert_eq!(content_range(header), None, "{header}");
        }
    }
}
