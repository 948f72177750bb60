use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use captioning::{CaptionOptions, Captioner, GenerationConfig, Language, card_defaults};
use preprocess::image::decode::DecodeOptions;
use serving::Server;
use tokio::sync::Semaphore;

use crate::body::memory;
use crate::failure::Failure;
use crate::keys::Keys;
use crate::limits::{COMING, LimitArguments};
use crate::pictures::Decoder;
use crate::visitors::Visitors;

/// Languages that a model writes when a client names none, if it knows no more.
const FEW_LANGUAGES: usize = 8;

/// The longest caption that is allowed unless the command line says otherwise.
const MAX_LENGTH: usize = 256;

/// What all requests share.
pub(crate) struct App {
    pub(crate) server: Server,
    pub(crate) model: Model,
    pub(crate) limits: LimitArguments,
    pub(crate) decoder: Decoder,
    pub(crate) request_memory: Arc<Semaphore>,
    /// Permits for requests on their way to the queue.
    pub(crate) coming: Arc<Semaphore>,
    pub(crate) keys: Option<Keys>,
    pub(crate) visitors: Visitors,
    /// Permits for further connections.
    pub(crate) open_connections: Arc<Semaphore>,
    started: SystemTime,
    requests: AtomicU64,
    stopping: AtomicBool,
}

/// What clients are told about the model.
pub(crate) struct Model {
    pub(crate) name: String,
    /// What it knows, in a sentence.
    pub(crate) about: String,
    /// The options of a request that names none.
    pub(crate) defaults: GenerationConfig,
    /// The most tokens of a caption.
    pub(crate) max_length: usize,
    /// Rows and columns of patches.
    pub(crate) patches: [usize; 2],
    /// Whether weights are packed, and how.
    pub(crate) precision: String,
}

impl Model {
    /// `max_length` is the longest caption that is allowed, if the command line says so.
    pub(crate) fn new(
        captioner: &Captioner,
        name: String,
        is_embedded: bool,
        max_length: Option<usize>,
    ) -> Result<Self, captioning::Error> {
        let checkpoint = CaptionOptions::new(captioner.generation_config().clone());
        let defaults = captioner.options(checkpoint.clone(), &[] as &[&str], &card_defaults())?;
        // Options for as many tokens as possible are cut to what the model can write.
        let endless = GenerationConfig {
            max_length: Some(max_length.unwrap_or(MAX_LENGTH)),
            ..card_defaults()
        };
        let without_length = GenerationConfig {
            max_length: None,
            max_new_tokens: None,
            ..checkpoint.generation.clone()
        };
        let longest = captioner.options(
            CaptionOptions::new(without_length),
            &[] as &[&str],
            &endless,
        )?;
        let grid = captioner.memory_grid();
        Ok(Self {
            name,
            about: about(captioner, is_embedded),
            defaults: defaults.generation,
            max_length: longest.generation.longest(1),
            patches: [grid.rows, grid.columns],
            precision: match captioner.format() {
                Some(format) => format.to_string(),
                None => "f32".into(),
            },
        })
    }

    /// Whether a client means this model. Ollama's clients add `:latest`.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        name.strip_suffix(":latest").unwrap_or(name) == self.name
    }
}

impl App {
    pub(crate) fn new(
        server: Server,
        model: Model,
        limits: LimitArguments,
        mut decoding: DecodeOptions,
        keys: Option<Keys>,
        visitors: Visitors,
    ) -> Self {
        decoding.max_pixels = limits.max_pixels;
        let connections = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            server,
            model,
            decoder: Decoder::new(decoding, memory(limits.picture_memory)),
            request_memory: memory(limits.request_memory),
            coming: Arc::new(Semaphore::new(COMING)),
            open_connections: Arc::new(Semaphore::new(connections)),
            limits,
            keys,
            visitors,
            started: SystemTime::now(),
            requests: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        }
    }

    /// Says that the server takes no new connections. Requests that have begun are finished.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// The number of connections that are open.
    pub(crate) fn connections(&self) -> usize {
        let free = self.open_connections.available_permits();
        // One permit is taken for the connection that is waited for.
        self.limits.connections.saturating_sub(free + 1)
    }

    /// When the server started, in seconds since 1970.
    pub(crate) fn started(&self) -> f64 {
        let since = self.started.duration_since(UNIX_EPOCH);
        since.unwrap_or_default().as_secs_f64()
    }

    pub(crate) fn captioner(&self) -> &Captioner {
        self.server.captioner()
    }

    /// The languages of a request that names none.
    pub(crate) fn default_languages(&self) -> Vec<Language> {
        let all = self.captioner().languages();
        if all.len() <= FEW_LANGUAGES {
            return all.to_vec();
        }
        let english = self.captioner().language("en_XX").ok();
        english
            .or_else(|| all.first().copied())
            .into_iter()
            .collect()
    }

    /// Checks the model that a client names.
    pub(crate) fn check_model(&self, name: Option<&str>) -> Result<(), Failure> {
        match name {
            Some(name) if !self.model.is_called(name) => {
                let shown: String = name.chars().take(64).collect();
                let message = format!(
                    "there is no model {shown:?} here, only {:?}",
                    self.model.name
                );
                let status = axum::http::StatusCode::NOT_FOUND;
                Err(Failure::new(status, "model_not_found", message).about("model"))
            }
            _ => Ok(()),
        }
    }

    /// A number that no other request has.
    pub(crate) fn next_number(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }
}

fn about(captioner: &Captioner, is_embedded: bool) -> String {
    match is_embedded {
        true => "A small model that knows 514 common things in six styles of pictogram art, one or two on a plain \
                 background. It is not for photographs: its captions of them are wrong, with high scores."
            .into(),
        false => format!(
            "A model that captions pictures in {} languages. It describes what its training pictures showed, and can be \
             wrong about others with high scores.",
            captioner.languages().len()
        ),
    }
}
