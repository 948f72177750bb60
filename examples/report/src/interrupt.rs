use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that becomes true at Ctrl-C, or when the system asks the program to end, so that the work can stop where it is
/// complete. At the second time the program ends at once with this exit code.
///
/// Where signals can't be caught, which is so if the program catches them already, the first one ends the program.
pub fn stop_at_interrupt(exit_code: u8) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let _ = ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            process::exit(exit_code.into());
        }
    });
    stop
}
