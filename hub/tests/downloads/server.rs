//! An HTTP/1.1 server that answers one request per connection.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A request of a client.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Headers by their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

/// The server's answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The bytes of the body that are sent before the connection is closed; `None` for the whole body.
    pub(crate) cut_at: Option<usize>,
    /// Whether the length of the body is announced.
    pub(crate) with_length: bool,
    /// Status line and headers, byte for byte, in place of those above.
    pub(crate) raw_head: Option<Vec<u8>>,
    /// The pause after every byte of the headers and of the body.
    pub(crate) drip: (Duration, Duration),
    /// What is repeated after the body until the client closes the connection.
    pub(crate) endless: Option<&'static [u8]>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            cut_at: None,
            with_length: true,
            raw_head: None,
            drip: (Duration::ZERO, Duration::ZERO),
            endless: None,
        }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn write(&self, request: &Request, stream: &TcpStream) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Status\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if self.with_length {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        head += "\r\n";
        let head = self.raw_head.as_deref().unwrap_or(head.as_bytes());
        write(head, self.drip.0, stream)?;
        if request.method == "HEAD" {
            return Ok(());
        }
        let body = &self.body[..self.cut_at.unwrap_or(self.body.len())];
        write(body, self.drip.1, stream)?;
        while let Some(endless) = self.endless {
            write(endless, self.drip.1, stream)?;
        }
        Ok(())
    }
}

/// Writes bytes, with a pause after each.
fn write(bytes: &[u8], pause: Duration, mut stream: &TcpStream) -> io::Result<()> {
    if pause.is_zero() {
        return stream.write_all(bytes);
    }
    for byte in bytes {
        stream.write_all(&[*byte])?;
        thread::sleep(pause);
    }
    Ok(())
}

/// Answers requests on a free port until the program ends. The connection of a request without an answer is
/// closed.
pub(crate) fn serve(
    answer: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            thread::spawn(move || {
                let stream = stream.unwrap();
                // Otherwise the body waits until the client has confirmed the head.
                stream.set_nodelay(true).unwrap();
                let request = read(&stream);
                if let Some(reply) = answer(&request) {
                    // A client that has seen enough closes the connection.
                    let _ = reply.write(&request, &stream);
                }
            });
        }
    });
    address
}

fn read(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let mut words = first.split(' ').map(String::from);
    let header = |line: String| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Request {
        method: words.next().unwrap(),
        target: words.next().unwrap(),
        headers: lines
            .take_while(|line| !line.is_empty())
            .map(header)
            .collect(),
    }
}
