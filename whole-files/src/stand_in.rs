use std::fmt;

/// Something that is often found in place of a file, because a download did not bring the file itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StandIn {
    /// The pointer that Git stores for a file in Git LFS, where `git lfs pull` was not run.
    GitLfsPointer,
    /// A web page, for example of a login or an error.
    WebPage,
}

impl StandIn {
    /// Recognises a stand-in by its first bytes; 64 are enough.
    ///
    /// ```
    /// use whole_files::StandIn;
    ///
    /// let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d2\n";
    /// assert_eq!(StandIn::recognise(pointer), Some(StandIn::GitLfsPointer));
    /// assert_eq!(StandIn::recognise(b"{}"), None);
    /// ```
    pub fn recognise(start: &[u8]) -> Option<Self> {
        const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
        const PAGES: [&[u8]; 2] = [b"<!doctype html", b"<html"];
        if start.starts_with(POINTER) {
            return Some(Self::GitLfsPointer);
        }
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let start = start.trim_ascii_start();
        PAGES
            .iter()
            .any(|page| {
                start
                    .get(..page.len())
                    .is_some_and(|tag| tag.eq_ignore_ascii_case(page))
            })
            .then_some(Self::WebPage)
    }
}

impl fmt::Display for StandIn {
    /// What it is and what to do, to be put after "is" in a message.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::GitLfsPointer => {
                "a Git LFS pointer instead of the file itself; run `git lfs pull` in its repository, or download the file again"
            }
            Self::WebPage => "a web page instead of the file itself; download the file again",
        })
    }
}
