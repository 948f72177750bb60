//! Captions pictures over HTTP.
//!
//! Stdout has one line, with the address that the server listens on; the log goes to stderr. Exit codes: 0 stopped when it
//! was asked to, and everything that was accepted is answered; 1 not everything; 2 the options or the model can't be used.

mod app;
mod arguments;
mod ask;
mod body;
mod captions;
mod error;
mod failure;
mod fields;
mod growth;
mod health;
mod keys;
mod limits;
mod listen;
mod log;
mod metrics;
mod model;
mod ollama;
mod openai;
mod openapi;
mod page;
mod pictures;
mod router;
mod signals;
mod sse;
mod view;
mod visitors;
mod work;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use captioner::Loaded;
use report::Program;
use serving::Server;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::app::{App, Model};
use crate::arguments::Arguments;
use crate::error::StartError;
use crate::keys::Keys;
use crate::visitors::Visitors;

/// Threads that answer; captions are written and pictures decoded on others.
const ANSWERING_THREADS: usize = 2;

/// Threads that decode pictures and parse forms. Each keeps memory of its own, so there are few.
const BLOCKING_THREADS: usize = 3;

/// The name of the model that is embedded.
const EMBEDDED: &str = "pictograms";

fn main() -> ExitCode {
    report::run(|program, arguments: Arguments| run(program, arguments))
}

fn run(program: &Program, arguments: Arguments) -> Result<u8, StartError> {
    log::start(arguments.log, arguments.log_level);
    let address = SocketAddr::new(arguments.host, arguments.port);
    let app = Arc::new(start(program, arguments)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(ANSWERING_THREADS)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(StartError::Thread)?;
    let finished = runtime.block_on(serve(program, &app, address))?;
    // Whatever has not ended by now is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(u8::from(!finished))
}

/// Loads the model and starts the thread that captions.
fn start(program: &Program, arguments: Arguments) -> Result<App, StartError> {
    let keys = arguments.keys.as_deref().map(Keys::read).transpose()?;
    let visitors = Visitors::new(
        &arguments.allow_origin,
        arguments.host,
        &arguments.allow_host,
    )?;
    let (threads, limits) = (arguments.model.threads, arguments.limits);
    let loaded = arguments
        .model
        .with_threads(|| arguments.model.load(program));
    let Loaded { captioner, folder } = loaded?;
    let of_folder = folder.as_deref().and_then(|folder| folder.file_name());
    let of_folder = of_folder.map(|name| name.to_string_lossy().into_owned());
    let name = arguments.name.or(of_folder);
    let name = name.unwrap_or_else(|| EMBEDDED.into());
    let model = Model::new(&captioner, name, folder.is_none(), limits.max_length);
    let model = model.map_err(captioner::LoadError::from)?;
    // The pool's threads wait with the work on them; nobody else uses that pool.
    let within = move |work: Box<dyn FnOnce() + Send>| {
        if let Err(error) = device::with_threads(threads, work) {
            tracing::error!(error = report::message(&error), "captions can't be written");
        }
    };
    let schedule = arguments.schedule.into();
    let server = Server::new_within(Arc::new(captioner), limits.of_server(), schedule, within);
    let server = server.map_err(StartError::Thread)?;
    let decoding = arguments.pictures.decoding(false);
    if !arguments.host.is_loopback() && keys.is_none() {
        tracing::warn!(
            "whoever reaches this address can use the server, since there are no --keys"
        );
    }
    Ok(App::new(server, model, limits, decoding, keys, visitors))
}

/// Answers until a signal asks to stop. Returns whether everything that was accepted is answered.
async fn serve(program: &Program, app: &Arc<App>, address: SocketAddr) -> Result<bool, StartError> {
    let listen = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let signals = signals::count().map_err(StartError::Signals)?;
    let (first, second) = (signals.clone(), signals);
    let stopping = Arc::clone(app);
    let stop = async move {
        signals::wait(first, 1).await;
        tracing::info!("stopping: what was accepted is finished");
        stopping.stop();
    };
    program.line(format_args!("http://{address}"))?;
    tracing::info!(model = app.model.name, %address, "ready");
    let work = async {
        let answered = listen::serve(listener, app, router::router(app), stop).await;
        app.server.stop();
        let server = app.server.clone();
        let waited = tokio::task::spawn_blocking(move || server.wait());
        answered && timeout(app.limits.timeout(), waited).await.is_ok()
    };
    let finished = tokio::select! {
        finished = work => finished,
        () = signals::wait(second, 2) => false,
    };
    tracing::info!(finished, "stopped");
    Ok(finished)
}
