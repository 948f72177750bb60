use std::net::IpAddr;
use std::path::PathBuf;

use captioner::{ModelArguments, PictureArguments};
use clap::{Parser, ValueEnum};

use crate::limits::LimitArguments;

/// Caption pictures over HTTP: an interface of its own, OpenAI's and Ollama's.
///
/// Without --model, the small embedded model is used. It knows 514 common things in six styles of pictogram
/// art, one or two on a plain background, in English, French, German and Spanish. It is not for photographs.
///
/// The server listens on this machine only, unless --host says otherwise, and asks for a key only with --keys. It fetches
/// nothing for a client: pictures come within requests. docs/serving.md describes what it answers.
///
/// Exit code 0: it was asked to stop, and finished what it had accepted; 1: it did not finish within --stop-timeout,
/// or was asked a second time; 2: the options or the model can't be used.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) model: ModelArguments,
    /// What clients call the model. Default: the name of the model's folder, or pictograms.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) pictures: PictureArguments,
    /// Address to listen on. With another than a loopback address, whoever reaches it can use the server.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Port to listen on; 0 for any that is free. The first line that is printed names it.
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(crate) port: u16,
    /// A file of keys, one per line, of which a client has to send one: `Authorization: Bearer KEY`. Empty lines and
    /// those that begin with # don't count. Keys have at least 16 characters.
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// An origin, such as `https://example.org`, whose pages may use the server; `*` for all; may be given several times.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// A name by which clients may call the server, if it listens on a loopback address behind a proxy; may be given
    /// several times. Others than names of this machine are refused then, since a page on the web could give its own name
    /// to this address.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// How lines of the log are written to stderr.
    #[arg(long, value_enum, default_value_t = LogForm::Text)]
    pub(crate) log: LogForm,
    /// What is logged: error, warn, info (a line for each request), debug or off.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: tracing_subscriber::filter::LevelFilter,
    #[command(flatten)]
    pub(crate) limits: LimitArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// Text.
    Text,
    /// A JSON object per line.
    Json,
}
