use std::fs;
use std::path::{Path, PathBuf};

use super::cache::RepositoryCache;
use super::client::Hub;
use super::connection::Connection;
use super::metadata::Metadata;
use super::partial::PartialFile;
use super::transfer::Transfer;
use super::{HubError, HubModel, Progress, Snapshot};

impl Hub {
    /// Downloads files of a model where the cache lacks them, and returns the folder that they are
    /// in: the model's subfolder at that commit. `files` are names of [`Snapshot::files`].
    ///
    /// `progress` is called often while something is transferred, and never if nothing is.
    ///
    /// # Errors
    /// [`HubError`], naming the file. What is complete by then stays; what is not continues when the
    /// same is asked for again, unless its content was wrong.
    pub fn download(
        &self,
        snapshot: &Snapshot,
        files: &[String],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, HubError> {
        let model = snapshot.model();
        let absent = |file: &str| HubError::NoFile {
            model: model.to_string(),
            file: file.into(),
        };
        if let Some(file) = files.iter().find(|file| !snapshot.files().contains(file)) {
            return Err(absent(file));
        }
        let cache = RepositoryCache::new(self.cache_folder(), model);
        let commit = snapshot.commit();
        let mut folder = cache.snapshot(commit);
        folder.extend(model.subfolder());
        let missing: Vec<&String> = files
            .iter()
            .filter(|file| !folder.join(file).is_file())
            .collect();
        if snapshot.is_from_hub() {
            let connection = self.connection();
            let download = Download {
                connection: &connection,
                cache: &cache,
                model,
                commit,
            };
            download.run(&missing, progress)?;
            // Last, so that what was complete before stays in use offline until this is.
            let recorded = cache.record(model.revision(), commit);
            // A cache that lacks nothing may be one that this user can't write to.
            if !missing.is_empty() {
                recorded?;
            }
        } else if let Some(file) = missing.first() {
            return Err(absent(file));
        }
        Ok(folder)
    }
}

/// Where files come from and where they go.
struct Download<'a> {
    connection: &'a Connection<'a>,
    cache: &'a RepositoryCache,
    model: &'a HubModel,
    commit: &'a str,
}

impl Download<'_> {
    fn run(
        &self,
        files: &[&String],
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), HubError> {
        let metadata = files
            .iter()
            .map(|file| {
                self.connection
                    .metadata(self.model, self.commit, &self.model.path_of(file))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sizes = metadata.iter().map(|metadata| metadata.size);
        let total = sizes.clone().try_fold(0, u64::checked_add);
        let total = total.ok_or_else(|| HubError::Response {
            url: self.model.to_string(),
            reason: format!("no files have these sizes: {:?}", sizes.collect::<Vec<_>>()),
        })?;
        let mut before = 0;
        for (file, metadata) in files.iter().zip(&metadata) {
            let mut report = |done| {
                progress(Progress {
                    file,
                    done: before + done,
                    total,
                });
            };
            self.fetch(&self.model.path_of(file), metadata, &mut report)?;
            before += metadata.size;
        }
        Ok(())
    }

    /// Makes one file visible, whose path is relative to the repository.
    fn fetch(
        &self,
        path: &str,
        metadata: &Metadata,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), HubError> {
        let Metadata { etag, size } = metadata;
        let blob = self.cache.blob(etag);
        let _lock = self.cache.lock(etag)?;
        // Another file, revision or process may have brought the same content.
        if !has_size(&blob, *size) {
            let mut partial = PartialFile::open(self.cache.incomplete(etag), etag, *size)?;
            let transfer = Transfer {
                connection: self.connection,
                model: self.model,
                path,
                url: &self.connection.file_url(self.model, self.commit, path),
            };
            match transfer.run(&mut partial, progress) {
                Err(error @ HubError::Size { .. }) => {
                    partial.delete()?;
                    return Err(error);
                }
                result => result?,
            }
            partial.finish(path, &blob)?;
        }
        progress(*size);
        self.cache.publish(etag, self.commit, path)
    }
}

fn has_size(path: &Path, size: u64) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == size)
}
