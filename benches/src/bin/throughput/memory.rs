/// The most memory that the process had at once, mapped files and all, where the system tells.
pub(crate) fn peak_rss_bytes() -> Option<u64> {
    status("VmHWM:")
}

/// What it has now that is of no file.
pub(crate) fn anonymous_bytes() -> Option<u64> {
    status("RssAnon:")
}

/// A line of Linux's `/proc/self/status`, in bytes.
fn status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
