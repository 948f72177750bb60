use std::path::PathBuf;

use captioning::RgbImage;
use preprocess::image::decode;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::error::{ImageError, image};

/// What Python calls a picture.
#[derive(Debug)]
pub(crate) enum Picture {
    /// A file.
    Path(PathBuf),
    /// The content of a file.
    Encoded(Vec<u8>),
    /// Pixels, from Pillow or an array.
    Pixels(RgbImage),
}

impl Picture {
    /// Takes what there is of a picture: a path, the bytes of a file, a Pillow image, an array of `uint8`
    /// `[height, width, 3]`, or a dictionary with `bytes` or `path` as data sets have it.
    pub(crate) fn from_python(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Encoded(bytes.as_bytes().to_vec()));
        }
        if let Ok(dictionary) = object.cast::<PyDict>() {
            return Self::from_dictionary(dictionary);
        }
        if let Ok(path) = object.extract::<PathBuf>() {
            return Ok(Self::Path(path));
        }
        if object.hasattr("convert")? && object.hasattr("tobytes")? {
            return Self::from_pillow(object);
        }
        if let Ok(buffer) = PyBuffer::<u8>::get(object) {
            return Self::from_buffer(object.py(), &buffer);
        }
        let kind = object.get_type().qualname()?;
        Err(PyTypeError::new_err(format!(
            "can't take a picture from {kind}: expected a path, the bytes of a file, a Pillow image, or an array \
             of uint8 [height, width, 3]"
        )))
    }

    fn from_dictionary(dictionary: &Bound<'_, PyDict>) -> PyResult<Self> {
        for key in ["bytes", "path"] {
            match dictionary.get_item(key)? {
                Some(value) if !value.is_none() => return Self::from_python(&value),
                _ => {}
            }
        }
        let message = "a picture as a dictionary needs \"bytes\" or \"path\"";
        Err(PyValueError::new_err(message))
    }

    /// Pillow converts to RGB itself, as it does for the reference.
    fn from_pillow(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rgb = object.call_method1("convert", ("RGB",))?;
        let (width, height): (u32, u32) = rgb.getattr("size")?.extract()?;
        let pixels = rgb.call_method0("tobytes")?.cast_into::<PyBytes>()?;
        Self::from_pixels(width, height, pixels.as_bytes().to_vec())
    }

    fn from_buffer(py: Python<'_>, buffer: &PyBuffer<u8>) -> PyResult<Self> {
        let values = buffer.to_vec(py)?;
        let (height, width, pixels) = match *buffer.shape() {
            [_] => return Ok(Self::Encoded(values)),
            [height, width] => (height, width, grey(&values)),
            [height, width, 1] => (height, width, grey(&values)),
            [height, width, 3] => (height, width, values),
            // Without its opacity, as files are read.
            [height, width, 4] => {
                let pixels = values.chunks_exact(4).flat_map(|pixel| &pixel[..3]);
                (height, width, pixels.copied().collect())
            }
            ref shape => {
                return Err(ImageError::new_err(format!(
                    "an array of shape {shape:?} is no picture: expected [height, width, 3], [height, width, 4] or \
                     [height, width]"
                )));
            }
        };
        let side = |length: usize| {
            u32::try_from(length).map_err(|_| ImageError::new_err("a picture is too large"))
        };
        Self::from_pixels(side(width)?, side(height)?, pixels)
    }

    fn from_pixels(width: u32, height: u32, pixels: Vec<u8>) -> PyResult<Self> {
        let pixels = RgbImage::new(width, height, pixels);
        Ok(Self::Pixels(pixels.map_err(|error| image(&error))?))
    }

    /// The pixels.
    pub(crate) fn open(self) -> Result<RgbImage, preprocess::Error> {
        match self {
            Self::Path(path) => decode::open(path, &Default::default()),
            Self::Encoded(bytes) => decode::decode(&bytes, &Default::default()),
            Self::Pixels(pixels) => Ok(pixels),
        }
    }
}

fn grey(values: &[u8]) -> Vec<u8> {
    values.iter().flat_map(|value| [*value; 3]).collect()
}
