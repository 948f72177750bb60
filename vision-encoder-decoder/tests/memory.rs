//! Loading holds the model and a block, not the file beside the model.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::Device;
use common::{Sizes, write};
use vision_encoder_decoder::Pretrained;

/// The kernel's figure of this process in bytes, such as `VmHWM`, the largest resident size so far.
fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

#[test]
fn loading_takes_no_more_than_the_model_and_64_mebibytes() {
    // Large enough that a second copy of its largest tensor, or of all others, would show.
    let sizes = Sizes {
        encoder_width: 64,
        decoder_width: 512,
        layers: 24,
        vocabulary: 100_000,
    };
    let folder = tempfile::TempDir::new().unwrap();
    let size = {
        let tensors = sizes.tensors();
        write(folder.path(), &sizes.config_json(), &tensors);
        tensors
            .values()
            .map(|(_, values)| values.len() * 4)
            .sum::<usize>()
    };
    assert!(size > 300 << 20, "{size}");

    let peak = peak_of_loading(folder.path());
    assert!(
        peak < size + (64 << 20),
        "{peak} bytes for a model of {size}"
    );
}

/// The same for any checkpoint: `CHECKPOINT=folder cargo test -p vision-encoder-decoder --test memory
/// -- --ignored --nocapture` prints what its loading takes.
#[test]
#[ignore = "measures the checkpoint folder that the environment variable CHECKPOINT names"]
fn loading_a_given_checkpoint_takes_no_more_than_its_weights_and_64_mebibytes() {
    let folder = PathBuf::from(std::env::var("CHECKPOINT").expect("CHECKPOINT names a folder"));
    let weights = fs::metadata(folder.join("model.safetensors")).unwrap();
    let start = Instant::now();
    let peak = peak_of_loading(&folder);
    let (size, time) = (weights.len() as usize, start.elapsed());
    println!("{peak} bytes at most for a file of {size}, loaded in {time:?}");
    assert!(peak < size + (64 << 20));
}

fn peak_of_loading(folder: &Path) -> usize {
    let before = memory("VmRSS");
    fs::write("/proc/self/clear_refs", "5").unwrap(); // the peak starts anew
    let pretrained = Pretrained::from_folder(folder, &Device::flex()).unwrap();
    let peak = memory("VmHWM") - before;
    drop(pretrained);
    peak
}
