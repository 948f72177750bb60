//! A Hub, the storage server that it sends clients to for large files, and a client with a cache.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hub::{Hub, HubError, HubModel, Progress};
use tempfile::TempDir;

use crate::repository::{NEEDED, Repository, Storage, StoredFile};
use crate::server::{Reply, Request, serve};

/// The two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Hub,
    Storage,
}

/// What can go wrong with a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection is closed without an answer.
    NoAnswer,
    /// Another answer.
    Answer(Reply),
    /// The connection is closed after this many bytes of the body.
    Cut(usize),
    /// The length of the body is not announced, and the connection is closed after this many bytes.
    CutUnannounced(usize),
    /// The first byte of the body is changed.
    Flip,
    /// A body of another length.
    Resize(usize),
    /// Another value of a header.
    Header(&'static str, &'static str),
    /// The pause after each byte of the headers and of the body.
    Drip(Duration, Duration),
    /// A `Range` header is ignored.
    IgnoreRange,
    /// The wrong part is sent.
    WrongRange,
}

impl Fault {
    /// An error as the Hub reports it.
    pub(crate) fn status(status: u16, code: &str) -> Self {
        let reply = Reply::new(status, "no");
        Self::Answer(match code {
            "" => reply,
            code => reply.with_header("X-Error-Code", code),
        })
    }
}

/// A fault of the next request of this kind.
struct Planned {
    host: Host,
    method: &'static str,
    target: String,
    fault: Fault,
}

#[derive(Default)]
struct State {
    repositories: BTreeMap<String, Repository>,
    /// New names by old ones.
    renamed: BTreeMap<String, String>,
    faults: Vec<Planned>,
    log: Vec<(Host, Request)>,
    storage: Option<SocketAddr>,
}

/// Two servers and a client.
pub(crate) struct TestHub {
    state: Arc<Mutex<State>>,
    address: SocketAddr,
    cache: TempDir,
}

impl TestHub {
    /// A Hub with `owner/name`.
    pub(crate) fn new(repository: Repository) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let server = |host| {
            let state = state.clone();
            serve(move |request| state.lock().unwrap().answer(host, request))
        };
        let (address, storage) = (server(Host::Hub), server(Host::Storage));
        state.lock().unwrap().storage = Some(storage);
        let hub = Self {
            state,
            address,
            cache: TempDir::new().unwrap(),
        };
        hub.put("owner/name", repository);
        hub
    }

    /// Adds or replaces a repository.
    pub(crate) fn put(&self, name: &str, repository: Repository) {
        let mut state = self.state.lock().unwrap();
        state.repositories.insert(name.into(), repository);
    }

    pub(crate) fn rename(&self, old: &str, new: &str) {
        let mut state = self.state.lock().unwrap();
        state.renamed.insert(old.into(), new.into());
    }

    /// Plans faults of the next requests whose target contains `target`, one per request.
    pub(crate) fn fail(
        &self,
        host: Host,
        method: &'static str,
        target: &str,
        faults: impl IntoIterator<Item = Fault>,
    ) {
        let planned = faults.into_iter().map(|fault| Planned {
            host,
            method,
            target: target.into(),
            fault,
        });
        self.state.lock().unwrap().faults.extend(planned);
    }

    /// Forgets planned faults that have not happened.
    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().faults.clear();
    }

    /// The requests since the last call.
    pub(crate) fn take_log(&self) -> Vec<(Host, Request)> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }

    /// A client that repeats requests twice.
    pub(crate) fn client(&self) -> Hub {
        Hub::new(self.cache())
            .with_endpoint(&self.endpoint())
            .unwrap()
            .with_retries(2, Duration::from_millis(1))
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn cache(&self) -> &Path {
        self.cache.path()
    }

    /// The folder of `owner/name` in the cache.
    pub(crate) fn repository_cache(&self) -> PathBuf {
        self.cache().join("models--owner--name")
    }

    /// Downloads a checkpoint without reporting progress.
    pub(crate) fn checkpoint(&self, model: &str) -> Result<PathBuf, HubError> {
        let model: HubModel = model.parse().unwrap();
        self.client().fetch(&model, needed, &mut |_| ())
    }

    /// The names of the incomplete files.
    pub(crate) fn incomplete(&self) -> Vec<PathBuf> {
        let blobs = fs::read_dir(self.repository_cache().join("blobs"));
        let paths = blobs
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|e| e == "incomplete"))
            .collect()
    }
}

