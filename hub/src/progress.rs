/// The progress of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The file that is being transferred, relative to the model's folder.
    pub file: &'a str,
    /// Bytes that have been transferred, of all files of this download that were not in the cache. It
    /// decreases when the transfer of a file has to start again.
    pub done: u64,
    /// Bytes of all files of this download that were not in the cache.
    pub total: u64,
}
