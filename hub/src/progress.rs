use crate::{HubError, HubModel};

/// What a download has to tell while it runs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// Some bytes have been transferred.
    #[non_exhaustive]
    Transfer {
        /// The file that is being transferred, relative to the model's folder.
        file: &'a str,
        /// Bytes that have been transferred, of all files of this download that were not in the cache. It decreases
        /// when the transfer of a file has to start again.
        done: u64,
        /// Bytes of all files of this download that were not in the cache.
        total: u64,
    },
    /// The files in the cache are used, although the network was not forbidden: the Hub can't be reached or refuses
    /// access. They may be older than the revision is now.
    #[non_exhaustive]
    FromCache {
        /// The model.
        model: &'a HubModel,
        /// The commit whose files are used.
        commit: &'a str,
        /// Why the Hub was not used.
        reason: &'a HubError,
    },
}
