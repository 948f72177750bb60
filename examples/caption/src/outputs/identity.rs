//! What decides on the content of a file, as a hash in its name.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

use sha2::{Digest, Sha256};
use whole_files::limits;

use super::{FolderError, OutputFormat};
use crate::inputs::Unit;
use crate::job::Job;

/// Of everything but the input: model, options, format.
#[derive(Debug)]
pub(super) struct RunIdentity(Parts);

/// Values one after the other, each with its length, so that no two lists of values have the same bytes.
#[derive(Clone, Debug)]
struct Parts(Sha256);

impl RunIdentity {
    pub(super) fn new(job: &Job<'_>) -> Result<Self, FolderError> {
        let (arguments, options) = (job.arguments, &job.chosen.options);
        let mut parts = Parts(Sha256::new());
        parts.add("captions 1");
        let models = [
            job.folder.as_ref().map(|folder| folder.to_path_buf()),
            arguments.model.tokenizer.as_ref().map(Into::into),
            arguments.translate.as_ref().map(Into::into),
            arguments.shortlist.clone(),
        ];
        for model in models {
            match model {
                Some(path) => parts.add_content(&path)?,
                // The model within this program.
                None => parts.add(env!("CARGO_PKG_VERSION")),
            }
        }
        parts.add(format!("{:?}", job.captioner.format()));
        parts.add(&arguments.model.device);
        let codes = job.languages.iter().map(|language| language.code);
        parts.add(codes.collect::<Vec<_>>().join(" "));
        parts.add(serde_json::to_string(&options.generation).unwrap_or_default());
        parts.add(&options.prompt);
        parts.add(&options.prefix);
        parts.add(format!("{:?} {:?}", options.required, options.forbidden));
        parts.add(options.alternatives.to_string());
        parts.add(format!("{:?}", arguments.pictures.decoding(false)));
        parts.add(arguments.image_column.as_deref().unwrap_or_default());
        Ok(Self(parts))
    }

    /// The name of the file for a unit.
    pub(super) fn file_name(&self, unit: &Unit, format: OutputFormat) -> String {
        let mut parts = self.0.clone();
        parts.add(format.name());
        let stem = match unit {
            Unit::Pictures(paths) => {
                for path in paths {
                    parts.add_state(path);
                }
                "pictures".into()
            }
            Unit::Shard(path) => {
                parts.add("shard");
                parts.add_state(path);
                stem(path)
            }
        };
        let hash = parts.0.finalize();
        let hash: String = hash
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{stem}-{hash}.{format}")
    }
}

impl Parts {
    fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// The path of a file, its size and when it was written, as far as it exists.
    fn add_state(&mut self, path: &Path) {
        self.add(path.as_os_str().as_encoded_bytes());
        self.add(fs::metadata(path).map_or([0; 16], |metadata| state(&metadata)));
    }

    /// The content of a file, or of the files in a folder. Of large ones, size and time have to do. What does not exist is a
    /// name, of a model on a hub for example.
    fn add_content(&mut self, path: &Path) -> Result<(), FolderError> {
        let failed = |source| FolderError::Io {
            action: "read",
            path: path.to_owned(),
            source,
        };
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(failed)?;
            let mut files = Vec::new();
            for entry in entries {
                let entry = entry.map_err(failed)?;
                if entry.path().is_file() {
                    files.push(entry.file_name());
                }
            }
            files.sort();
            for file in files {
                self.add(file.as_encoded_bytes());
                self.add_file(&path.join(file)).map_err(failed)?;
            }
            return Ok(());
        }
        self.add(path.as_os_str().as_encoded_bytes());
        match path.is_file() {
            true => self.add_file(path).map_err(failed),
            false => Ok(()),
        }
    }

    fn add_file(&mut self, path: &Path) -> std::io::Result<()> {
        let metadata = fs::metadata(path)?;
        match metadata.len() <= limits::VOCABULARY {
            true => self.add(Sha256::digest(fs::read(path)?)),
            false => self.add(state(&metadata)),
        }
        Ok(())
    }
}

/// Size and time of a file.
fn state(metadata: &Metadata) -> [u8; 16] {
    let modified = metadata.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let nanoseconds = since.map_or(0, |since| since.as_nanos() as u64);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&metadata.len().to_le_bytes());
    bytes[8..].copy_from_slice(&nanoseconds.to_le_bytes());
    bytes
}

/// The name of a shard without what could trouble a shell or another file system.
fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |character: char| match character {
        '-' | '_' | '.' => character,
        _ if character.is_ascii_alphanumeric() => character,
        _ => '_',
    };
    let stem: String = stem.chars().take(100).map(plain).collect();
    // Hidden files are not looked at.
    stem.trim_start_matches('.').to_owned()
}
