//! Encodes a page with a model of the size of Donut's and random weights, and says what that takes.
//!
//! ```sh
//! cargo run --release -p swin --features flex --example page -- f32 1280 960
//! ```

use std::error::Error;
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use packed_linear::Format;
use swin::SwinConfig;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let format: Format = arguments.next().as_deref().unwrap_or("f32").parse()?;
    let mut pixels = |default: usize| match arguments.next() {
        Some(pixels) => pixels.parse(),
        None => Ok(default),
    };
    let [height, width] = [pixels(1280)?, pixels(960)?];

    let device = Device::flex();
    let model = SwinConfig::donut_base().init_packed(format, &device);
    let tiny = Tensor::zeros([1, 3, 4, 4], &device);
    model.forward(tiny); // draws the weights
    println!("{:>5} MiB before", most_memory());
    for _ in 0..3 {
        let page = Tensor::zeros([1, 3, height, width], &device);
        let start = Instant::now();
        let [_, positions, _] = model.forward(page).dims();
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{:>5} MiB, {positions} positions in {seconds:.2} s",
            most_memory()
        );
    }
    Ok(())
}

/// The most memory that the process has had, in MiB; 0 where the system does not say.
fn most_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<usize>().ok());
    kibibytes.unwrap_or(0) / 1024
}
