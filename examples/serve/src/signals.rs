//! Signals that ask the program to stop: Ctrl-C and SIGTERM.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch::{self, Receiver};

/// Counts the signals that come from now on.
pub(crate) fn count() -> io::Result<Receiver<u32>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (count, counted) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            count.send_modify(|count: &mut u32| *count = count.saturating_add(1));
        }
    });
    Ok(counted)
}

/// Waits until this many have come.
pub(crate) async fn wait(mut counted: Receiver<u32>, number: u32) {
    // The sender lives as long as the runtime.
    let _ = counted.wait_for(|count| *count >= number).await;
}
