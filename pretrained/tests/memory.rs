//! Loading needs memory for the model and a block, not for the whole file as well.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use checkpoint::SaveOptions;
use common::{Sizes, load, load_as, write, write_as, write_flax};
use pretrained::Weights;
use safetensors::Dtype;

/// A figure of `/proc/self/status` in bytes, such as `VmHWM`, the largest resident size so far.
fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<usize>().unwrap() * 1024
}

#[test]
fn loading_takes_no_more_than_the_model_and_64_mebibytes_in_any_form() {
    // Large enough that a second copy of its largest tensor, or of all others, would show.
    let sizes = Sizes {
        encoder_width: 64,
        decoder_width: 512,
        layers: 24,
        vocabulary: 100_000,
    };
    let (config, tensors) = (sizes.config_json(), sizes.tensors());
    let values: usize = tensors.values().map(|(_, values)| values.len()).sum();
    let size = values * 4;
    assert!(size > 300 << 20, "{size}");

    let folders = ["f32", "f16", "flax", "shards"].map(|_| tempfile::TempDir::new().unwrap());
    let [f32, f16, flax, shards] = folders.each_ref().map(|folder| folder.path());
    write(f32, &config, &tensors);
    let half = |value| half::f16::from_f32(value).to_le_bytes().to_vec();
    write_as(f16, &config, &tensors, Dtype::F16, half);
    write_flax(flax, &config, &tensors);
    drop(tensors);
    let options = SaveOptions {
        max_shard_size: 100 << 20,
        ..SaveOptions::default()
    };
    let model = load(f32).unwrap();
    let peak = peak_of(|| model.save(shards, &options).unwrap());
    assert!(peak < 64 << 20, "saving takes {peak} bytes");
    drop(model);

    for folder in [f32, f16, flax, shards] {
        let peak = peak_of(|| load(folder).unwrap());
        assert!(
            peak < size + (64 << 20),
            "{peak} bytes for a model of {size} in {:?}",
            folder.read_dir().unwrap().collect::<Vec<_>>()
        );
    }

    // Weights are packed while they are read, a panel at a time on each thread.
    for (format, bits) in [("int8", 8.1), ("int4", 4.3)] {
        let weights = Weights::Packed(format.parse().unwrap());
        let peak = peak_of(|| load_as(f32, weights).unwrap());
        let packed = (values as f64 * bits / 8.0) as usize;
        assert!(
            peak < packed + (64 << 20),
            "{peak} bytes for {packed} packed"
        );
    }
}

/// The same for any checkpoint: `CHECKPOINT=folder cargo test -p pretrained --test memory -- --ignored
/// --nocapture` prints how much memory and time loading takes.
#[test]
#[ignore = "measures the checkpoint folder that the environment variable CHECKPOINT names"]
fn loading_a_given_checkpoint_takes_no_more_than_its_weights_and_64_mebibytes() {
    let folder = PathBuf::from(std::env::var("CHECKPOINT").expect("CHECKPOINT names a folder"));
    let mut size = 0;
    let start = Instant::now();
    let peak = peak_of(|| {
        let pretrained = load(&folder).unwrap();
        size = pretrained.num_params() * 4;
        pretrained
    });
    let time = start.elapsed();
    println!("{peak} bytes at most for a model of {size}, loaded in {time:?}");
    assert!(peak < size + (64 << 20));
}

/// The peak of the memory that some work needs, including its result.
fn peak_of<T>(work: impl FnOnce() -> T) -> usize {
    let before = memory("VmRSS");
    fs::write("/proc/self/clear_refs", "5").unwrap(); // resets the peak
    let result = work();
    let peak = memory("VmHWM").saturating_sub(before);
    drop(result);
    peak
}
