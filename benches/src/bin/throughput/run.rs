use std::time::{Duration, Instant};

use benches::{
    END, anonymous_bytes, captions_of, median, peak_rss_bytes, random_model, random_pixels,
};
use burn::tensor::Tensor;
use generation::{Generation, Prompt, PromptResult};
use pretrained::{LoadOptions, Pretrained, PretrainedModel};
use serde_json::{Value, json};

use crate::ThroughputError;
use crate::arguments::Arguments;
use crate::bandwidth::Bandwidth;
use crate::timed_model::TimedModel;
use crate::weight_bytes::weight_bytes_of_a_step;

/// Loads or creates a model and measures it.
pub(crate) fn run(arguments: &Arguments) -> Result<Value, ThroughputError> {
    let device = device::device(&arguments.device)?;
    let options = LoadOptions {
        weights: arguments.precision,
        memory_map: true,
    };

    let start = Instant::now();
    let pretrained = match &arguments.model {
        Some(folder) => Pretrained::from_folder(folder, &options, &device)?,
        None => random_model(arguments.size, arguments.precision, &device),
    };
    let load_s = start.elapsed().as_secs_f64();
    let loaded_bytes = anonymous_bytes();
    let model = &pretrained.model;

    let images = arguments.images.get();
    let pixels = random_pixels(&pretrained, images, &device);
    // The first caption is not measured, because it allocates memory that the others use again.
    caption(model, pixels.clone(), arguments)?;
    let peak_rss_bytes = peak_rss_bytes();

    let bandwidth = Bandwidth::new();
    let (mut encodings, mut steps, mut bandwidths) = (Vec::new(), Vec::new(), Vec::new());
    let mut captions = Vec::new();
    for _ in 0..arguments.repeat.get() {
        bandwidths.push(bandwidth.measure());
        let times = caption(model, pixels.clone(), arguments)?;
        encodings.push(milliseconds(times.encoding));
        captions.push(milliseconds(times.all));
        steps.extend(times.steps.into_iter().map(milliseconds));
        bandwidths.push(bandwidth.measure());
    }
    let weight_bytes = weight_bytes_of_a_step(&model.decoder);
    let bandwidth = median(bandwidths);
    let ms_per_token = median(steps);
    let memory_limit_ms = weight_bytes as f64 / bandwidth / 1e6;
    let all_ms = median(captions);
    let texts = images * arguments.languages.get();
    let format = pretrained.format;
    let kernel = format
        .filter(|_| packed_linear::has_kernels(&device))
        .and_then(packed_linear::kernel);
    Ok(json!({
        "device": arguments.device,
        "threads": rayon::current_num_threads(),
        "precision": format.map_or("ordinary".into(), |format| format.to_string()),
        "kernel": kernel.unwrap_or("burn"),
        "images": images,
        "languages": arguments.languages,
        "rows": texts * arguments.rows_per_image.get(),
        "rows_per_image": arguments.rows_per_image,
        "tokens": arguments.tokens,
        "load_s": load_s,
        "encode_ms": median(encodings),
        "ms_per_token": ms_per_token.is_finite().then_some(ms_per_token),
        "captions_per_s": texts as f64 / all_ms * 1e3,
        "weight_bytes_per_step": weight_bytes,
        "bandwidth_gb_s": bandwidth,
        "memory_limit_ms": memory_limit_ms,
        "times_memory_limit": ms_per_token / memory_limit_ms,
        "parameters": pretrained.num_params(),
        "anonymous_bytes_loaded": loaded_bytes,
        "peak_rss_bytes": peak_rss_bytes,
    }))
}

struct Times {
    encoding: Duration,
    steps: Vec<Duration>,
    all: Duration,
}

/// Captions the images once.
fn caption(
    model: &PretrainedModel,
    pixels: Tensor<4>,
    arguments: &Arguments,
) -> Result<Times, ThroughputError> {
    let config = captions_of(arguments.tokens.get(), arguments.rows_per_image.get());
    let encode = || {
        let memory = model.encode(pixels.clone());
        // Some devices compute asynchronously; reading a value waits for them.
        let _ = memory.hidden.clone().slice([0..1, 0..1, 0..1]).into_data();
        memory
    };
    // Measuring the bandwidth emptied the caches, which costs the next encoding 5 to 15 ms.
    encode();
    let start = Instant::now();
    let memory = encode();
    let encoding = start.elapsed();
    let [images, _, _] = memory.hidden.dims();
    let languages = arguments.languages.get();
    let row_sources: Vec<usize> = (0..images * languages).map(|row| row / languages).collect();
    // The language code can be any token.
    let prompts: Vec<Prompt> = (0..images * languages)
        .map(|row| Prompt::new(vec![END, 4 + (row % languages) as u32]))
        .collect();
    let timed = TimedModel::new(model);
    let state = model.begin(memory, &row_sources, None);
    let captions = Generation::new(config).run(&timed, state, &prompts)?;
    captions.into_iter().collect::<PromptResult<Vec<_>>>()?;
    Ok(Times {
        encoding,
        steps: timed.steps(),
        all: start.elapsed(),
    })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