impl State {
    fn answer(&mut self, host: Host, request: &Request) -> Option<Reply> {
        self.log.push((host, request.clone()));
        let planned = self.faults.iter().position(|planned| {
            planned.host == host
                && planned.method == request.method
                && request.target.contains(&planned.target)
        });
        let fault = planned.map(|index| self.faults.remove(index).fault);
        let mut request = request.clone();
        if matches!(fault, Some(Fault::IgnoreRange)) {
            request.headers.remove("range");
        }
        let mut reply = match host {
            Host::Hub => self.hub(&request),
            Host::Storage => self.storage(&request),
        }
        .unwrap_or_else(|| Reply::new(404, "nothing here"));
        match fault {
            None | Some(Fault::IgnoreRange) => (),
            Some(Fault::NoAnswer) => return None,
            Some(Fault::Answer(other)) => reply = other,
            Some(Fault::Cut(count)) => reply.cut_at = Some(count),
            Some(Fault::CutUnannounced(count)) => {
                reply.with_length = false;
                reply.cut_at = Some(count);
            }
            Some(Fault::Header(name, value)) => {
                reply.headers.retain(|header| header.0 != name);
                reply.headers.push((name, value.into()));
            }
            Some(Fault::Drip(head, body)) => reply.drip = (head, body),
            Some(Fault::Flip) => reply.body[0] ^= 1,
            Some(Fault::Resize(length)) => reply.body.resize(length, 0),
            Some(Fault::WrongRange) => {
                let (_, range) = reply
                    .headers
                    .iter_mut()
                    .find(|h| h.0 == "Content-Range")
                    .unwrap();
                *range = "bytes 1-2/*".into();
            }
        }
        Some(reply)
    }

    fn hub(&self, request: &Request) -> Option<Reply> {
        let target = request.target.as_str();
        for (old, new) in &self.renamed {
            if target.contains(old) {
                return Some(Reply::new(307, "").with_header("Location", target.replace(old, new)));
            }
        }
        if let Some(rest) = target.strip_prefix("/api/models/") {
            let (name, revision) = rest.split_once("/revision/")?;
            return Some(self.list(name, &decode(revision)));
        }
        let (name, rest) = target.strip_prefix('/')?.split_once("/resolve/")?;
        let (commit, path) = rest.split_once('/')?;
        let (commit, files) = self.repositories.get(name)?.find(commit)?;
        let Some(file) = files.get(&decode(path)) else {
            return Some(Reply::new(404, "").with_header("X-Error-Code", "EntryNotFound"));
        };
        if file.storage != Storage::Large {
            return Some(content(file, request).with_header("X-Repo-Commit", commit));
        }
        let location = format!("http://{}{target}?signature=secret", self.storage?);
        let redirect = Reply::new(302, "elsewhere")
            .with_header("ETag", "\"of the redirect\"")
            .with_header("X-Linked-ETag", format!("\"{}\"", file.etag()))
            .with_header("X-Repo-Commit", commit)
            .with_header("X-Linked-Size", file.content.len().to_string())
            .with_header("Location", location);
        Some(redirect)
    }

    fn list(&self, name: &str, revision: &str) -> Reply {
        let error = |code| Reply::new(404, "{}").with_header("X-Error-Code", code);
        let Some(repository) = self.repositories.get(name) else {
            return error("RepoNotFound");
        };
        let Some((commit, files)) = repository.find(revision) else {
            return error("RevisionNotFound");
        };
        let files: Vec<_> = files
            .keys()
            .map(|path| serde_json::json!({"rfilename": path}))
            .collect();
        Reply::new(
            200,
            serde_json::json!({"sha": commit, "siblings": files}).to_string(),
        )
    }

    /// Addresses are those of the Hub.
    fn storage(&self, request: &Request) -> Option<Reply> {
        let target = request.target.strip_suffix("?signature=secret")?;
        let (name, rest) = target.strip_prefix('/')?.split_once("/resolve/")?;
        let (commit, path) = rest.split_once('/')?;
        let (_, files) = self.repositories.get(name)?.find(commit)?;
        Some(content(files.get(&decode(path))?, request))
    }
}

/// The content, or the end of it.
fn content(file: &StoredFile, request: &Request) -> Reply {
    let size = file.content.len();
    let reply = |status, body: &[u8]| {
        Reply::new(status, body).with_header("ETag", format!("W/\"{}\"", file.etag()))
    };
    let Some(range) = request.headers.get("range") else {
        return reply(200, &file.content);
    };
    let start = range
        .strip_prefix("bytes=")
        .and_then(|range| range.strip_suffix('-'));
    let start: usize = start.unwrap().parse().unwrap();
    if start >= size {
        return reply(416, b"").with_header("Content-Range", format!("bytes */{size}"));
    }
    let range = format!("bytes {start}-{}/{size}", size - 1);
    reply(206, &file.content[start..]).with_header("Content-Range", range)
}

/// Decodes percent-encoding.
fn decode(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// File, done and total of a progress, which has to be that of a transfer.
pub(crate) fn transferred(progress: Progress<'_>) -> (&str, u64, u64) {
    match progress {
        Progress::Transfer {
            file, done, total, ..
        } => (file, done, total),
        other => panic!("{other:?}"),
    }
}

/// Selects the files of a checkpoint. The tokenizer may be missing.
pub(crate) fn needed(names: &[String]) -> Result<Vec<String>, String> {
    select(names, &["model.safetensors", "config.json"])?;
    let present = |wanted: &&str| names.iter().any(|name| name == wanted);
    let present = NEEDED.into_iter().filter(present);
    Ok(present.map(String::from).collect())
}

/// Selects files, all of which have to exist.
pub(crate) fn select(names: &[String], wanted: &[&str]) -> Result<Vec<String>, String> {
    let missing = wanted.iter().find(|name| !names.iter().any(|n| n == *name));
    match missing {
        Some(name) => Err(format!("expected {name}, found {}", names.join(", "))),
        None => Ok(wanted.iter().map(|&name| name.into()).collect()),
    }
}
