use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// An event file with scalars, as TensorBoard reads them.
///
/// The file is a sequence of TFRecords, each an `Event` message of TensorFlow's `event.proto`; only the fields that
/// scalars need are written. After an interruption a new file goes on beside the old one, and TensorBoard drops
/// what the old one has from the step on at which the new one begins.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: BufWriter<File>,
}

/// What the names of event files begin with.
const EVENTS: &str = "events.out.tfevents.";

/// The version of the format that readers look for in the first event.
const VERSION: &str = "brain.Event:2";

impl EventFile {
    /// Creates a file in a folder, which is created too, for events from `first_step` on.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn create(folder: impl AsRef<Path>, first_step: u64) -> io::Result<Self> {
        let folder = folder.as_ref();
        std::fs::create_dir_all(folder)?;
        let goes_on = first_step > 0 || has_events(folder)?;
        let (path, file) = new_file(folder)?;
        let mut events = Self {
            path,
            file: BufWriter::new(file),
        };
        events.event(0, |event| event.text(3, VERSION))?;
        // A session that starts at a step makes readers drop what earlier files have from that step on.
        if goes_on {
            events.event(first_step, |event| {
                event.message(7, |session| session.integer(1, 1));
            })?;
        }
        events.flush()?;
        Ok(events)
    }

    /// Where the events go.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds values that belong to a step, each with a tag such as `train/loss`. Tags with the same first part are
    /// shown together.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn scalars<'a>(
        &mut self,
        step: u64,
        scalars: impl IntoIterator<Item = (&'a str, f32)>,
    ) -> io::Result<()> {
        self.event(step, |event| {
            event.message(5, |summary| {
                for (tag, value) in scalars {
                    summary.message(1, |entry| {
                        entry.text(1, tag);
                        entry.float(2, value);
                    });
                }
            });
        })
    }

    /// Hands everything to the operating system, so that readers see it.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    fn event(&mut self, step: u64, content: impl FnOnce(&mut Message)) -> io::Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut event = Message::default();
        event.double(1, now.map_or(0.0, |time| time.as_secs_f64()));
        event.integer(2, step);
        content(&mut event);
        self.record(&event.0)
    }

    /// A TFRecord: the length and the content, each followed by its checksum.
    fn record(&mut self, content: &[u8]) -> io::Result<()> {
        let length = (content.len() as u64).to_le_bytes();
        self.file.write_all(&length)?;
        self.file.write_all(&masked_checksum(&length))?;
        self.file.write_all(content)?;
        self.file.write_all(&masked_checksum(content))
    }
}

/// Whether a run has written to a folder before, perhaps one that was stopped before its first checkpoint.
fn has_events(folder: &Path) -> io::Result<bool> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name.to_string_lossy().starts_with(EVENTS) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Event files are told apart and ordered by the time in their names.
fn new_file(folder: &Path) -> io::Result<(PathBuf, File)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = now.map_or(0, |time| time.as_secs());
    for number in 0..1000 {
        let name = format!("{EVENTS}{seconds:010}.{number}");
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// The CRC-32C of the bytes, rotated and shifted so that checksums of checksums are sound.
fn masked_checksum(bytes: &[u8]) -> [u8; 4] {
    let checksum = crc32c::crc32c(bytes);
    checksum
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
        .to_le_bytes()
}

/// A message of Protocol Buffers under construction.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// A field of type `double`.
    fn double(&mut self, field: u8, value: f64) {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
    }

    /// A field of type `float`.
    fn float(&mut self, field: u8, value: f32) {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
    }

    /// A field of an integer type or an enumeration.
    fn integer(&mut self, field: u8, value: u64) {
        self.key(field, 0);
        self.varint(value);
    }

    fn text(&mut self, field: u8, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u8, content: impl FnOnce(&mut Message)) {
        let mut message = Self::default();
        content(&mut message);
        self.bytes(field, &message.0);
    }

    fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.key(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
    }

    fn key(&mut self, field: u8, wire_type: u8) {
        self.0.push(field << 3 | wire_type);
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits a file into the contents of its records and checks their checksums.
    fn records(mut bytes: &[u8]) -> Vec<&[u8]> {
        let mut records = Vec::new();
        while !bytes.is_empty() {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(bytes[8..12], masked_checksum(&bytes[..8]));
            let content = &bytes[12..12 + length];
            assert_eq!(bytes[12 + length..16 + length], masked_checksum(content));
            records.push(content);
            bytes = &bytes[16 + length..];
        }
        records
    }

    #[test]
    fn a_file_begins_with_its_version_and_holds_scalars() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = EventFile::create(folder.path(), 0).unwrap();
        events
            .scalars(300, [("train/loss", 2.5), ("train/rate", 0.001)])
            .unwrap();
        events.flush().unwrap();

        let bytes = std::fs::read(events.path()).unwrap();
        let records = records(&bytes);
        assert_eq!(records.len(), 2);
        assert!(records[0].ends_with(b"\x1a\x0dbrain.Event:2"));
        // After the time: step 300, and a summary of two values.
        let loss = b"\x0a\x11\x0a\x0atrain/loss\x15\x00\x00\x20\x40";
        assert_eq!(records[1][9..13], *b"\x10\xac\x02\x2a");
        assert_eq!(records[1][14..14 + loss.len()], *loss);
    }

    #[test]
    fn a_file_that_goes_on_says_from_which_step() {
        let folder = tempfile::tempdir().unwrap();
        let first = EventFile::create(folder.path(), 0).unwrap();
        let second = EventFile::create(folder.path(), 50).unwrap();
        assert_ne!(first.path(), second.path());
        let bytes = std::fs::read(second.path()).unwrap();
        assert!(records(&bytes)[1].ends_with(b"\x10\x32\x3a\x02\x08\x01"));
    }

    #[test]
    fn a_run_that_begins_again_drops_all_of_the_run_before() {
        let folder = tempfile::tempdir().unwrap();
        EventFile::create(folder.path(), 0).unwrap();
        let again = EventFile::create(folder.path(), 0).unwrap();
        let bytes = std::fs::read(again.path()).unwrap();
        assert!(records(&bytes)[1].ends_with(b"\x10\x00\x3a\x02\x08\x01"));
    }

    #[test]
    fn the_checksum_is_that_of_the_format() {
        // CRC-32C of "123456789" is 0xe3069283.
        let expected = 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(masked_checksum(b"123456789"), expected.to_le_bytes());
    }
}
