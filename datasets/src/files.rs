//! From what a user names to a list of files, and from a file to its format.

use std::fs;
use std::path::{Path, PathBuf};

use crate::positioned::{read_at, unreadable};
use crate::{Error, Format};

const KINDS: &str = "files that end in .tsv, .parquet or .tar";

/// The largest number of files that braces may stand for.
const MAX_FILES: usize = 1 << 20;

/// The files that a path stands for, in order: a file itself, the tables and shards of a folder, or what matches a
/// pattern with `*`, `?`, `[..]` or a range in braces like `{000..127}`.
pub(crate) fn expand(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if path.is_dir() {
        return in_folder(path);
    }
    let text = path.to_string_lossy();
    // A file may have such characters in its name.
    if path.exists() || !text.contains(['*', '?', '[', '{']) {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for pattern in braces(path, &text)? {
        if !pattern.contains(['*', '?', '[']) {
            files.push(PathBuf::from(pattern));
            continue;
        }
        let found = glob::glob(&pattern).map_err(|error| Error::Pattern {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        for file in found {
            let file = file.map_err(|error| Error::Io {
                action: "list",
                path: error.path().to_owned(),
                source: error.into(),
            })?;
            if !file.is_dir() {
                files.push(file);
            }
        }
    }
    match files.is_empty() {
        true => Err(none(path)),
        false => Ok(files),
    }
}

fn none(path: &Path) -> Error {
    Error::NoFiles {
        path: path.to_owned(),
        expected: KINDS,
    }
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failure = |source| Error::Io {
        action: "list",
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failure)? {
        let path = entry.map_err(failure)?.path();
        if by_name(&path).is_some() && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    match files.is_empty() {
        true => Err(none(folder)),
        false => Ok(files),
    }
}

/// The patterns that a pattern with ranges in braces stands for, as WebDataset writes them.
fn braces(path: &Path, text: &str) -> Result<Vec<String>, Error> {
    let failure = |reason: &str| Error::Pattern {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let mut done = vec![String::new()];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let unclosed = "expected a closing brace";
        let (inside, after) = after.split_once('}').ok_or_else(|| failure(unclosed))?;
        let choices: Vec<String> = match inside.split_once("..") {
            Some((first, last)) => {
                let number = |text: &str| text.parse::<u32>().ok();
                let (Some(start), Some(end)) = (number(first), number(last)) else {
                    return Err(failure("expected a range of numbers like {000..127}"));
                };
                let count = (u64::from(end) + 1).saturating_sub(u64::from(start));
                if count == 0 || count.saturating_mul(done.len() as u64) > MAX_FILES as u64 {
                    return Err(failure("expected a range of 1 to 1048576 files"));
                }
                let width = first.len();
                (start..=end)
                    .map(|number| format!("{number:0width$}"))
                    .collect()
            }
            None => inside.split(',').map(str::to_owned).collect(),
        };
        if choices.len().saturating_mul(done.len()) > MAX_FILES {
            return Err(failure("expected at most 1048576 files"));
        }
        let joined = done.iter().flat_map(|start| {
            let join = move |choice| format!("{start}{before}{choice}");
            choices.iter().map(join)
        });
        done = joined.collect();
        rest = after;
    }
    Ok(done.into_iter().map(|start| start + rest).collect())
}

fn by_name(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "tsv" => Some(Format::Tsv),
        "parquet" => Some(Format::Parquet),
        "tar" => Some(Format::WebDataset),
        _ => None,
    }
}

/// The format of a file by its name, or else by its first bytes.
pub(crate) fn format_of(path: &Path) -> Result<Format, Error> {
    if let Some(format) = by_name(path) {
        return Ok(format);
    }
    let (file, _) = whole_files::open(path)?;
    let mut start = [0; 512];
    let count = read_at(&file, &mut start, 0).map_err(|source| unreadable(path, source))?;
    let start = &start[..count];
    let unknown = |found: &str| Error::UnknownFormat {
        path: path.to_owned(),
        found: found.to_owned(),
    };
    match start {
        [b'P', b'A', b'R', b'1', ..] => Ok(Format::Parquet),
        [0x1F, 0x8B, ..] => Err(unknown("a gzip file; unpack it first")),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Err(unknown("a Zstandard file; unpack it first")),
        [b'P', b'K', 3, 4, ..] => Err(unknown("a ZIP file; unpack it first")),
        _ if start.get(257..262) == Some(b"ustar") => Ok(Format::WebDataset),
        _ if start
            .split(|byte| *byte == b'\n')
            .next()
            .is_some_and(|line| line.contains(&b'\t')) =>
        {
            Ok(Format::Tsv)
        }
        [] => Err(unknown("an empty file")),
        _ => Err(unknown("none of them by its name or first line")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(pattern: &str) -> Result<Vec<String>, String> {
        braces(Path::new(pattern), pattern).map_err(|error| error.to_string())
    }

    #[test]
    fn ranges_and_lists_in_braces_stand_for_their_names() {
        assert_eq!(
            expanded("a{08..10}.tar").unwrap(),
            ["a08.tar", "a09.tar", "a10.tar"]
        );
        assert_eq!(expanded("{a,b}{1..2}").unwrap(), ["a1", "a2", "b1", "b2"]);
        for pattern in [
            "a{1..",
            "a{1..x}",
            "a{2..1}",
            "{0..4294967295}",
            "{1..9999}{1..9999}",
        ] {
            assert!(expanded(pattern).is_err(), "{pattern}");
        }
    }
}
