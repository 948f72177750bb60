//! The structure of a Flax file, as `flax.serialization` writes it: maps with text keys, and arrays as
//! msgpack extensions of type 1 (type 3 for a scalar) that hold `[shape, type, bytes]`. An array of more
//! than 2^30 bytes is a map that holds the chunks of the flattened array.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek};

use rmp::Marker;
use rmp::decode::{self, ValueReadError};
use whole_files::limits;

use crate::LoadError;
use crate::read::bytes::{Bytes, BytesReader};
use crate::read::element::Element;

/// The position of an array in the file.
#[derive(Debug)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    /// The type of its values, or the name of a type that can't be read.
    pub(super) element: Result<Element, String>,
    pub(super) chunks: Vec<Chunk>,
}

/// A contiguous part of an array.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The position of its first byte in the file.
    pub(super) position: u64,
    pub(super) elements: usize,
}

/// An array and the keys on the way to it, joined by dots.
type Leaf = (String, Array);

const ARRAY: i8 = 1;
const SCALAR: i8 = 3;
/// The first key of a map that represents an array.
const CHUNKED: &str = "__msgpack_chunked_array__";
/// The limit to nested maps; models have about ten levels.
const DEEPEST: usize = 64;
/// The limit to the bytes of a key, the name of a type or a path of keys; models have fewer.
const LONGEST_TEXT: usize = 512;

