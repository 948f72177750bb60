use std::error::Error;
use std::fs;
use std::path::Path;

use serde_json::Value;
use ureq::http::Method;

use crate::address::{is_safe_path, percent_encode};
use crate::cache::{RepositoryCache, is_commit};
use crate::client::Hub;
use crate::connection::{Connection, Redirects};
use crate::{HubError, HubModel};

/// Enough for the list of a repository with hundreds of thousands of files.
const MAX_LIST_BYTES: u64 = 32 << 20;

/// The files of a model at one commit.
#[derive(Debug)]
pub struct Snapshot {
    model: HubModel,
    commit: String,
    files: Vec<String>,
    source: Source,
}

/// Where the list of files comes from.
#[derive(Debug)]
enum Source {
    Hub,
    /// The cache, because of an error or because the network must not be used.
    Cache(Option<HubError>),
}

impl Snapshot {
    /// The model.
    pub fn model(&self) -> &HubModel {
        &self.model
    }

    /// The commit of the revision.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The files in the model's subfolder, or in the whole repository if the model has no subfolder. The
    /// paths are relative to that folder and in alphabetical order.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// Whether the list comes from the Hub, so that the files can be downloaded.
    pub(crate) fn is_from_hub(&self) -> bool {
        matches!(self.source, Source::Hub)
    }

    /// The error for files that do not suffice. If the list comes from the cache, the Hub may have more.
    pub(crate) fn explain(
        self,
        error: Box<dyn Error + Send + Sync>,
        cache_folder: &Path,
    ) -> HubError {
        match self.source {
            Source::Hub => HubError::Files {
                model: self.model.to_string(),
                source: error,
            },
            Source::Cache(Some(cause)) => cause,
            Source::Cache(None) => HubError::NotCached {
                model: self.model.to_string(),
                cache: cache_folder.into(),
                reason: error.to_string(),
            },
        }
    }
}

impl Hub {
    /// Lists the files of a model.
    ///
    /// Without the network, or if the Hub can't be reached or denies access, these are the files in the
    /// cache, of the last known commit of the revision.
    ///
    /// # Errors
    /// [`HubError`] if there is no such repository, revision or subfolder, if access is denied or the network
    /// fails and the cache has no files of the model.
    pub fn files(&self, model: &HubModel) -> Result<Snapshot, HubError> {
        if self.is_offline() {
            return self.cached(model, None);
        }
        match self.connection().list(model) {
            Ok(listing) => listing.snapshot(model, Source::Hub),
            Err(error) if error.allows_cache() => self.cached(model, Some(error)),
            Err(error) => Err(error),
        }
    }

    /// The files in the cache.
    fn cached(&self, model: &HubModel, cause: Option<HubError>) -> Result<Snapshot, HubError> {
        let cache = RepositoryCache::new(self.cache_folder(), model);
        let mut paths = Vec::new();
        let commit = cache.commit(model.revision());
        if let Some(commit) = &commit {
            walk(&cache.snapshot(commit), "", &mut paths);
        }
        match (commit, cause) {
            (Some(commit), cause) if !paths.is_empty() => {
                Listing { commit, paths }.snapshot(model, Source::Cache(cause))
            }
            (_, Some(cause)) => Err(cause),
            (_, None) => Err(HubError::NotCached {
                model: model.to_string(),
                cache: self.cache_folder().into(),
                reason: "it was never downloaded".into(),
            }),
        }
    }
}

impl Connection<'_> {
    fn list(&self, model: &HubModel) -> Result<Listing, HubError> {
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
        let listing = Listing::parse(&json).map_err(|reason| HubError::Response { url, reason })?;
        match listing.paths.iter().find(|path| !is_safe_path(path)) {
            Some(path) => Err(HubError::UnsafeName {
                model: model.to_string(),
                name: path.clone(),
            }),
            None => Ok(listing),
        }
    }

    fn list_json(&self, model: &HubModel, url: &str) -> Result<Vec<u8>, HubError> {
        let mut answer = self.send(&Method::GET, url, 0, Redirects::Everywhere)?;
        self.check_status(&answer, model, None)?;
        let body = answer.response.body_mut().with_config();
        body.limit(MAX_LIST_BYTES)
            .read_to_vec()
            .map_err(|error| match error {
                ureq::Error::BodyExceedsLimit(limit) => HubError::Response {
                    url: url.into(),
                    reason: format!("more than {limit} bytes"),
                },
                other => HubError::Unreachable {
                    server: self.endpoint.into(),
                    reason: other.to_string(),
                },
            })
    }
}

/// The files of a whole repository.
#[derive(Debug, PartialEq, Eq)]
struct Listing {
    commit: String,
    paths: Vec<String>,
}

impl Listing {
    fn parse(json: &[u8]) -> Result<Self, String> {
        let json: Value =
            serde_json::from_slice(json).map_err(|e| format!("invalid JSON ({e})"))?;
        let commit = json["sha"].as_str().filter(|commit| is_commit(commit));
        let files = json["siblings"].as_array().ok_or("no list of files")?;
        let path = |file: &Value| Some(file["rfilename"].as_str()?.to_owned());
        Ok(Self {
            commit: commit.ok_or("no commit")?.into(),
            paths: files
                .iter()
                .map(path)
                .collect::<Option<_>>()
                .ok_or("a file without a name")?,
        })
    }

    /// Restricts the list to the model's subfolder.
    fn snapshot(self, model: &HubModel, source: Source) -> Result<Snapshot, HubError> {
        let prefix = model.path_of("");
        let mut files: Vec<String> = self
            .paths
            .iter()
            .filter_map(|path| path.strip_prefix(&prefix))
            .map(Into::into)
            .collect();
        files.sort_unstable();
        let snapshot = Snapshot {
            model: model.clone(),
            commit: self.commit,
            files,
            source,
        };
        match model.subfolder() {
            Some(subfolder) if snapshot.files.is_empty() && snapshot.is_from_hub() => {
                Err(HubError::NoFile {
                    model: format!("{}@{}", model.repository(), model.revision()),
                    file: format!("folder {subfolder}"),
                })
            }
            _ => Ok(snapshot),
        }
    }
}

/// Adds the files below a folder, as slash-separated paths. Folders that can't be read are skipped.
fn walk(folder: &Path, prefix: &str, paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{prefix}{name}");
        // In a snapshot, files are links and folders are not. A link to a folder could lead anywhere.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(&entry.path(), &format!("{path}/"), paths);
        } else if entry.path().is_file() {
            paths.push(path);
        }
    }
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
            (r#"{"siblings": []}"#, "no commit"),
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
    fn a_subfolder_is_cut_off_and_restricts_the_list() {
        let listing = |model: &str| {
            let listing = Listing {
                commit: COMMIT.into(),
                paths: ["b/c", "a", "b/a/d", "bc/e"].map(Into::into).into(),
            };
            listing.snapshot(&model.parse().unwrap(), Source::Hub)
        };
        assert_eq!(
            listing("o/n").unwrap().files(),
            ["a", "b/a/d", "b/c", "bc/e"]
        );
        assert_eq!(listing("o/n:b").unwrap().files(), ["a/d", "c"]);
        let error = listing("o/n:nowhere").unwrap_err().to_string();
        assert!(error.contains("o/n@main has no folder nowhere"), "{error}");
    }
}
