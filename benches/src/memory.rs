/// The largest amount of memory that the process has used at once, including mapped files. `None` if the
/// system does not report it.
pub fn peak_rss_bytes() -> Option<u64> {
    status("VmHWM:")
}

/// The memory that the process uses now, without mapped files. `None` if the system does not report it.
pub fn anonymous_bytes() -> Option<u64> {
    status("RssAnon:")
}

/// A value of Linux's `/proc/self/status`, in bytes.
fn status(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
