//! Answers and cache files with changes of the kinds that break readers: none of them may cause a panic, a file outside
//! the cache, or a long message. `MUTATIONS=1000000 cargo test -p hub --release mutations` makes more changes.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hub::{Hub, HubError, HubModel};
use serde_json::{Value, json};

use crate::server::{Reply, serve};

/// Changes per target, unless the environment says otherwise.
const CHANGES: u64 = 100;

/// Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn choose<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.below(values.len())]
    }
}

/// Texts that mean something in paths, numbers, headers or addresses.
const ODD: [&str; 36] = [
    "",
    " ",
    "..",
    "../../../../x",
    "/etc/x",
    "a/../../b",
    "a//b",
    "a\\b",
    "C:\\x",
    "nul",
    "a\0b",
    "a\r\nX: y",
    "\u{202e}x",
    "ü",
    "%2e%2e/x",
    "~/x",
    "-",
    "-1",
    "+7",
    "0",
    "7",
    "8",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "1e9",
    "\"",
    "W/\"\"",
    "w/\"x\"",
    "\"abc.incomplete\"",
    "bytes 0-6/*",
    "bytes 7-6/18446744073709551615",
    "//user:password@[::1]:99999/",
    "http://127.0.0.1:1/",
    "file:///etc/passwd",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
];

/// Changes, removes, repeats or moves a few bytes.
fn change_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    let place = random.below(bytes.len());
    let end = bytes.len().min(place + 1 + random.below(12));
    match random.below(6) {
        _ if bytes.is_empty() => (),
        0 => bytes[place] ^= 1 << random.below(8),
        1 => bytes[place] = random.next() as u8,
        2 => bytes.truncate(place),
        3 => drop(bytes.drain(place..end)),
        4 => {
            let part = bytes[place..end].to_vec();
            let target = random.below(bytes.len());
            bytes.splice(target..target, part);
        }
        _ => {
            let odd = random.choose(&ODD).as_bytes();
            bytes.splice(place..end, odd.iter().copied());
        }
    }
}

fn odd_value(random: &mut Random) -> Value {
    match random.below(9) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1.5e300),
        3 => json!([]),
        4 => json!({"rfilename": *random.choose(&ODD)}),
        5 => json!("x/".repeat(random.below(5_000))),
        6 => (0..random.below(100)).fold(json!(0), |value, _| json!([value])),
        _ => json!(*random.choose(&ODD)),
    }
}

/// Changes a node of a list: its value, its presence, or its number.
fn change_json(value: &mut Value, random: &mut Random) {
    match value {
        Value::Object(fields) if !fields.is_empty() && random.below(12) > 0 => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            let key = match random.below(2) {
                0 => random.choose(&keys).clone(),
                // Most of the others are not looked at.
                _ => random.choose(&["sha", "siblings", "rfilename"]).to_string(),
            };
            match (random.below(6), fields.get_mut(&key)) {
                (0, _) => drop(fields.remove(&key)),
                (_, Some(value)) => change_json(value, random),
                (_, None) => drop(fields.insert(key, odd_value(random))),
            }
        }
        Value::Array(values) if !values.is_empty() && random.below(12) > 0 => {
            let place = random.below(values.len());
            match random.below(5) {
                0 => drop(values.remove(place)),
                1 => values.extend(vec![values[place].clone(); random.below(50)]),
                _ => change_json(&mut values[place], random),
            }
        }
        other => *other = odd_value(random),
    }
}

fn changed_list(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(random.choose::<Vec<u8>>(corpus)).unwrap();
    for _ in 0..random.below(4) {
        change_json(&mut value, random);
    }
    let mut bytes = value.to_string().into_bytes();
    for _ in 0..random.below(5).saturating_sub(2) {
        change_bytes(&mut bytes, random);
    }
    bytes
}

/// Changes the lines of a head: the status, the values of headers, their number.
fn changed_head(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = random
        .choose(corpus)
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec())
        .collect();
    lines.truncate(lines.len() - 2);
    for _ in 0..random.below(4) {
        let place = random.below(lines.len());
        match random.below(8) {
            0 if lines.len() > 1 => drop(lines.remove(place)),
            1 => lines.push(lines[place].clone()),
            2 => change_bytes(&mut lines[place], random),
            3 => {
                let status = random.choose(&[
                    100, 103, 200, 204, 206, 301, 304, 308, 401, 404, 416, 503, 999,
                ]);
                lines[0] = format!("HTTP/1.1 {status} Status").into_bytes();
            }
            _ => {
                let name = lines[place]
                    .split(|&byte| byte == b':')
                    .next()
                    .unwrap()
                    .to_vec();
                let odd = random.choose(&ODD).as_bytes();
                lines[place] = [&name, &b": "[..], odd].concat();
            }
        }
    }
    [lines.join(&b"\r\n"[..]), b"\r\n\r\n".to_vec()].concat()
}

