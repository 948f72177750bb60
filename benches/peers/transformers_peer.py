"""Hugging Face transformers on PyTorch: the real `generate()`, search included."""

import statistics
import time

from measurement import DECODING_ROWS, ENCODING_IMAGES, Request, median_of_calls

PRECISIONS = ("f32", "bf16", "int8")


def measure(request: Request) -> dict:
    import torch

    from model import SIZES, Encoder, example_pixels, random_model

    torch.set_num_threads(request.threads)
    size = SIZES[request.size]
    model = convert(random_model(size), request.precision)
    dtype = torch.bfloat16 if request.precision == "bf16" else torch.float32
    result = {}
    with torch.inference_mode():
        encoder = Encoder(model)
        for column, images in ENCODING_IMAGES.items():
            pixels = example_pixels(size, images).to(dtype)
            result[column] = median_of_calls(lambda: encoder(pixels), request.runs)
        states = model.encoder(pixel_values=example_pixels(size).to(dtype)).last_hidden_state
        for column, rows in DECODING_ROWS.items():
            result[column] = step_time(model, states, rows, request)
    return result


def convert(model, precision: str):
    import torch

    if precision == "bf16":
        return model.to(torch.bfloat16)
    if precision == "int8":
        return torch.ao.quantization.quantize_dynamic(
            model, {torch.nn.Linear}, dtype=torch.qint8, inplace=True
        )
    return model


def step_time(model, states, rows: int, request: Request) -> float:
    """Median time between two calls of a logits processor, which is one step with its search.

    The first step, which computes the cross-attention's keys and values, ends with the first
    call and so is not counted.
    """
    from transformers import LogitsProcessor, LogitsProcessorList
    from transformers.modeling_outputs import BaseModelOutput

    class Clock(LogitsProcessor):
        def __init__(self):
            self.times = []

        def __call__(self, input_ids, scores):
            self.times.append(time.perf_counter())
            return scores

    # One row is a greedy search; sixteen rows are four images with four beams each.
    beams = min(rows, 4)
    images = rows // beams
    durations = []
    for run in range(request.runs + 1):
        clock = Clock()
        model.generate(
            encoder_outputs=BaseModelOutput(last_hidden_state=states.expand(images, -1, -1)),
            num_beams=beams,
            do_sample=False,
            max_new_tokens=request.tokens + 1,
            logits_processor=LogitsProcessorList([clock]),
        )
        if len(clock.times) != request.tokens + 1:
            raise RuntimeError(f"{len(clock.times)} steps, expected {request.tokens + 1}")
        if run > 0:
            durations += [later - sooner for sooner, later in zip(clock.times, clock.times[1:])]
    return 1000.0 * statistics.median(durations)
