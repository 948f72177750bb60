use std::fmt;
use std::str::FromStr;

use crate::HubError;
use crate::address::is_safe_path;
use crate::shown::shown;
use crate::web_address;

/// The name of a model on the Hub: a repository, optionally with a revision and a subfolder.
///
/// As text it is `owner/name[@revision][:subfolder]`, for example
/// `flax-community/clip-vit-base-patch32_mbart-large-50:ckpt-51999` or `owner/name@refs/pr/1`. All parts are
/// checked, so that they are safe in paths and addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HubModel {
    repository: String,
    revision: Option<String>,
    subfolder: Option<String>,
}

impl HubModel {
    /// The repository `owner/name`, at the newest commit of its branch `main`.
    ///
    /// # Errors
    /// [`HubError::Name`] if the Hub does not allow the name: both parts consist of ASCII letters, digits,
    /// `.`, `_` and `-`, with some restrictions.
    pub fn new(repository: impl Into<String>) -> Result<Self, HubError> {
        let repository = repository.into();
        match repository_problem(&repository) {
            Some(reason) => Err(name_error(repository, reason)),
            None => Ok(Self {
                repository,
                revision: None,
                subfolder: None,
            }),
        }
    }

    /// Selects a revision: a branch, a tag or a commit. It may contain slashes.
    ///
    /// # Errors
    /// [`HubError::Name`] if git does not allow the name of the revision.
    pub fn with_revision(mut self, revision: impl Into<String>) -> Result<Self, HubError> {
        let revision = revision.into();
        if !is_reference(&revision) {
            return Err(name_error(
                revision,
                "git does not allow this name of a revision",
            ));
        }
        self.revision = Some(revision);
        Ok(self)
    }

    /// Selects a folder of the repository. It may contain slashes.
    ///
    /// # Errors
    /// [`HubError::Name`] if it is not a relative path, or leads out of the repository.
    pub fn with_subfolder(mut self, subfolder: impl Into<String>) -> Result<Self, HubError> {
        let subfolder = subfolder.into();
        if !is_safe_path(&subfolder) {
            let reason = "the subfolder has to be a relative path without `.` and `..`";
            return Err(name_error(subfolder, reason));
        }
        self.subfolder = Some(subfolder);
        Ok(self)
    }

    /// Whether a text looks like the name of a model on the Hub rather than a path: it is an address, such as
    /// `https://huggingface.co/owner/name` or `hf.co/owner/name`, or there is exactly one slash before the first `@` or `:`, the text does not begin like a path (with `.`, `/` or `~`), and it
    /// has no backslash.
    ///
    /// `models/mine` looks like a name but may also be a folder, so look in the file system first. A text
    /// that looks like a name may still be invalid; parsing it returns the reason.
    pub fn looks_like(text: &str) -> bool {
        if web_address::parse(text, None).is_some() {
            return true;
        }
        let repository = split_repository(text).0;
        !text.starts_with(['.', '/', '~'])
            && !text.contains('\\')
            && repository.split_once('/').is_some_and(|(owner, name)| {
                !owner.is_empty() && !name.is_empty() && !name.contains('/')
            })
    }

    /// A text that a user gave as a name, as messages may repeat it: an address without its user and password, and a very
    /// long text cut.
    ///
    /// ```
    /// let address = "https://user:secret@huggingface.co/owner/name";
    /// assert_eq!(hub::HubModel::shown(address), "https://***@huggingface.co/owner/name");
    /// ```
    pub fn shown(text: &str) -> String {
        shown(text)
    }

    /// `owner/name`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The branch, tag or commit; `main` if none was selected.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }

    /// The folder in the repository, if one was selected.
    pub fn subfolder(&self) -> Option<&str> {
        self.subfolder.as_deref()
    }

    /// The path of a file of the subfolder, relative to the repository.
    pub(crate) fn path_of(&self, file: &str) -> String {
        match &self.subfolder {
            Some(subfolder) => format!("{subfolder}/{file}"),
            None => file.into(),
        }
    }
}

impl FromStr for HubModel {
    type Err = HubError;

    /// Parses a name, or the address of a page of the model on <https://huggingface.co>. [`Hub::model`] knows the
    /// addresses of other servers.
    ///
    /// [`Hub::model`]: crate::Hub::model
    fn from_str(text: &str) -> Result<Self, HubError> {
        match web_address::parse(text, None) {
            Some(model) => model,
            None => Self::from_name(text),
        }
    }
}

impl HubModel {
    /// Parses a name that is not an address.
    pub(crate) fn from_name(text: &str) -> Result<Self, HubError> {
        let (repository, rest) = split_repository(text);
        let (revision, subfolder) = match rest.strip_prefix('@') {
            Some(rest) => match rest.split_once(':') {
                Some((revision, subfolder)) => (Some(revision), Some(subfolder)),
                None => (Some(rest), None),
            },
            None => (None, rest.strip_prefix(':')),
        };
        let parse = || {
            let mut model = Self::new(repository)?;
            if let Some(revision) = revision {
                model = model.with_revision(revision)?;
            }
            if let Some(subfolder) = subfolder {
                model = model.with_subfolder(subfolder)?;
            }
            Ok(model)
        };
        parse().map_err(|error| match error {
            // Report the whole text, which the user wrote, instead of a part.
            HubError::Name { reason, .. } => name_error(text.into(), reason),
            other => other,
        })
    }
}

