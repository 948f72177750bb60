//! Lists of files.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::picture::STANDARD_INPUT;
use super::search::InputError;

/// The longest line: paths have at most 4,096 bytes on Linux, and 32,767 characters on Windows.
const LONGEST_LINE: u64 = 1 << 17;

/// Reads a list with a path a line, from a file or from standard input for `-`. Empty lines are passed over.
pub(super) fn read(list: &Path) -> Result<Vec<PathBuf>, InputError> {
    let failed = |source| InputError::List {
        list: list.to_owned(),
        source,
    };
    if list.as_os_str() == STANDARD_INPUT {
        return lines(io::stdin().lock()).map_err(failed);
    }
    let (file, _) = whole_files::open(list).map_err(InputError::Read)?;
    lines(BufReader::new(file)).map_err(failed)
}

fn lines(mut reader: impl BufRead) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = (&mut reader)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(paths);
        }
        if count as u64 == LONGEST_LINE {
            let problem = format!("line {} is longer than any path", paths.len() + 1);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        let path = line.strip_suffix(b"\n").unwrap_or(&line);
        let path = path.strip_suffix(b"\r").unwrap_or(path);
        if !path.is_empty() {
            paths.push(path_of(path)?);
        }
    }
}

/// On Unix a path is bytes.
#[cfg(unix)]
fn path_of(bytes: &[u8]) -> io::Result<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    Ok(OsStr::from_bytes(bytes).into())
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> io::Result<PathBuf> {
    let text = std::str::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_path_a_line_and_any_bytes_in_them() {
        let paths = lines(&b"a.png\n\nb c.png\r\n\xff.png"[..]).unwrap();
        assert_eq!(paths.len(), 3);
        assert_eq!(paths[1], Path::new("b c.png"));
        let endless = vec![b'a'; 1 << 18];
        assert!(lines(&endless[..]).is_err());
    }
}
