//! Runs programs with a standard output and a stderr that don't work. The tests of every program use this.

// Each test program uses only a part.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, pipe};
use std::process::{Command, Output, Stdio};

/// Where a stream of a program goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sink {
    /// It is read to its end.
    Read,
    /// A pipe that nobody reads.
    ClosedPipe,
    /// A disk without space.
    Full,
    /// There is no such stream, as with the shell's `>&-`.
    None,
}

pub(crate) const BROKEN: [Sink; 3] = [Sink::ClosedPipe, Sink::Full, Sink::None];

/// Runs a program with these streams. A shell can close a stream, which this library can't.
pub(crate) fn run<S: AsRef<OsStr>>(
    program: &str,
    arguments: &[S],
    stdout: Sink,
    stderr: Sink,
) -> Output {
    let close = |sink, redirection| if sink == Sink::None { redirection } else { "" };
    let script = format!(
        "exec \"$0\" \"$@\" {} {}",
        close(stdout, ">&-"),
        close(stderr, "2>&-")
    );
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(program).args(arguments);
    command.env("HF_HUB_OFFLINE", "1").stdin(Stdio::null());
    let output = command
        .stdout(stdio(stdout))
        .stderr(stdio(stderr))
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!message.contains("panicked"), "{message}");
    assert_ne!(output.status.code(), Some(101), "{message}");
    output
}

fn stdio(sink: Sink) -> Stdio {
    match sink {
        Sink::Read | Sink::None => Stdio::piped(),
        Sink::ClosedPipe => {
            let (reader, writer) = pipe().unwrap();
            drop(reader);
            writer.into()
        }
        Sink::Full => OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
            .into(),
    }
}

/// Reads a number of lines of what a program prints and closes the pipe, as `head` does. Returns the lines, the exit
/// code and what it printed on stderr.
pub(crate) fn head<S: AsRef<OsStr>>(
    program: &str,
    arguments: &[S],
    lines: usize,
) -> (Vec<String>, Option<i32>, String) {
    let mut child = Command::new(program)
        .args(arguments)
        .env("HF_HUB_OFFLINE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let lines = stdout.lines().take(lines).map(Result::unwrap).collect();
    let mut message = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut message)
        .unwrap();
    let status = child.wait().unwrap();
    assert!(!message.contains("panicked"), "{message}");
    (lines, status.code(), message)
}

/// Asserts what holds for every program, for arguments with which it prints something and ends with this exit code, and
/// for others that it refuses.
pub(crate) fn assert_survives(program: &str, good: &[&str], code: i32, refused: &[&str]) {
    for (arguments, code) in [(good, code), (&["--help"], 0), (&["--version"], 0)] {
        for quiet in [Sink::ClosedPipe, Sink::None] {
            let output = run(program, arguments, quiet, Sink::Read);
            let message = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                output.status.code(),
                Some(code),
                "{arguments:?}, {quiet:?}: {message}"
            );
            assert!(
                !message.contains("standard output"),
                "{arguments:?}, {quiet:?}: {message}"
            );
        }
        let output = run(program, arguments, Sink::Full, Sink::Read);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(
            message.contains("can't write to the standard output"),
            "{message}"
        );
        let is_about_it = |line: &&str| line.contains("No space left on device");
        assert_eq!(message.lines().filter(is_about_it).count(), 1, "{message}");
        for stderr in BROKEN {
            let output = run(program, arguments, Sink::Full, stderr);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}, {stderr:?}");
        }
    }
    for stdout in [Sink::Read, Sink::ClosedPipe, Sink::None] {
        for stderr in BROKEN {
            let output = run(program, refused, stdout, stderr);
            assert_eq!(
                output.status.code(),
                Some(2),
                "{refused:?}, {stdout:?}, {stderr:?}"
            );
        }
    }
}
