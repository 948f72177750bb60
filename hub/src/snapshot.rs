use std::error::Error;
use std::fs;
use std::path::Path;

use crate::cache::RepositoryCache;
use crate::client::Hub;
use crate::listing::Listing;
use crate::{HubError, HubModel};

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

    /// Why the Hub was not used, if it was asked.
    pub(crate) fn unavailable(&self) -> Option<&HubError> {
        match &self.source {
            Source::Cache(reason) => reason.as_ref(),
            Source::Hub => None,
        }
    }

    /// The files of a repository that are in the model's subfolder.
    fn new(listing: Listing, model: &HubModel, source: Source) -> Result<Self, HubError> {
        let prefix = model.path_of("");
        let mut files = listing.paths;
        if !prefix.is_empty() {
            let inside = |path: String| path.strip_prefix(&prefix).map(Into::into);
            files = files.into_iter().filter_map(inside).collect();
        }
        files.sort_unstable();
        files.dedup();
        let snapshot = Self {
            model: model.clone(),
            commit: listing.commit,
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
    /// cache, of the last known commit of the revision. [`Hub::download`] then says so.
    ///
    /// # Errors
    /// [`HubError`] if there is no such repository, revision or subfolder, if access is denied or the network
    /// fails and the cache has no files of the model. [`HubError::Commit`] if the revision is a commit and the Hub
    /// answers with another one.
    pub fn files(&self, model: &HubModel) -> Result<Snapshot, HubError> {
        if self.is_offline() {
            return self.cached(model, None);
        }
        match self.connection().list(model) {
            Ok(listing) => Snapshot::new(listing, model, Source::Hub),
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
                Snapshot::new(Listing { commit, paths }, model, Source::Cache(cause))
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

    #[test]
    fn a_subfolder_is_cut_off_and_restricts_the_list() {
        let listing = |model: &str| {
            let listing = Listing {
                commit: "0".repeat(40),
                paths: ["b/c", "a", "b/a/d", "bc/e", "a"].map(Into::into).into(),
            };
            Snapshot::new(listing, &model.parse().unwrap(), Source::Hub)
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
