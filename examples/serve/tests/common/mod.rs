//! Starts the program and talks to it over HTTP on loopback, as its users do.

// Each test program uses only a part.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A horse, of which the embedded model writes `horse on a white background`.
pub(crate) const HORSE: &[u8] =
    include_bytes!("../../../../captioning/tests/samples/02-fluent-emoji-1f40e.png");

/// How long tests wait for what takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Server {
    /// The server that others hold already, or a new one.
    pub(crate) fn shared(held: &Mutex<Weak<Self>>, arguments: &[&str]) -> Arc<Self> {
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = held.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start(arguments));
        *held = Arc::downgrade(&server);
        server
    }

    /// Starts a server, on a free port unless the arguments name one.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with_log(arguments, Stdio::inherit())
    }

    /// Starts a server whose log goes somewhere.
    pub(crate) fn start_with_log(arguments: &[&str], log: Stdio) -> Self {
        let any_port: &[&str] = match arguments.contains(&"--port") {
            true => &[],
            false => &["--port", "0"],
        };
        let mut child = Command::new(env!("CARGO_BIN_EXE_serve"))
            .args(any_port)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://").expect("an address");
        Self {
            address: address.to_owned(),
            child,
            stdout,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
    }

    pub(crate) fn post_json(&self, path: &str, body: &Value) -> Answer {
        self.send(
            "POST",
            path,
            &["Content-Type: application/json"],
            body.to_string().as_bytes(),
        )
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let mut stream = self.begin(method, path, headers, Some(body.len()));
        // A server that refuses need not read everything.
        let _ = stream.write_all(body);
        Answer::read(stream)
    }

    /// Sends the head of a request, whose body is announced.
    pub(crate) fn begin(
        &self,
        method: &str,
        path: &str,
        headers: &[&str],
        length: Option<usize>,
    ) -> TcpStream {
        let mut stream = self.connect();
        let has_host = headers
            .iter()
            .any(|header| header.to_ascii_lowercase().starts_with("host:"));
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !has_host {
            head += &format!("Host: {}\r\n", self.address);
        }
        for header in headers {
            head += &format!("{header}\r\n");
        }
        if let Some(length) = length {
            head += &format!("Content-Length: {length}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The value of a metric without labels, or with these.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").text();
        let line = text.lines().find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(' '))
        });
        let value = line
            .and_then(|line| line.rsplit(' ').next())
            .unwrap_or_default();
        value.parse().unwrap_or_else(|_| panic!("{name} in {text}"))
    }

    /// Waits until something is so.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let latest = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < latest, "{what} did not happen");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a signal, as `kill` does.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for the program's end, and returns its exit code.
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "stdout has one line");
        status.code()
    }

    /// Whether it still answers.
    pub(crate) fn assert_lives(&self) {
        assert_eq!(self.get("/health").status, 200);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Answer {
    pub(crate) fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        // A connection that is closed while something is sent is reset, after the answer.
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let body = bytes.split_off(end + 4);
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Self { status, head, body };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = unchunked(&answer.body);
        }
        answer
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The status and the code of an error in OpenAI's form.
    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        let error = json["error"]
            .as_object()
            .unwrap_or_else(|| panic!("{json}"));
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
        let names: Vec<&str> = error.keys().map(String::as_str).collect();
        assert_eq!(names, ["code", "message", "param", "type"]);
        (self.status, error["code"].as_str().unwrap().to_owned())
    }

    /// Server-sent events: their names and data.
    pub(crate) fn events(&self) -> Vec<(String, Value)> {
        assert_eq!(self.header("content-type"), Some("text/event-stream"));
        let text = self.text();
        let events = text
            .split("\n\n")
            .filter(|event| !event.is_empty() && !event.starts_with(':'));
        let events = events.map(|event| {
            let field = |name: &str| {
                let mut lines = event.lines().filter_map(|line| line.split_once(": "));
                lines
                    .find(|(field, _)| *field == name)
                    .map(|(_, value)| value)
            };
            let data = field("data").unwrap();
            let data = serde_json::from_str(data).unwrap_or_else(|_| data.into());
            (field("event").unwrap_or_default().to_owned(), data)
        });
        events.collect()
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let chunk = &bytes[end + 2..];
        whole.extend_from_slice(&chunk[..size]);
        if size == 0 {
            break;
        }
        bytes = &chunk[size + 2..];
    }
    whole
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn data_url(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", base64(bytes))
}

/// A form of parts: a name, the name of a file for files, and the content.
pub(crate) fn form(parts: &[(&str, Option<&str>, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file
            .map(|file| format!("; filename=\"{file}\""))
            .unwrap_or_default();
        let head =
            format!("--border\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--border--\r\n");
    (
        "Content-Type: multipart/form-data; boundary=border".into(),
        body,
    )
}
