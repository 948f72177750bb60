//! A single changed value of an image reference is found.

use std::ffi::OsStr;

use crate::folders::{Folder, add, positions};
use crate::run::{Run, verify};

const VALUES: usize = 3 * 64 * 64;

fn images(folder: &Folder) -> Run {
    verify([OsStr::new("images"), folder.path().as_os_str()])
}

#[test]
fn a_changed_pixel_value_is_found() {
    let folder = Folder::copy_of("images");
    let original = folder.read("pixels.safetensors");
    for name in ["exact.png", "one-pixel.png", "rotated-exif.jpg", "tiny.png"] {
        let tensor = format!("pillow/{name}");
        for index in positions(VALUES) {
            // 0.002 is a seventh of a grey level: less than decoders differ by, but between two levels.
            for change in [0.1, -0.1, 0.002, f32::NAN] {
                let mut changed = original.clone();
                add(&mut changed, &tensor, index, change);
                folder.write("pixels.safetensors", changed);
                let run = images(&folder);
                assert_eq!(
                    run.code,
                    Some(1),
                    "{tensor} {index} {change}\n{}",
                    run.output
                );
                assert!(run.output.contains(&format!("DIFFERS {tensor}")));
                assert!(run.output.contains("1 differ"));
            }
        }
    }
}

#[test]
fn another_size_is_found() {
    let folder = Folder::copy_of("images");
    // Nothing of the largest size may be allocated.
    for size in [63, 65, 128, 65_535] {
        folder.write("pixels.json", format!(r#"{{"size": {size}}}"#));
        let run = images(&folder);
        assert_eq!(run.code, Some(1), "{}", run.output);
    }
}
