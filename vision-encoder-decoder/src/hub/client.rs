use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::http::{HeaderValue, Uri};

use super::address::Origin;
use super::connection::{Connection, new_agent};
use super::retry::RetryPolicy;
use super::settings::{DEFAULT_ENDPOINT, Settings};
use super::{HubError, HubModel, Progress, checkpoint_files, tokenizer_files};

/// Where models come from and where they are kept.
///
/// Clones share their connections.
#[derive(Clone)]
pub struct Hub {
    endpoint: String,
    origin: Origin,
    cache_folder: PathBuf,
    authorization: Option<HeaderValue>,
    offline: bool,
    retry_policy: RetryPolicy,
    agent: Agent,
}

impl Hub {
    /// The public Hub without a token, with a cache in this folder.
    pub fn new(cache_folder: impl Into<PathBuf>) -> Self {
        let address = Uri::from_static(DEFAULT_ENDPOINT);
        Self {
            endpoint: DEFAULT_ENDPOINT.into(),
            origin: Origin::of(&address).expect("the default endpoint is an HTTP address"),
            cache_folder: cache_folder.into(),
            authorization: None,
            offline: false,
            retry_policy: RetryPolicy::default(),
            agent: new_agent(),
        }
    }

    /// The settings that Python's `huggingface_hub` would use: `HF_ENDPOINT`; the cache in
    /// `HF_HUB_CACHE`, else below `HF_HOME`, `XDG_CACHE_HOME` or `~/.cache`; the token in `HF_TOKEN`,
    /// else in the file `HF_TOKEN_PATH` or `token` in `HF_HOME`, unless
    /// `HF_HUB_DISABLE_IMPLICIT_TOKEN` is on; `HF_HUB_OFFLINE`. Proxies are those of `ALL_PROXY`,
    /// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.
    ///
    /// # Errors
    /// [`HubError`] if one of them makes no sense or the token file can't be read.
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

    /// Uses another Hub.
    ///
    /// # Errors
    /// [`HubError::Endpoint`] unless it is an HTTP address.
    pub fn with_endpoint(mut self, endpoint: &str) -> Result<Self, HubError> {
        let endpoint = endpoint.trim_end_matches('/');
        let address = endpoint.parse::<Uri>().ok();
        self.origin = address
            .filter(|address| address.query().is_none())
            .and_then(|address| Origin::of(&address))
            .ok_or_else(|| HubError::Endpoint {
                found: endpoint.into(),
            })?;
        self.endpoint = endpoint.into();
        Ok(self)
    }

    /// Keeps models in another folder.
    pub fn with_cache_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache_folder = folder.into();
        self
    }

    /// Sends this token to the endpoint.
    ///
    /// # Errors
    /// [`HubError::Token`] if it can't be one.
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

    /// Whether to use only what is in the cache.
    pub fn with_offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// How often a request is repeated that brought nothing new because of the network or a server
    /// in trouble, and the pause before the first repetition; each further pause is twice as long.
    /// The default is 5 repetitions after half a second and more, about 15 seconds in all.
    pub fn with_retries(mut self, limit: u32, first_pause: Duration) -> Self {
        self.retry_policy = RetryPolicy { limit, first_pause };
        self
    }

    /// Fetches what a checkpoint consists of ([`checkpoint_files`]) where the cache lacks it, and
    /// returns its folder.
    ///
    /// # Errors
    /// [`HubError`], saying what is missing or went wrong.
    pub fn checkpoint(
        &self,
        model: &HubModel,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, HubError> {
        self.fetch(model, checkpoint_files, progress)
    }

    /// Fetches the files of a tokenizer ([`tokenizer_files`]) where the cache lacks them, and returns
    /// their folder.
    ///
    /// # Errors
    /// [`HubError`], likewise.
    pub fn tokenizer(
        &self,
        model: &HubModel,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, HubError> {
        self.fetch(model, tokenizer_files, progress)
    }

    fn fetch(
        &self,
        model: &HubModel,
        select: fn(&[String]) -> Result<Vec<String>, HubError>,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<PathBuf, HubError> {
        let snapshot = self.files(model)?;
        match select(snapshot.files()) {
            Ok(files) => self.download(&snapshot, &files, progress),
            Err(error) => Err(snapshot.explain(error, &self.cache_folder)),
        }
    }

    pub(super) fn cache_folder(&self) -> &Path {
        &self.cache_folder
    }

    pub(super) fn is_offline(&self) -> bool {
        self.offline
    }

    pub(super) fn connection(&self) -> Connection<'_> {
        Connection {
            agent: &self.agent,
            endpoint: &self.endpoint,
            origin: &self.origin,
            authorization: self.authorization.as_ref(),
            retry_policy: self.retry_policy,
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Hub")
            .field("endpoint", &self.endpoint)
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
