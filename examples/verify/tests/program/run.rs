//! Runs the program and parses its report.

use std::ffi::OsStr;
use std::process::Command;

use serde_json::Value;

/// What the program printed, and its exit code.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs the program and checks that it does not panic.
pub(crate) fn verify<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_verify"))
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!errors.contains("panicked"), "{errors}");
    Run {
        code: output.status.code(),
        output: String::from_utf8(output.stdout).unwrap(),
        errors,
    }
}

impl Run {
    /// The comparisons that `--json` printed.
    pub(crate) fn comparisons(&self) -> Vec<Value> {
        let lines = self.output.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The comparisons with this status.
    pub(crate) fn with_status(&self, status: &str) -> Vec<Value> {
        let mut comparisons = self.comparisons();
        comparisons.retain(|comparison| comparison["status"] == status);
        comparisons
    }
}
