"""OpenVINO: the encoder, and one step of the decoder with the cache as inputs and outputs.

No search, as with ONNX Runtime. `int8` and `int4` are compressed weights, with activations that
the runtime quantises in groups. `int4` compresses all layers, the LM head too, in groups of 64.
"""

from pathlib import Path

from export import DECODER, ENCODER, float_model, names, write_whole
from measurement import (
    DECODING_ROWS,
    ENCODING_IMAGES,
    FIRST_PAST_LENGTH,
    Request,
    median_of_calls,
    median_of_steps,
)

PRECISIONS = ("f32", "bf16", "int8", "int4")

#: Activations per scale when they are quantised for compressed weights. The default of 32 was up to
#: a tenth slower here, and 0 (no quantisation) took twice the time at 16 rows.
ACTIVATION_GROUPS = {"int8": 128, "int4": 64}


def prepare(request: Request) -> Path:
    source = float_model(request.folder, request.size)
    if request.precision in ("f32", "bf16"):
        return source
    target = request.folder / f"openvino-{request.precision}"
    if target.exists():
        return target
    return write_whole(target, lambda at: compress(source, at, request.precision))


def measure(request: Request) -> dict:
    from model import SIZES, example_pixels

    size = SIZES[request.size]
    folder = prepare(request)
    result = {}
    encoder = compiled(folder / ENCODER, request).create_infer_request()
    for column, images in ENCODING_IMAGES.items():
        feed = {"pixels": example_pixels(size, images).numpy()}
        result[column] = median_of_calls(
            lambda: encoder.infer(feed, share_inputs=True, share_outputs=True), request.runs
        )
    del encoder
    decoder = compiled(folder / DECODER, request)
    for column, rows in DECODING_ROWS.items():
        decoding = Decoding(decoder, size, rows)
        result[column] = median_of_steps(decoding.begin, decoding.step, request)
    return result


def compiled(path: Path, request: Request):
    """The model of an ONNX file, or of the compressed model that stands in its place."""
    import openvino

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": request.threads,
        # Without the hint the processor's own choice is bf16 where it has instructions for it.
        "INFERENCE_PRECISION_HINT": "bf16" if request.precision == "bf16" else "f32",
    }
    if request.precision in ACTIVATION_GROUPS:
        settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = ACTIVATION_GROUPS[request.precision]
    file = path if path.exists() else path.with_suffix(".xml")
    return openvino.Core().compile_model(file, "CPU", settings)


class Decoding:
    """Steps whose new cache is the next step's input, without copies.

    Two requests take turns: the outputs of one are the inputs of the other.
    """

    def __init__(self, decoder, size, rows: int):
        import numpy

        self.size, self.rows = size, rows
        self.requests = [decoder.create_infer_request() for _ in range(2)]
        self.past_names = names("past", size.layers)
        self.present_names = names("present", size.layers)
        self.random = numpy.random.default_rng(0)
        self.constant = {"tokens": self.random.integers(4, size.vocabulary, (rows, 1))}
        self.constant |= self.caches("cross", size.encoder_positions)

    def caches(self, kind: str, positions: int):
        """Random keys and values [rows, heads, positions, head width] for every layer."""
        import numpy

        shape = (self.rows, self.size.heads, positions, self.size.head_width)
        return {
            name: self.random.standard_normal(shape, numpy.float32)
            for name in names(kind, self.size.layers)
        }

    def begin(self):
        return self.caches("past", FIRST_PAST_LENGTH)

    def step(self, past: dict, index: int):
        """Returns the logits [rows, vocabulary], and puts the longer cache into `past`."""
        import numpy

        feed = self.constant | past | {"position": numpy.array([FIRST_PAST_LENGTH + index])}
        outputs = self.requests[index % 2].infer(feed, share_inputs=True, share_outputs=True)
        past.update((old, outputs[new]) for old, new in zip(self.past_names, self.present_names))
        return outputs["logits"]


def compress(source: Path, folder: Path, precision: str) -> None:
    import nncf
    import openvino

    core = openvino.Core()
    for file in (ENCODER, DECODER):
        model = core.read_model(source / file)
        if precision == "int8":
            compressed = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)
        else:
            compressed = nncf.compress_weights(
                model,
                mode=nncf.CompressWeightsMode.INT4_SYM,
                group_size=64,
                ratio=1.0,
                all_layers=True,
            )
        openvino.save_model(
            compressed, (folder / file).with_suffix(".xml"), compress_to_fp16=False
        )
