use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::LoadError;
use crate::client::request;

/// Loads a running serve with many clients at a time.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Pictures, which clients send in turn
    #[arg(required = true, value_name = "PICTURE")]
    pub(crate) pictures: Vec<PathBuf>,

    /// Where serve listens
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    pub(crate) address: String,

    /// How many clients are there at a time, one measurement for each number
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 64, 512], value_name = "N,...")]
    pub(crate) clients: Vec<usize>,

    /// How long each measurement takes
    #[arg(long, default_value_t = 20.0, value_name = "SECONDS")]
    pub(crate) seconds: f64,

    /// A language of the captions; can be repeated
    #[arg(long = "language", default_values_t = ["en".to_owned()], value_name = "CODE")]
    pub(crate) languages: Vec<String>,

    /// An option of generation, such as num_beams=4; can be repeated
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) options: Vec<String>,

    /// One request in N is given up before its answer is there
    #[arg(long, value_name = "N")]
    pub(crate) hang_up: Option<usize>,

    /// After 503, don't wait as long as the server says, but send the next request at once
    #[arg(long)]
    pub(crate) impatient: bool,

    /// Requests per second over all clients, whatever the server answers, as long as a client is free
    #[arg(long, conflicts_with = "impatient", value_name = "N")]
    pub(crate) rate: Option<f64>,

    /// The process whose memory is shown; on Linux
    #[arg(long)]
    pub(crate) pid: Option<u32>,

    /// Print a JSON object for each measurement
    #[arg(long)]
    pub(crate) json: bool,
}

impl Arguments {
    /// How long each measurement takes.
    pub(crate) fn time(&self) -> Duration {
        Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::from_secs(20))
    }

    /// The HTTP request of each picture.
    pub(crate) fn requests(&self) -> Result<Vec<Vec<u8>>, LoadError> {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        fields.extend(
            self.languages
                .iter()
                .map(|code| ("languages", code.as_str())),
        );
        fields.extend(self.options.iter().filter_map(|one| one.split_once('=')));
        let requests = self.pictures.iter().map(|path| {
            let picture = std::fs::read(path).map_err(|source| LoadError::Picture {
                path: path.display().to_string(),
                source,
            })?;
            Ok(request(&self.address, &fields, &picture))
        });
        requests.collect()
    }
}