impl fmt::Display for HubModel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.repository)?;
        if let Some(revision) = &self.revision {
            write!(formatter, "@{revision}")?;
        }
        if let Some(subfolder) = &self.subfolder {
            write!(formatter, ":{subfolder}")?;
        }
        Ok(())
    }
}

fn name_error(text: String, reason: &'static str) -> HubError {
    HubError::Name {
        text: shown(&text),
        reason,
    }
}

/// The text before the first `@` or `:`, and the rest.
fn split_repository(text: &str) -> (&str, &str) {
    text.split_at(text.find(['@', ':']).unwrap_or(text.len()))
}

/// Which rule of the Hub a repository's name violates, if any. `--` is forbidden because it separates owner
/// and name in the cache.
fn repository_problem(repository: &str) -> Option<&'static str> {
    let Some((owner, name)) = repository.split_once('/') else {
        return Some("there is no slash between owner and name");
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    for part in [owner, name] {
        if part.is_empty() || !part.chars().all(allowed) {
            return Some("owner and name consist of ASCII letters, digits, `.`, `_` and `-`");
        }
        if part.starts_with(['.', '-']) || part.ends_with(['.', '-']) {
            return Some("owner and name neither begin nor end with `.` or `-`");
        }
        if part.contains("..") || part.contains("--") || part.ends_with(".git") {
            return Some(
                "owner and name contain neither `..` nor `--`, and do not end with `.git`",
            );
        }
        if part.len() > 96 {
            return Some("owner and name have at most 96 characters each");
        }
    }
    None
}

/// Whether `git check-ref-format` allows a name and it is safe as a path.
fn is_reference(revision: &str) -> bool {
    is_safe_path(revision)
        && revision.len() <= 255
        && !revision.contains("..")
        && !revision.contains(|c: char| c.is_whitespace() || "~^:?*[".contains(c))
        && !revision.split('/').any(|part| part.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, Option<String>) {
        let model: HubModel = text.parse().unwrap();
        assert_eq!(model.to_string(), text);
        let subfolder = model.subfolder().map(Into::into);
        (
            model.repository().into(),
            model.revision().into(),
            subfolder,
        )
    }

    #[test]
    fn names_are_split_into_repository_revision_and_subfolder() {
        let expect = |text, repository: &str, revision: &str, subfolder: Option<&str>| {
            let expected = (
                repository.into(),
                revision.into(),
                subfolder.map(Into::into),
            );
            assert_eq!(parts(text), expected, "{text}");
        };
        expect("owner/name", "owner/name", "main", None);
        expect("a.b/c_d-e.1@v1.0", "a.b/c_d-e.1", "v1.0", None);
        expect("o/n@refs/pr/1:a/b", "o/n", "refs/pr/1", Some("a/b"));
        expect("o/n:ckpt-51999", "o/n", "main", Some("ckpt-51999"));
        expect("o/n:a@b", "o/n", "main", Some("a@b"));
    }

    #[test]
    fn invalid_names_are_refused_with_the_whole_text() {
        for text in [
            "",
            "name",
            "/name",
            "owner/",
            "a/b/c",
            "../name",
            "owner/..",
            ".owner/name",
            "owner/-name",
            "owner/name.git",
            "owner/na--me",
            "owner/na me",
            "owner/näme",
            "owner/name\0",
            "o\\n/name",
            "o/n@",
            "o/n@../main",
            "o/n@/main",
            "o/n@a//b",
            "o/n@a b",
            "o/n@a/.b",
            "o/n@main\n",
            "o/n@a\\b",
            "o/n:",
            "o/n:/etc",
            "o/n:..",
            "o/n:a/../b",
            "o/n:a\\b",
            "o/n:./a",
            "o/n:a/",
            "o/n@main:",
        ] {
            match text.parse::<HubModel>().unwrap_err() {
                HubError::Name { text: found, .. } => assert_eq!(found, text),
                other => panic!("{text}: {other}"),
            }
        }
        assert!(format!("o/{}", "n".repeat(97)).parse::<HubModel>().is_err());
    }

    #[test]
    fn paths_are_distinguished_from_names() {
        for name in [
            "o/n",
            "o/n@refs/pr/1",
            "o/n:a/b/c",
            "o/n@main:a",
            "o/n a",
            "https://huggingface.co/o/n/tree/main/a",
            "hf.co/o/n",
            "https://example.com/o/n",
        ] {
            assert!(HubModel::looks_like(name), "{name}");
        }
        for path in [
            "",
            "folder",
            "./o/n",
            "../n",
            "/o/n",
            "~/n",
            "a/b/c",
            "a/b/c@d",
            "folder/",
            "C:/models/mine",
            r"C:\models",
            r"a\b/c",
            "a@b/c",
        ] {
            assert!(!HubModel::looks_like(path), "{path}");
        }
    }
}
