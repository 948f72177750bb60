//! The list of a repository's files, as the Hub sends it.

use std::borrow::Cow;
use std::io::Read;

use serde::Deserialize;
use serde_json::error::Category;
use ureq::http::Method;

use crate::address::{is_safe_path, percent_encode};
use crate::cache::{is_commit, pinned};
use crate::connection::{Answer, Connection, Redirects};
use crate::partial::BLOCK;
use crate::shown::shown;
use crate::{HubError, HubModel};

/// Enough for the list of a repository with hundreds of thousands of files.
const MAX_LIST_BYTES: usize = 32 << 20;

/// Ten times the number of files that the Hub recommends as the most.
const MAX_FILES: usize = 1_000_000;

/// A list is small, so it need not take longer than this many windows of the pace.
const LIST_WINDOWS: u32 = 5;

/// The files of a whole repository.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    /// In the order of the Hub, perhaps with repetitions.
    pub(crate) paths: Vec<String>,
}

impl Connection<'_> {
    /// Requests the files of a model's repository.
    pub(crate) fn list(&self, model: &HubModel) -> Result<Listing, HubError> {
        let repository = model.repository();
        let revision = percent_encode(model.revision(), "");
        let url = format!(
            "{}/api/models/{repository}/revision/{revision}",
            self.endpoint
        );
        // Only errors of a server are worth a pause: without a network, the cache is used at once.
        let is_busy = |error: &HubError| matches!(error, HubError::Status { .. });
        let json = self
            .retry_policy
            .run(is_busy, || self.list_json(model, &url))?;
        let listing = Listing::parse(&json).map_err(|reason| HubError::Response {
            url: shown(&url),
            reason,
        })?;
        // A pinned commit is a promise of what is used, so the server does not choose another one.
        if let Some(expected) = pinned(model.revision())
            && listing.commit != expected
        {
            return Err(HubError::Commit {
                model: model.to_string(),
                expected,
                found: listing.commit,
            });
        }
        match listing.paths.iter().find(|path| !is_safe_path(path)) {
            Some(path) => Err(HubError::UnsafeName {
                model: model.to_string(),
                name: shown(path),
            }),
            None => Ok(listing),
        }
    }

    fn list_json(&self, model: &HubModel, url: &str) -> Result<Vec<u8>, HubError> {
        let time = self.pace.window.saturating_mul(LIST_WINDOWS);
        let mut answer = self.send(&Method::GET, url, 0, Redirects::Everywhere, Some(time))?;
        self.check_status(&answer, model, None)?;
        if let Some(commit) = pinned(model.revision()) {
            self.check_commit(&answer, model, &commit)?;
        }
        self.read_list(&mut answer, url)
    }

    fn read_list(&self, answer: &mut Answer, url: &str) -> Result<Vec<u8>, HubError> {
        let mut body = answer.response.body_mut().as_reader();
        let mut watch = self.pace.start();
        let (mut json, mut block) = (Vec::new(), vec![0; BLOCK]);
        loop {
            let count = body
                .read(&mut block)
                .map_err(|error| HubError::Unreachable {
                    server: shown(self.endpoint),
                    reason: shown(&error.to_string()),
                })?;
            if count == 0 {
                return Ok(json);
            }
            watch.add(count as u64);
            if watch.is_too_slow() {
                return Err(HubError::TooSlow {
                    file: "the list of files".into(),
                    done: json.len() as u64,
                    minimum: self.pace.minimum,
                    window: self.pace.window,
                });
            }
            if json.len() + count > MAX_LIST_BYTES {
                return Err(HubError::Response {
                    url: shown(url),
                    reason: format!("more than {MAX_LIST_BYTES} bytes"),
                });
            }
            json.extend_from_slice(&block[..count]);
        }
    }
}

impl Listing {
    fn parse(json: &[u8]) -> Result<Self, String> {
        let model: Model =
            serde_json::from_slice(json).map_err(|error| match error.classify() {
                Category::Data => format!(
                    "no list of files as a Hub sends it (line {}, column {})",
                    error.line(),
                    error.column()
                ),
                _ => format!("invalid JSON ({error})"),
            })?;
        let files = model.siblings.ok_or("no list of files")?;
        if files.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} files"));
        }
        let commit = model.sha.filter(|commit| is_commit(commit));
        Ok(Self {
            commit: commit.ok_or("no commit")?.into_owned(),
            paths: files
                .into_iter()
                .map(|file| file.rfilename)
                .collect::<Option<_>>()
                .ok_or("a file without a name")?,
        })
    }
}

/// What is read of the Hub's description of a model. Everything else in it is passed over without keeping it.
#[derive(Deserialize)]
struct Model<'a> {
    #[serde(borrow)]
    sha: Option<Cow<'a, str>>,
    siblings: Option<Vec<Sibling>>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn parse(json: &str) -> Result<Listing, String> {
        Listing::parse(json.replace("COMMIT", COMMIT).as_bytes())
    }

    #[test]
    fn a_listing_has_a_commit_and_paths() {
        let json = r#"{"sha": "COMMIT", "siblings": [{"rfilename": "a/b", "size": 1}], "more": 0}"#;
        let listing = parse(json).unwrap();
        assert_eq!(
            (listing.commit.as_str(), &*listing.paths),
            (COMMIT, &["a/b".to_owned()][..])
        );
    }

    #[test]
    fn other_json_is_refused() {
        for (json, reason) in [
            ("<html>", "invalid JSON"),
            ("[]", "no list of files"),
            (r#"{"sha": "COMMIT"}"#, "no list of files"),
            (r#"{"sha": "COMMIT", "siblings": 1}"#, "no list of files"),
            (r#"{"siblings": []}"#, "no commit"),
            (r#"{"sha": null, "siblings": []}"#, "no commit"),
            (r#"{"sha": "main", "siblings": []}"#, "no commit"),
            (
                r#"{"sha": "../../../../../../../../../../../../../x", "siblings": []}"#,
                "no commit",
            ),
            (
                r#"{"sha": "COMMIT", "siblings": [{"name": "a"}]}"#,
                "a file without a name",
            ),
        ] {
            let error = parse(json).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }

    #[test]
    fn memory_is_proportionate_to_the_list() {
        let names = |count: usize| {
            let names = (0..count).map(|number| format!(r#"{{"rfilename":"a/{number:07}"}}"#));
            names.collect::<Vec<_>>().join(",")
        };
        let nested = "[".repeat(100) + &"]".repeat(100);
        let other = vec![nested; 5_000].join(",");
        for json in [
            format!(r#"{{"sha":"{COMMIT}","siblings":[{}]}}"#, names(40_000)),
            // Whatever else an answer has is not kept.
            format!(
                r#"{{"config":[{other}],"sha":"{COMMIT}","siblings":[{{"more":[{other}],"rfilename":"a"}}]}}"#
            ),
            format!(r#"{{"sha":"{}","siblings":[]}}"#, "a".repeat(1 << 20)),
        ] {
            let allocated = allocation_counter::measure(|| drop(Listing::parse(json.as_bytes())));
            let most = 4 * json.len() as u64 + (64 << 10);
            assert!(
                allocated.bytes_max < most,
                "{} of {}",
                allocated.bytes_max,
                json.len()
            );
        }
    }

    #[test]
    fn more_files_than_any_repository_has_are_refused() {
        let files = vec!["{}"; MAX_FILES + 1].join(",");
        let error = parse(&format!(r#"{{"sha": "COMMIT", "siblings": [{files}]}}"#)).unwrap_err();
        assert!(error.contains("more than 1000000 files"), "{error}");
    }
}
