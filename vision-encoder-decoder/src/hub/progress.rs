/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The file that is being transferred, relative to the model's folder.
    pub file: &'a str,
    /// Bytes that are here, of all files of this download that the cache lacked. It falls when a
    /// file has to be started again.
    pub done: u64,
    /// Bytes of all these files.
    pub total: u64,
}
