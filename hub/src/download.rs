use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::RepositoryCache;
use crate::client::Hub;
use crate::connection::Connection;
use crate::metadata::Metadata;
use crate::partial::PartialFile;
use crate::space::check_space;
use crate::transfer::Transfer;
use crate::{HubError, HubModel, Progress, Snapshot};

impl Hub {
    /// Downloads the files of a model that `select` chooses, unless they are in the cache, and returns the
    /// folder with the files. `select` is called with the names of the model's files. It returns those to
    /// download, or an error that says what is missing.
    ///
    /// `progress` is called often during transfers. If nothing has to be transferred, it is called only with
    /// [`Progress::FromCache`], where the cache is used because the Hub is not available.
    ///
    /// # Errors
    /// [`HubError::Files`] with the error of `select`. Another [`HubError`] if there is no such repository,
    /// revision, subfolder or file, if access is denied or the network fails, if the content does not have
    /// the announced size or hash, or if the cache can't be written.
    pub fn fetch<E>(
        &self,
        model: &HubModel,
        select: impl FnOnce(&[String]) -> Result<Vec<String>, E>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, HubError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let snapshot = self.files(model)?;
        match select(snapshot.files()) {
            Ok(files) => self.download(&snapshot, &files, progress),
            Err(error) => Err(snapshot.explain(error.into(), self.cache_folder())),
        }
    }

    /// Downloads files of a model, unless they are in the cache, and returns the folder with the files: the
    /// model's subfolder at the commit of the snapshot. `files` are names from [`Snapshot::files`].
    ///
    /// `progress` is called often during transfers. If nothing has to be transferred, it is called only with
    /// [`Progress::FromCache`], where the cache is used because the Hub is not available.
    ///
    /// # Errors
    /// [`HubError`] if there is no such file, if access is denied or the network fails, if the content does
    /// not have the announced size or hash, or if the cache can't be written. Complete files stay in the
    /// cache. The next call continues an incomplete file, unless its content was wrong.
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
        let is_listed = |file: &String| snapshot.files().binary_search(file).is_ok();
        if let Some(file) = files.iter().find(|file| !is_listed(file)) {
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
            // Recorded last: until this commit is complete, the one before it is used offline.
            let recorded = cache.record(model.revision(), commit);
            // If the cache has all files, it may belong to a user whose files this one can't write.
            if !missing.is_empty() {
                recorded?;
            }
        } else if let Some(file) = missing.first() {
            return Err(absent(file));
        }
        if let Some(reason) = snapshot.unavailable() {
            progress(Progress::FromCache {
                model,
                commit,
                reason,
            });
        }
        Ok(folder)
    }
}

/// The source and the destination of files.
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
        let mut sizes = metadata.iter().map(|metadata| metadata.size);
        let total = sizes.try_fold(0, u64::checked_add);
        let total = total.ok_or_else(|| HubError::Response {
            url: self.model.to_string(),
            reason: "file sizes whose sum is too large".into(),
        })?;
        // Files with the same content are kept once.
        let contents: HashMap<&str, &Metadata> = metadata
            .iter()
            .map(|one| (one.etag.as_str(), one))
            .collect();
        let left = contents.values().map(|metadata| self.left(metadata));
        check_space(self.cache.folder(), left.fold(0, u64::saturating_add))?;
        let mut before = 0;
        for (file, metadata) in files.iter().zip(&metadata) {
            let mut report = |done| {
                progress(Progress::Transfer {
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

    /// The bytes of a file that are not in the cache.
    fn left(&self, Metadata { etag, size }: &Metadata) -> u64 {
        if has_size(&self.cache.blob(etag), *size) {
            return 0;
        }
        let incomplete = fs::symlink_metadata(self.cache.incomplete(etag));
        size.saturating_sub(incomplete.map_or(0, |incomplete| incomplete.len()))
    }

    /// Downloads one file, unless its content is in the cache, and publishes it in the snapshot. `path` is
    /// relative to the repository.
    fn fetch(
        &self,
        path: &str,
        metadata: &Metadata,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), HubError> {
        let Metadata { etag, size } = metadata;
        let blob = self.cache.blob(etag);
        self.cache.create_blobs(etag)?;
        let _lock = self.cache.lock(etag)?;
        // The same content may have been downloaded for another file or revision, or by another process.
        if !has_size(&blob, *size) {
            let mut partial = PartialFile::open(self.cache.incomplete(etag), etag, *size)?;
            let transfer = Transfer {
                connection: self.connection,
                model: self.model,
                commit: self.commit,
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

/// Whether a content is complete. A link in its place is not a content.
fn has_size(path: &Path, size: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == size)
}
