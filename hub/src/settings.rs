//! The settings in environment variables, read as Python's `huggingface_hub` reads them.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use whole_files::limits;

use crate::HubError;
use crate::shown::shown_endpoint;

pub(crate) const DEFAULT_ENDPOINT: &str = "https://huggingface.co";

/// Settings from environment variables.
#[derive(PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) endpoint: String,
    pub(crate) cache_folder: PathBuf,
    pub(crate) token: TokenSource,
    pub(crate) offline: bool,
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("endpoint", &shown_endpoint(&self.endpoint))
            .field("cache_folder", &self.cache_folder)
            .field("token", &self.token)
            .field("offline", &self.offline)
            .finish()
    }
}

/// Where the token comes from.
#[derive(PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// There is no token.
    Disabled,
    /// An environment variable.
    Text(String),
    /// A file, which may not exist.
    File(PathBuf),
}

impl Settings {
    /// Reads environment variables with `lookup`. Empty variables count as not set.
    pub(crate) fn read(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, HubError> {
        let lookup = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let text = |name: &str| lookup(name).and_then(|value| value.into_string().ok());
        let switch = |name: &str| text(name).is_some_and(|value| is_true(&value));

        let user = lookup("HOME")
            .or_else(|| lookup("USERPROFILE"))
            .map(PathBuf::from);
        let folder =
            |name: &str| lookup(name).map(|value| expand_home(value.into(), user.as_deref()));
        let home = folder("HF_HOME")
            .or_else(|| Some(folder("XDG_CACHE_HOME")?.join("huggingface")))
            .or_else(|| Some(user.as_ref()?.join(".cache").join("huggingface")));

        let token = if switch("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
            TokenSource::Disabled
        } else if let Some(token) = text("HF_TOKEN").and_then(|token| trimmed(&token)) {
            TokenSource::Text(token)
        } else {
            folder("HF_TOKEN_PATH")
                .or_else(|| Some(home.as_ref()?.join("token")))
                .map_or(TokenSource::Disabled, TokenSource::File)
        };
        Ok(Self {
            // A text that is not UTF-8 becomes an invalid address, rather than that of another server.
            endpoint: lookup("HF_ENDPOINT").map_or_else(
                || DEFAULT_ENDPOINT.into(),
                |endpoint| endpoint.to_string_lossy().into_owned(),
            ),
            cache_folder: folder("HF_HUB_CACHE")
                .or_else(|| Some(home.as_ref()?.join("hub")))
                .ok_or(HubError::NoCacheFolder)?,
            token,
            offline: switch("HF_HUB_OFFLINE"),
        })
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => formatter.write_str("Disabled"),
            Self::Text(_) => formatter.write_str("Text(***)"),
            Self::File(path) => formatter.debug_tuple("File").field(path).finish(),
        }
    }
}

impl TokenSource {
    /// The token, if there is one.
    pub(crate) fn token(self) -> Result<Option<String>, HubError> {
        match self {
            Self::Disabled => Ok(None),
            Self::Text(token) => Ok(Some(token)),
            Self::File(path) => match whole_files::read_text(&path, limits::LINE) {
                Ok(text) => Ok(trimmed(&text)),
                Err(error) if error.is_not_found() => Ok(None),
                Err(source) => Err(HubError::TokenFile { source }),
            },
        }
    }
}

fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&value.to_ascii_lowercase().as_str())
}

fn trimmed(token: &str) -> Option<String> {
    let token = token.trim();
    (!token.is_empty()).then(|| token.into())
}

