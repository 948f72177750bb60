//! From a picture to pixel values.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use preprocess::image::RgbImage;

use super::flow::{Flow, Prepared, Role};
use super::{Failure, Record};
use crate::Captioner;

/// A thread that opens and prepares pictures.
pub(super) struct Reader<'a, I, T, E, O> {
    captioner: &'a Captioner,
    open: &'a O,
    flow: &'a Flow<I, T, E>,
}

impl<'a, I, T, E, O> Reader<'a, I, T, E, O>
where
    I: Iterator<Item = T>,
    O: Fn(&mut T) -> Result<RgbImage, E>,
{
    pub(super) fn new(captioner: &'a Captioner, open: &'a O, flow: &'a Flow<I, T, E>) -> Self {
        Self {
            captioner,
            open,
            flow,
        }
    }

    pub(super) fn run(&self) {
        let _at_work = self.flow.at_work(Role::Reader);
        while let Some((index, mut picture)) = self.flow.next_picture() {
            let begun = Instant::now();
            let pixels = guarded(|| {
                let image = (self.open)(&mut picture).map_err(Failure::Open)?;
                let processed = self.captioner.image_processor().process(&image);
                processed.map_err(|error| Failure::Caption(error.into()))
            });
            match pixels {
                Ok(pixels) => self.flow.put(Prepared {
                    index,
                    picture,
                    pixels,
                    prepare: begun.elapsed(),
                }),
                Err(failure) => self.flow.fail(Record {
                    index,
                    picture,
                    captions: Err(failure),
                    encode: begun.elapsed(),
                    generate: Duration::ZERO,
                }),
            }
        }
    }
}

/// Does work that may panic. What it has changed by then must not be used any more.
pub(super) fn guarded<R, E>(work: impl FnOnce() -> Result<R, Failure<E>>) -> Result<R, Failure<E>> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(Failure::Panicked {
            message: message(panic.as_ref()),
        })
    })
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
