use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderValue, Uri};

use crate::address::Origin;
use crate::connection::{Connection, new_agent};
use crate::pace::Pace;
use crate::retry::RetryPolicy;
use crate::settings::{DEFAULT_ENDPOINT, Settings};
use crate::shown::{shown, shown_endpoint};
use crate::web_address;
use crate::{HubError, HubModel};

/// A client of the Hugging Face Hub, with its settings: the address of the Hub, the cache folder and the
/// token.
///
/// Clones share their connections.
#[derive(Clone)]
pub struct Hub {
    /// With the user and the password, if it has any; they are sent, but never shown.
    endpoint: String,
    origin: Origin,
    cache_folder: PathBuf,
    authorization: Option<HeaderValue>,
    offline: bool,
    retry_policy: RetryPolicy,
    pace: Pace,
    agent: Agent,
}

impl Hub {
    /// A client of the public Hub, without a token, with its cache in the given folder.
    pub fn new(cache_folder: impl Into<PathBuf>) -> Self {
        let address = Uri::from_static(DEFAULT_ENDPOINT);
        Self {
            endpoint: DEFAULT_ENDPOINT.into(),
            origin: Origin::of(&address).expect("the default endpoint is an HTTP address"),
            cache_folder: cache_folder.into(),
            authorization: None,
            offline: false,
            retry_policy: RetryPolicy::default(),
            pace: Pace::default(),
            agent: new_agent(),
        }
    }

    /// A client with the settings that Python's `huggingface_hub` would use:
    ///
    /// - the address of the Hub: `HF_ENDPOINT`
    /// - the cache folder: `HF_HUB_CACHE`, otherwise a folder in `HF_HOME`, `XDG_CACHE_HOME` or `~/.cache`
    /// - the token: `HF_TOKEN`, otherwise the content of the file `HF_TOKEN_PATH` or of `token` in
    ///   `HF_HOME`; none if `HF_HUB_DISABLE_IMPLICIT_TOKEN` is on
    /// - whether to use only the cache: `HF_HUB_OFFLINE`
    /// - proxies: `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`
    ///
    /// # Errors
    /// [`HubError`] if the address or the token is invalid, if no variable says where the cache could be, or
    /// if the token file can't be read.
    pub fn from_env() -> Result<Self, HubError> {
        let settings = Settings::read(|name| env::var_os(name))?;
        let hub = Self::new(settings.cache_folder)
            .with_endpoint(&settings.endpoint)?
            .with_offline(settings.offline);
        match settings.token.token()? {
            Some(token) => hub.with_token(&token),
            None => Ok(hub),
        }
    }

    /// Uses the Hub at another address, such as a mirror. If it has a user and a password, as in
    /// `https://user:password@host`, they are sent to that server instead of the token, as in Python; no message has
    /// them.
    ///
    /// # Errors
    /// [`HubError::Endpoint`] if it is not an HTTP or HTTPS address.
    pub fn with_endpoint(mut self, endpoint: &str) -> Result<Self, HubError> {
        let endpoint = endpoint.trim_end_matches('/');
        let address = endpoint.parse::<Uri>().ok();
        self.origin = address
            // With a slash in a password, the user would be taken for the server.
            .filter(|address| address.query().is_none() && !address.path().contains('@'))
            .and_then(|address| Origin::of(&address))
            .ok_or_else(|| HubError::Endpoint {
                found: shown_endpoint(endpoint),
            })?;
        self.endpoint = endpoint.into();
        Ok(self)
    }