/// Replaces a leading `~` by the user's folder. Shells do not do this everywhere.
fn expand_home(path: PathBuf, user: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), user) {
        (Ok(rest), Some(user)) => user.join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, HubError> {
        Settings::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| value.into())
        })
    }

    fn cache_folder(variables: &[(&str, &str)]) -> PathBuf {
        settings(variables).unwrap().cache_folder
    }

    #[test]
    fn the_cache_is_where_the_most_specific_variable_says() {
        let user = ("HOME", "/home/user");
        let cases = [
            (vec![user], "/home/user/.cache/huggingface/hub"),
            (
                vec![("USERPROFILE", "/users/user")],
                "/users/user/.cache/huggingface/hub",
            ),
            (
                vec![user, ("XDG_CACHE_HOME", "/cache")],
                "/cache/huggingface/hub",
            ),
            (
                vec![user, ("XDG_CACHE_HOME", "/cache"), ("HF_HOME", "/home")],
                "/home/hub",
            ),
            (vec![("HF_HOME", "/home"), ("HF_HUB_CACHE", "/hub")], "/hub"),
            (vec![user, ("HF_HUB_CACHE", "~/hub")], "/home/user/hub"),
            (
                vec![user, ("HF_HOME", "")],
                "/home/user/.cache/huggingface/hub",
            ),
        ];
        for (variables, expected) in cases {
            assert_eq!(
                cache_folder(&variables),
                Path::new(expected),
                "{variables:?}"
            );
        }
        assert!(matches!(settings(&[]), Err(HubError::NoCacheFolder)));
    }

    #[test]
    fn the_token_comes_from_the_environment_before_the_file() {
        let token = |variables: &[(&str, &str)]| settings(variables).unwrap().token;
        let home = ("HF_HOME", "/home");
        assert_eq!(token(&[home]), TokenSource::File("/home/token".into()));
        assert_eq!(
            token(&[home, ("HF_TOKEN", " \n")]),
            TokenSource::File("/home/token".into())
        );
        assert_eq!(
            token(&[home, ("HF_TOKEN_PATH", "/t")]),
            TokenSource::File("/t".into())
        );
        assert_eq!(
            token(&[home, ("HF_TOKEN", " secret\n"), ("HF_TOKEN_PATH", "/t")]),
            TokenSource::Text("secret".into())
        );
        assert_eq!(
            token(&[
                home,
                ("HF_TOKEN", "secret"),
                ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
            ]),
            TokenSource::Disabled
        );
    }

    #[test]
    fn a_token_file_is_trimmed_and_need_not_exist() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let token = || TokenSource::File(path.clone()).token().unwrap();
        assert_eq!(token(), None);
        fs::write(&path, "\n").unwrap();
        assert_eq!(token(), None);
        fs::write(&path, " secret\r\n").unwrap();
        assert_eq!(token(), Some("secret".into()));
    }

    #[test]
    fn a_token_file_that_is_no_text_of_one_line_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let error = || TokenSource::File(path.clone()).token().unwrap_err();
        fs::write(&path, "x".repeat(5_000)).unwrap();
        assert!(matches!(error(), HubError::TokenFile { .. }));
        fs::write(&path, b"\xff").unwrap();
        assert!(matches!(error(), HubError::TokenFile { .. }));
        if cfg!(unix) {
            let endless = TokenSource::File("/dev/zero".into()).token();
            assert!(matches!(endless, Err(HubError::TokenFile { .. })));
        }
    }

    #[test]
    fn settings_are_shown_without_secrets() {
        let settings = settings(&[
            ("HOME", "/home"),
            ("HF_TOKEN", "hf_secret"),
            ("HF_ENDPOINT", "https://user:secret@host"),
        ]);
        let text = format!("{settings:?}");
        assert!(
            !text.contains("secret") && text.contains("***@host"),
            "{text}"
        );
    }

    #[test]
    fn switches_are_on_for_the_four_words_in_any_case() {
        for (value, expected) in [
            ("1", true),
            ("On", true),
            ("YES", true),
            ("true", true),
            ("0", false),
            ("", false),
            ("no", false),
        ] {
            let settings = settings(&[("HOME", "/home"), ("HF_HUB_OFFLINE", value)]).unwrap();
            assert_eq!(settings.offline, expected, "{value}");
        }
    }

    #[test]
    fn the_endpoint_has_a_default() {
        let endpoint = |value| {
            settings(&[("HOME", "/home"), ("HF_ENDPOINT", value)])
                .unwrap()
                .endpoint
        };
        assert_eq!(endpoint(""), DEFAULT_ENDPOINT);
        assert_eq!(endpoint("https://mirror"), "https://mirror");
    }
}
