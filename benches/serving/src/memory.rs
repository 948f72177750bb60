use std::cell::Cell;
use std::fs;

/// The most memory that a process had when it was looked at.
pub(crate) struct Peak {
    process: Option<u32>,
    bytes: Cell<Option<u64>>,
}

impl Peak {
    pub(crate) fn of(process: Option<u32>) -> Self {
        Self {
            process,
            bytes: Cell::new(None),
        }
    }

    pub(crate) fn look(&self) {
        let now = self.process.and_then(resident);
        self.bytes.set(self.bytes.get().max(now));
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        self.bytes.get()
    }
}

/// The bytes of a process that are in memory, where the system has `/proc`.
fn resident(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