/// The files of a folder of the corpus, in a fixed order.
fn corpus(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(folder);
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// What the Hub answers to each kind of request.
#[derive(Clone, Debug, Default)]
struct Answers {
    list: Vec<u8>,
    head: Vec<u8>,
    get: Vec<u8>,
    body: Vec<u8>,
}

/// A server with exchangeable answers, and a folder for caches.
struct Target {
    answers: Arc<Mutex<Answers>>,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Target {
    fn new() -> Self {
        let answers = Arc::new(Mutex::new(Answers::default()));
        let current = answers.clone();
        let address = serve(move |request| {
            let answers = current.lock().unwrap().clone();
            let raw = |head: Vec<u8>, body: Vec<u8>| {
                let mut reply = Reply::new(200, body);
                reply.raw_head = Some(head);
                reply
            };
            Some(
                match (request.target.starts_with("/api/"), request.method.as_str()) {
                    (true, _) => Reply::new(200, answers.list),
                    (_, "HEAD") => raw(answers.head, Vec::new()),
                    _ => raw(answers.get, answers.body),
                },
            )
        });
        Self {
            answers,
            endpoint: format!("http://{address}"),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("a/b/c/cache")
    }

    fn client(&self) -> Hub {
        Hub::new(self.cache())
            .with_endpoint(&self.endpoint)
            .unwrap()
            .with_retries(1, Duration::ZERO)
            .with_minimum_speed(1, Duration::from_secs(2))
    }

    /// Lists the files and downloads two of them, and checks what must hold whatever the answers were.
    fn run(&self, answers: Answers, choice: usize) -> Result<(), HubError> {
        *self.answers.lock().unwrap() = answers;
        let model: HubModel = "owner/name".parse().unwrap();
        let select = |names: &[String]| {
            for name in names {
                assert!(is_inside(name), "{name:?}");
            }
            let start = choice.min(names.len().saturating_sub(1));
            let chosen = names.iter().skip(start).take(2).cloned();
            Ok::<_, HubError>(chosen.collect())
        };
        let result = self.client().fetch(&model, select, &mut |_| ());
        if let Ok(folder) = &result {
            assert!(folder.starts_with(self.cache()));
            assert!(folder.ends_with("a".repeat(40)) || folder.file_name().unwrap().len() == 40);
        }
        self.check(result.map(drop))
    }

    fn check(&self, result: Result<(), HubError>) -> Result<(), HubError> {
        if let Err(error) = &result {
            let text = format!("{error}{error:?}");
            assert!(text.len() < 4_000, "{text}");
            assert!(!text.contains("password"), "{text}");
        }
        // Nothing beside the cache, on any level.
        for folder in ["", "a", "a/b", "a/b/c"] {
            let folder = self.folder.path().join(folder);
            assert!(fs::read_dir(folder).map_or(0, |entries| entries.count()) <= 1);
        }
        let _ = fs::remove_dir_all(self.cache());
        result
    }
}

fn is_inside(name: &str) -> bool {
    let is_normal = |component| matches!(component, Component::Normal(_));
    !name.is_empty()
        && Path::new(name).components().all(is_normal)
        && !name.contains(['\\', '\0', '\n'])
}

/// Runs a target with numbered changes, and prints how many of them had an effect.
fn run_changes(name: &str, mut target: impl FnMut(&mut Random) -> bool) {
    let changes = std::env::var("MUTATIONS").map_or(CHANGES, |count| count.parse().unwrap());
    let seed = std::env::var("MUTATIONS_SEED").map_or(0, |seed| seed.parse().unwrap());
    let mut accepted = 0;
    for number in 0..changes {
        let mut random = Random(
            0x9E37_79B9_7F4A_7C15 ^ (seed << 40) ^ (number + 1).wrapping_mul(0xD134_2543_DE82_EF95),
        );
        random.next();
        let result = catch_unwind(AssertUnwindSafe(|| target(&mut random)));
        accepted += u64::from(result.unwrap_or_else(|_| panic!("change {number} of {name}")));
    }
    println!("{name}: {changes} changes, {accepted} accepted");
    assert!(0 < accepted && accepted < changes);
}

#[test]
fn changed_lists_never_panic_and_never_lead_out_of_the_cache() {
    let (target, lists, heads) = (Target::new(), corpus("lists"), corpus("heads"));
    run_changes("lists", |random| {
        let answers = Answers {
            list: changed_list(&lists, random),
            head: heads[2].clone(),
            get: heads[2].clone(),
            body: b"content".to_vec(),
        };
        target.run(answers, random.below(5)).is_ok()
    });
}

#[test]
fn changed_headers_never_panic_and_never_lead_out_of_the_cache() {
    let (target, lists, heads) = (Target::new(), corpus("lists"), corpus("heads"));
    run_changes("headers", |random| {
        let mut answers = Answers {
            list: lists[2].clone(),
            head: changed_head(&heads, random),
            get: random.choose(&heads).clone(),
            body: b"content".to_vec(),
        };
        if random.below(2) == 0 {
            answers.get = changed_head(&heads, random);
        }
        if random.below(3) == 0 {
            answers.body = b"7\r\ncontent\r\n0\r\n\r\n".to_vec();
            change_bytes(&mut answers.body, random);
        }
        target.run(answers, random.below(3)).is_ok()
    });
}

#[test]
fn changed_references_never_panic_and_name_only_commits() {
    let (target, references) = (Target::new(), corpus("refs"));
    run_changes("references", |random| {
        let mut reference = random.choose(&references).clone();
        for _ in 0..random.below(3) {
            change_bytes(&mut reference, random);
        }
        let repository = target.cache().join("models--owner--name");
        let snapshot = repository.join("snapshots").join("a".repeat(40));
        fs::create_dir_all(&snapshot).unwrap();
        fs::create_dir_all(repository.join("refs")).unwrap();
        fs::write(snapshot.join("config.json"), "{}").unwrap();
        fs::write(repository.join("refs/main"), reference).unwrap();
        let client = target.client().with_offline(true);
        let found = client.files(&"owner/name".parse().unwrap());
        if let Ok(found) = &found {
            assert_eq!(found.commit(), "a".repeat(40));
        }
        target.check(found.map(drop)).is_ok()
    });
}
