use clap::Args;
use preprocess::image::decode::{Alpha, DecodeOptions};

#[allow(missing_docs)]
#[derive(Args, Clone, Debug)]
pub struct PictureArguments {
    /// Rotate pictures as their EXIF orientation says, which the reference implementation does not.
    #[arg(long)]
    pub apply_exif_orientation: bool,
    /// What to do with transparency: lay the picture on a white ground, as transformers 5 does, on a black one, or
    /// drop it and show the colours below, as Pillow does: white, black or drop [default: white, or drop with
    /// --as-published]
    #[arg(long, value_name = "GROUND")]
    pub alpha: Option<Alpha>,
}

impl PictureArguments {
    /// How pictures are decoded.
    pub fn decoding(&self, as_published: bool) -> DecodeOptions {
        let alpha = self.alpha.unwrap_or(match as_published {
            true => Alpha::Drop, // the original code knew nothing else
            false => Alpha::OverWhite,
        });
        DecodeOptions::default()
            .with_apply_exif_orientation(self.apply_exif_orientation)
            .with_alpha(alpha)
    }
}