pub(super) struct Parser<'a> {
    bytes: &'a Bytes,
    reader: BufReader<BytesReader<'a>>,
    path: Vec<String>,
    found: Vec<Leaf>,
    /// Bytes of the names of all arrays that were found.
    name_bytes: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a Bytes) -> Self {
        Self {
            bytes,
            reader: BufReader::new(bytes.reader()),
            path: Vec::new(),
            found: Vec::new(),
            name_bytes: 0,
        }
    }

    /// All arrays of the file.
    pub(super) fn parse(mut self) -> Result<Vec<Leaf>, LoadError> {
        let marker = self.peek()?;
        if !is_map(marker) {
            return Err(self.damaged(format!("expected a map, found {marker:?}")));
        }
        self.map()?;
        match self.bytes.length() - self.position() {
            0 => Ok(self.found),
            rest => Err(self.damaged(format!("{rest} bytes follow after its end"))),
        }
    }

    /// Reads a map of maps and arrays.
    fn map(&mut self) -> Result<(), LoadError> {
        if self.path.len() >= DEEPEST {
            return Err(self.damaged(format!("maps are nested more than {DEEPEST} deep")));
        }
        let entries = self.decode(decode::read_map_len)?;
        for number in 0..entries {
            let key = self.text()?;
            if key == CHUNKED && number == 0 {
                let array = self.chunked(entries)?;
                self.add(array)?;
                return Ok(());
            }
            let path: usize = self.path.iter().map(|key| key.len() + 1).sum();
            if path + key.len() > LONGEST_TEXT {
                return Err(self.damaged(format!("expected paths of at most {LONGEST_TEXT} bytes")));
            }
            self.path.push(key);
            let marker = self.peek()?;
            if is_map(marker) {
                self.map()?;
            } else if is_extension(marker) {
                let array = self.array()?;
                self.add(array)?;
            } else {
                return Err(self.damaged(format!("expected a map or an array, found {marker:?}")));
            }
            self.path.pop();
        }
        Ok(())
    }

    /// Adds the array at the current path.
    fn add(&mut self, array: Array) -> Result<(), LoadError> {
        let name = self.path.join(".");
        self.name_bytes += name.len();
        if self.found.len() >= limits::TENSORS || self.name_bytes > limits::TENSOR_NAMES {
            let (most, bytes) = (limits::TENSORS, limits::TENSOR_NAMES);
            return Err(self.damaged(format!(
                "expected at most {most} arrays, whose names have at most {bytes} bytes"
            )));
        }
        self.found.push((name, array));
        Ok(())
    }

    /// Reads the description of an array with contiguous bytes, and skips the bytes.
    fn array(&mut self) -> Result<Array, LoadError> {
        let extension = self.decode(decode::read_ext_meta)?;
        if !matches!(extension.typeid, ARRAY | SCALAR) {
            let kind = extension.typeid;
            return Err(self.damaged(format!("expected an array, found an extension {kind}")));
        }
        let end = self.position() + u64::from(extension.size);
        let parts = self.decode(decode::read_array_len)?;
        if parts != 3 {
            return Err(self.damaged(format!(
                "expected an array's shape, type and bytes, found {parts} parts"
            )));
        }
        let dimensions = self.decode(decode::read_array_len)?;
        self.check_dimensions(dimensions)?;
        let shape = (0..dimensions)
            .map(|_| self.size())
            .collect::<Result<Vec<usize>, _>>()?;
        let kind = self.text()?;
        let length = u64::from(self.decode(decode::read_bin_len)?);
        let position = self.position();
        if position + length != end || end > self.bytes.length() {
            let room = end.min(self.bytes.length()).saturating_sub(position);
            return Err(self.damaged(format!(
                "an array claims {length} bytes, but there are {room}"
            )));
        }
        let element = element(&kind);
        let elements = self.elements(&shape)?;
        let fits = match &element {
            Ok(element) => elements.checked_mul(element.size()) == usize::try_from(length).ok(),
            // Values of a type that is not known here. Each takes at least a byte.
            Err(_) => elements as u64 <= length,
        };
        if !fits {
            return Err(self.damaged(format!(
                "an array of shape {shape:?} and type {kind} has {length} bytes"
            )));
        }
        // The length is at most 2^32 in msgpack.
        self.reader
            .seek_relative(length as i64)
            .map_err(|error| self.unreadable(error))?;
        Ok(Array {
            shape,
            element,
            chunks: vec![Chunk { position, elements }],
        })
    }

    /// Reads the rest of a map that represents an array.
    fn chunked(&mut self, entries: u32) -> Result<Array, LoadError> {
        let flag = self.decode(decode::read_bool)?;
        if entries != 3 || !flag {
            return Err(self.damaged("expected the shape and the chunks of an array"));
        }
        self.expect_key("shape")?;
        let dimensions = self.decode(decode::read_map_len)?;
        self.check_dimensions(dimensions)?;
        let mut shape = Vec::new();
        for number in 0..dimensions {
            self.expect_key(&number.to_string())?;
            shape.push(self.size()?);
        }
        self.expect_key("chunks")?;
        let chunks = self.decode(decode::read_map_len)?;
        let mut whole: Option<Array> = None;
        let mut held = 0usize;
        for number in 0..chunks {
            self.expect_key(&number.to_string())?;
            let chunk = self.array()?;
            held = held.saturating_add(chunk.chunks.iter().map(|chunk| chunk.elements).sum());
            match &mut whole {
                None => whole = Some(chunk),
                Some(whole) if whole.element == chunk.element => whole.chunks.extend(chunk.chunks),
                Some(_) => return Err(self.damaged("the chunks of an array differ in type")),
            }
        }
        let elements = self.elements(&shape)?;
        match whole {
            Some(whole) if held == elements => Ok(Array { shape, ..whole }),
            _ => Err(self.damaged(format!(
                "an array of shape {shape:?} has {held} elements in {chunks} chunks"
            ))),
        }
    }

    fn expect_key(&mut self, expected: &str) -> Result<(), LoadError> {
        let found = self.text()?;
        match found == expected {
            true => Ok(()),
            false => Err(self.damaged(format!(
                "expected the key \"{expected}\" of an array in chunks, found {found:?}"
            ))),
        }
    }

    fn check_dimensions(&mut self, dimensions: u32) -> Result<(), LoadError> {
        match dimensions as usize {
            ..=limits::DIMENSIONS => Ok(()),
            _ => Err(self.damaged(format!("an array claims {dimensions} dimensions"))),
        }
    }

    fn elements(&mut self, shape: &[usize]) -> Result<usize, LoadError> {
        shape
            .iter()
            .try_fold(1usize, |product, size| product.checked_mul(*size))
            .ok_or_else(|| self.damaged(format!("the shape {shape:?} is too large for an array")))
    }

    fn size(&mut self) -> Result<usize, LoadError> {
        decode::read_int(&mut self.reader)
            .map_err(|_| self.damaged("expected a dimension of an array"))
    }

    fn text(&mut self) -> Result<String, LoadError> {
        let length = self.decode(decode::read_str_len)? as usize;
        if length > LONGEST_TEXT {
            return Err(self.damaged(format!("a key claims {length} bytes")));
        }
        let mut text = vec![0; length];
        self.reader
            .read_exact(&mut text)
            .map_err(|error| self.unreadable(error))?;
        String::from_utf8(text).map_err(|_| self.damaged("a key is not UTF-8 text"))
    }

    /// The marker of the next value, which is not consumed.
    fn peek(&mut self) -> Result<Marker, LoadError> {
        let next = self.reader.fill_buf().map(|next| next.first().copied());
        match next {
            Ok(Some(byte)) => Ok(Marker::from_u8(byte)),
            Ok(None) => Err(self.unreadable(ErrorKind::UnexpectedEof.into())),
            Err(error) => Err(self.unreadable(error)),
        }
    }

    /// Reads a value with one of the functions of `rmp`.
    fn decode<T>(
        &mut self,
        read: impl Fn(&mut BufReader<BytesReader<'a>>) -> Result<T, ValueReadError>,
    ) -> Result<T, LoadError> {
        read(&mut self.reader).map_err(|error| match error {
            ValueReadError::InvalidMarkerRead(error) | ValueReadError::InvalidDataRead(error) => {
                self.unreadable(error)
            }
            ValueReadError::TypeMismatch(marker) => {
                self.damaged(format!("found {marker:?}, which is not valid here"))
            }
        })
    }

    /// The number of bytes before the next value.
    fn position(&mut self) -> u64 {
        // This fails only for a position before the start.
        self.reader.stream_position().unwrap_or_default()
    }

    fn unreadable(&mut self, error: io::Error) -> LoadError {
        match error.kind() {
            ErrorKind::UnexpectedEof => self.damaged("it ends too early"),
            _ => self.bytes.error(error),
        }
    }

    /// An error with the position where it was found.
    fn damaged(&mut self, reason: impl Into<String>) -> LoadError {
        let (position, reason) = (self.position(), reason.into());
        self.bytes.damaged(match self.path.is_empty() {
            true => format!("near byte {position}: {reason}"),
            false => format!(
                "{}, near byte {position}: {reason}",
                abbreviated(&self.path)
            ),
        })
    }
}

fn is_map(marker: Marker) -> bool {
    matches!(marker, Marker::FixMap(_) | Marker::Map16 | Marker::Map32)
}

fn is_extension(marker: Marker) -> bool {
    use Marker::{Ext8, Ext16, Ext32, FixExt1, FixExt2, FixExt4, FixExt8, FixExt16};
    let fixed = matches!(marker, FixExt1 | FixExt2 | FixExt4 | FixExt8 | FixExt16);
    fixed || matches!(marker, Ext8 | Ext16 | Ext32)
}

/// The type with this name in NumPy, if it is one whose values can be read; otherwise the name.
fn element(kind: &str) -> Result<Element, String> {
    match kind {
        "float64" => Ok(Element::F64),
        "float32" => Ok(Element::F32),
        "float16" => Ok(Element::F16),
        "bfloat16" => Ok(Element::BF16),
        other => Err(other.into()),
    }
}

/// A path, without its end if it is very long.
fn abbreviated(path: &[String]) -> String {
    const SHOWN: usize = 8;
    match path.len() {
        ..=SHOWN => path.join("/"),
        _ => format!("{}/…", path[..SHOWN].join("/")),
    }
}
