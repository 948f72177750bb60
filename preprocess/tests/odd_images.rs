//! Files of unusual kinds decode to the pixels of Pillow, and what Pillow refuses as damaged is refused.

use preprocess::Error;
use preprocess::image::RgbImage;
use preprocess::image::decode::{Alpha, DecodeOptions, decode};
use safetensors::SafeTensors;

const REFERENCE: &[u8] = include_bytes!("data/odd-images.safetensors");

fn image_of(reference: &SafeTensors, name: &str) -> Option<RgbImage> {
    let tensor = reference.tensor(name).ok()?;
    let [height, width, 3] = *tensor.shape() else {
        panic!("{:?}", tensor.shape());
    };
    let image = RgbImage::new(width as u32, height as u32, tensor.data().to_vec());
    Some(image.unwrap())
}

/// Whether the images are equal; what differs is part of the message.
fn check(name: &str, ours: &RgbImage, theirs: &RgbImage) {
    assert_eq!(
        [ours.width(), ours.height()],
        [theirs.width(), theirs.height()],
        "{name}"
    );
    let pairs = ours.pixels().iter().zip(theirs.pixels());
    let distance = pairs.map(|(a, b)| a.abs_diff(*b)).max();
    assert_eq!(distance, Some(0), "{name}");
}

#[test]
fn odd_files_decode_to_the_pixels_of_pillow() {
    let reference = SafeTensors::deserialize(REFERENCE).unwrap();
    let (mut equal, mut refused) = (0, 0);
    for (name, file) in reference.tensors() {
        let Some(name) = name.strip_prefix("file/") else {
            continue;
        };
        let read = |alpha| decode(file.data(), &DecodeOptions::default().with_alpha(alpha));
        let Some(rgb) = image_of(&reference, &format!("rgb/{name}")) else {
            let error = read(Alpha::Drop).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{name}: {error}");
            refused += 1;
            continue;
        };
        check(name, &read(Alpha::Drop).unwrap(), &rgb);
        let over_white = image_of(&reference, &format!("over-white/{name}")).unwrap_or(rgb);
        check(name, &read(Alpha::OverWhite).unwrap(), &over_white);
        equal += 1;
    }
    assert!(equal > 200 && refused > 5, "{equal} {refused}");
}

#[test]
fn transparency_over_black_is_the_colour_weighted_with_its_opacity() {
    // A PAM file of three pixels.
    let header = "P7\nWIDTH 3\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n";
    let pixels = [[200, 100, 50, 255], [200, 100, 50, 0], [255, 255, 255, 128]];
    let file = [header.as_bytes(), pixels.as_flattened()].concat();
    let options = DecodeOptions::default().with_alpha(Alpha::OverBlack);
    let image = decode(&file, &options).unwrap();
    assert_eq!(image.pixels(), [200, 100, 50, 0, 0, 0, 128, 128, 128]);
}

/// The orientation of a TIFF is applied once, whatever the options say.
#[test]
fn a_tiff_is_turned_once() {
    let reference = SafeTensors::deserialize(REFERENCE).unwrap();
    for orientation in 1..=8 {
        let name = format!("turned{orientation}.tif");
        let file = reference.tensor(&format!("file/{name}")).unwrap();
        let rgb = image_of(&reference, &format!("rgb/{name}")).unwrap();
        for apply in [false, true] {
            let options = DecodeOptions::default().with_apply_exif_orientation(apply);
            check(&name, &decode(file.data(), &options).unwrap(), &rgb);
        }
    }
}