    /// Uses another cache folder.
    pub fn with_cache_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache_folder = folder.into();
        self
    }

    /// Sends this token to the endpoint.
    ///
    /// # Errors
    /// [`HubError::Token`] if the token is empty or has characters that are not visible ASCII.
    pub fn with_token(mut self, token: &str) -> Result<Self, HubError> {
        let visible = !token.is_empty() && token.chars().all(|c| c.is_ascii_graphic());
        let mut value = visible
            .then(|| HeaderValue::try_from(format!("Bearer {token}")).ok())
            .flatten()
            .ok_or(HubError::Token)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// Whether to use only the cache, without the network.
    pub fn with_offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// How often a request is repeated that failed because of the network or the server without any
    /// progress, and the pause before the first repetition. Each further pause is twice as long. The default
    /// is 5 repetitions, with pauses of half a second to 8 seconds.
    pub fn with_retries(mut self, limit: u32, first_pause: Duration) -> Self {
        self.retry_policy = RetryPolicy { limit, first_pause };
        self
    }

    /// How many bytes of a file have to arrive in each `window`, and how long the answer to a request may take; a
    /// transfer that is slower ends with [`HubError::TooSlow`]. The default is 256 KiB in 60 seconds. With 0 bytes, no
    /// transfer is too slow.
    pub fn with_minimum_speed(mut self, bytes: u64, window: Duration) -> Self {
        self.pace = Pace {
            minimum: bytes,
            window,
        };
        self
    }

    /// The model that a user names: a name, as [`HubModel`] parses it, or the address of a page of the model on this Hub
    /// or on <https://huggingface.co>, as it is copied from a browser. The address of a branch, a folder or a file
    /// selects that revision, and the folder.
    ///
    /// # Errors
    /// [`HubError::Name`] if the name is invalid, [`HubError::Address`] if the address is on another server or not that
    /// of a model.
    pub fn model(&self, text: &str) -> Result<HubModel, HubError> {
        match web_address::parse(text, Some(&self.endpoint)) {
            Some(model) => model,
            None => HubModel::from_name(text),
        }
    }

    pub(crate) fn cache_folder(&self) -> &Path {
        &self.cache_folder
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.offline
    }

    pub(crate) fn connection(&self) -> Connection<'_> {
        Connection {
            agent: &self.agent,
            endpoint: &self.endpoint,
            origin: &self.origin,
            authorization: self.authorization.as_ref(),
            retry_policy: self.retry_policy,
            pace: self.pace,
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hub")
            .field("endpoint", &shown(&self.endpoint))
            .field("cache_folder", &self.cache_folder)
            .field("has_token", &self.authorization.is_some())
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_http_addresses() {
        let hub = |endpoint| Hub::new("cache").with_endpoint(endpoint);
        assert_eq!(
            hub("https://mirror/hf/").unwrap().endpoint,
            "https://mirror/hf"
        );
        for endpoint in [
            "",
            "mirror",
            "/mirror",
            "ftp://mirror",
            "https://",
            "https://a b",
            "https://a?b",
        ] {
            match hub(endpoint).unwrap_err() {
                HubError::Endpoint { found } => assert_eq!(found, endpoint.trim_end_matches('/')),
                other => panic!("{endpoint}: {other}"),
            }
        }
    }

    #[test]
    fn user_and_password_of_an_endpoint_are_never_shown() {
        let hub = Hub::new("cache")
            .with_endpoint("https://user:secret@mirror/hf")
            .unwrap();
        let shown = format!("{hub:?}");
        assert!(
            !shown.contains("secret") && !shown.contains("user"),
            "{shown}"
        );
        for endpoint in [
            "user:secret@mirror",
            "ftp://user:secret@mirror",
            "https://user:sec/ret@mirror",
            "https://user:sec ret@mirror",
            "https://user:sec@ret@mir ror",
            "https://user:secret@mirror?a",
            "https://user:80/secret@mirror",
        ] {
            let error = Hub::new("cache").with_endpoint(endpoint).unwrap_err();
            for text in [error.to_string(), format!("{error:?}")] {
                assert!(!text.contains("sec") && !text.contains("user"), "{text}");
            }
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let hub = Hub::new("cache").with_token("hf_secret").unwrap();
        assert!(!format!("{hub:?}").contains("secret"));
        for token in ["", "hf secret", "hf_secret\n", "hf_sécret"] {
            let error = Hub::new("cache").with_token(token).unwrap_err();
            assert!(matches!(error, HubError::Token));
            assert!(!error.to_string().contains("cret"));
        }
    }
}
