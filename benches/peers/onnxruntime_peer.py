"""ONNX Runtime: the encoder, and one step of the decoder with the cache as inputs and outputs.

No search: a program around it would still choose tokens and reorder the cache between steps.
"""

from pathlib import Path

from export import DECODER, ENCODER, float_model, int4_model, int8_model, names
from measurement import (
    DECODING_ROWS,
    ENCODING_IMAGES,
    FIRST_PAST_LENGTH,
    Request,
    median_of_calls,
    median_of_steps,
)

PRECISIONS = ("f32", "int8", "int4")

MODELS = {"f32": float_model, "int8": int8_model, "int4": int4_model}


def prepare(request: Request) -> Path:
    return MODELS[request.precision](request.folder, request.size)


def measure(request: Request) -> dict:
    import onnxruntime

    from model import SIZES, example_pixels

    folder = prepare(request)
    size = SIZES[request.size]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = request.threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL

    def open_session(file: str):
        return onnxruntime.InferenceSession(
            str(folder / file), options, providers=["CPUExecutionProvider"]
        )

    result = {}
    encoder = open_session(ENCODER)
    for column, images in ENCODING_IMAGES.items():
        feed = {"pixels": example_pixels(size, images).numpy()}
        result[column] = median_of_calls(lambda: encoder.run(None, feed), request.runs)
    # Its threads spin for a while after a run and would disturb the decoder's.
    del encoder
    session = open_session(DECODER)
    for column, rows in DECODING_ROWS.items():
        decoding = Decoding(session, size, rows)
        result[column] = median_of_steps(decoding.begin, decoding.step, request)
    return result


class Decoding:
    """Steps whose new cache is bound as the next step's input, without copies in Python."""

    def __init__(self, session, size, rows: int):
        self.session, self.size, self.rows = session, size, rows
        self.past_names = names("past", size.layers)
        self.tokens = self.value(self.random_tokens())
        self.cross = self.caches(size.encoder_positions)

    def random_tokens(self):
        import numpy

        return numpy.random.default_rng(0).integers(4, self.size.vocabulary, (self.rows, 1))

    def value(self, array):
        import onnxruntime

        return onnxruntime.OrtValue.ortvalue_from_numpy(array)

    def caches(self, positions: int):
        """Random keys and values [rows, heads, positions, head width] for every layer."""
        import numpy

        random = numpy.random.default_rng(0)
        shape = (self.rows, self.size.heads, positions, self.size.head_width)
        return [
            self.value(random.standard_normal(shape, numpy.float32))
            for _ in range(2 * self.size.layers)
        ]

    def begin(self):
        binding = self.session.io_binding()
        binding.bind_ortvalue_input("tokens", self.tokens)
        for name, value in zip(names("cross", self.size.layers), self.cross):
            binding.bind_ortvalue_input(name, value)
        return {"binding": binding, "past": self.caches(FIRST_PAST_LENGTH)}

    def step(self, state, index: int):
        """Returns the logits [rows, vocabulary]."""
        import numpy

        binding = state["binding"]
        position = numpy.array([FIRST_PAST_LENGTH + index])
        binding.bind_ortvalue_input("position", self.value(position))
        for name, value in zip(self.past_names, state["past"]):
            binding.bind_ortvalue_input(name, value)
        binding.clear_binding_outputs()
        for output in self.session.get_outputs():
            # The cache has grown, so that each step's outputs are allocated anew.
            binding.bind_output(output.name, "cpu")
        self.session.run_with_iobinding(binding)
        logits, *state["past"] = binding.get_outputs()
        return logits.numpy()
