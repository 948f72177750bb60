//! Requests with random changes: whatever they become, the server answers, and nothing panics.

mod common;

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{HORSE, Server, base64, data_url, form};

/// Clients that send changed requests at the same time.
const CLIENTS: u64 = 4;

/// What decoders, parsers and options stumble over.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"\xff\xfe",
    b"\r\n",
    b"\r\n\r\n",
    b"--border--",
    b"[[[[[[[[[[[[[[[[",
    b"{\"a\":",
    b"\"",
    b"NaN",
    b"-1",
    b"1e999",
    b"99999999999999999999",
    b"18446744073709551615",
    b"\\ud800",
    "\u{202e}".as_bytes(),
    b"data:image/png;base64,",
    b"\x89PNG\r\n\x1a\n",
    b"num_beams",
    b"max_length",
    b"stream",
    b"../../etc/passwd",
];

/// Seeded random numbers, so that failures repeat: an xorshift generator.
struct Random(u64);

impl Random {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// Requests that are answered as they are: head lines after the first two, and bodies.
fn requests() -> Vec<(String, Vec<u8>)> {
    let json_of = |path: &str, body: serde_json::Value| {
        let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json");
        (head, body.to_string().into_bytes())
    };
    let (media_type, body) = form(&[
        ("images", Some("a.png"), HORSE),
        ("languages", None, b"de"),
        ("num_beams", None, b"2"),
        ("required", None, b"Pferd"),
    ]);
    vec![
        (format!("POST /v1/captions HTTP/1.1\r\n{media_type}"), body),
        json_of(
            "/v1/captions",
            json!({
                "images": [data_url(HORSE)], "languages": ["en", "fr"], "num_beams": 3, "n": 2,
                "max_length": 20, "length_penalty": 0.5, "temperature": 1.0, "texts": ["a horse"],
                "attention": true, "alternatives": 2, "stream": true, "forbidden": ["bee"],
                "bad_words_ids": [[7]], "stop_strings": ["x"], "prefix": "horse",
            }),
        ),
        json_of(
            "/v1/chat/completions",
            json!({
                "model": "pictograms", "stream": true, "n": 2, "logprobs": true, "top_logprobs": 2,
                "messages": [
                    {"role": "system", "content": "fr"},
                    {"role": "user", "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": "image_url", "image_url": {"url": data_url(HORSE)}},
                    ]},
                ],
            }),
        ),
        json_of(
            "/api/generate",
            json!({
                "model": "pictograms", "prompt": "de", "images": [base64(HORSE)], "stream": false,
                "options": {"temperature": 0.5, "seed": 1, "num_predict": 10},
            }),
        ),
        ("GET /v1/models/pictograms HTTP/1.1".into(), Vec::new()),
    ]
}

/// A request of which a part is changed.
fn changed(address: &str, requests: &[(String, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    let (head, body) = &requests[random.below(requests.len())];
    let (mut head, mut body) = (head.clone().into_bytes(), body.clone());
    for _ in 0..1 + random.below(4) {
        // Most changes are to bodies: what is no HTTP any more says little about the server.
        let part = match random.below(8) {
            0 => &mut head,
            _ => &mut body,
        };
        change(part, random);
    }
    let length = match random.below(12) {
        0 => body.len() + 1 + random.below(100),
        1 => random.below(body.len()),
        _ => body.len(),
    };
    let rest =
        format!("\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    [head, rest.into_bytes(), body].concat()
}

fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let end = at + random.below(bytes.len().saturating_sub(at).min(200));
    let piece = PIECES[random.below(PIECES.len())];
    match random.below(5) {
        0 => drop(bytes.splice(at..at, piece.iter().copied())),
        1 => drop(bytes.splice(at..end, piece.iter().copied())),
        2 => drop(bytes.drain(at..end)),
        3 => bytes.extend_from_within(at..end),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
}

/// Sends requests until `go_on` says no. Returns how many had an answer.
fn client(server: &Server, seed: u64, go_on: impl Fn(u64) -> bool) -> u64 {
    let requests = requests();
    let mut random = Random(seed);
    let (mut sent, mut answered) = (0, 0);
    while go_on(sent) {
        sent += 1;
        let request = changed(&server.address, &requests, &mut random);
        let mut stream = server.connect();
        let mut answer = Vec::new();
        let _ = stream.write_all(&request);
        let _ = stream.read_to_end(&mut answer);
        let status = answer
            .get(9..12)
            .and_then(|code| std::str::from_utf8(code).ok());
        let status = status.and_then(|code| code.parse::<u16>().ok());
        answered += u64::from(status.is_some());
        assert!(
            status.is_none_or(|status| status < 500 || status == 503),
            "{}\nwas the answer to\n{}",
            String::from_utf8_lossy(&answer),
            String::from_utf8_lossy(&request),
        );
    }
    answered
}

fn all_clients(seed: u64, go_on: impl Fn(u64) -> bool + Sync) {
    let limits = [
        "--log-level",
        "off",
        "--body-timeout",
        "1",
        "--timeout",
        "20",
    ];
    let server = Server::start(&limits);
    let go_on = &go_on;
    let answered: u64 = thread::scope(|scope| {
        let clients = (1..=CLIENTS).map(|client| {
            let server = &server;
            scope.spawn(move || self::client(server, seed + client, go_on))
        });
        let clients: Vec<_> = clients.collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .sum()
    });
    eprintln!("{answered} requests were answered");
    assert!(answered > 0);
    assert_eq!(server.metric("captions_panics_total"), 0.0);
    let request = json!({"images": [data_url(HORSE)], "languages": ["en"]});
    assert_eq!(server.post_json("/v1/captions", &request).status, 200);
}

#[test]
fn changed_requests_are_answered() {
    all_clients(7, |sent| sent < 60);
}

#[test]
#[ignore = "takes as long as FUZZ_SECONDS says, ten minutes if it is not set"]
fn changed_requests_are_answered_for_minutes() {
    let seconds = std::env::var("FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(600);
    let end = Instant::now() + Duration::from_secs(seconds);
    all_clients(1000, |_| Instant::now() < end);
}
