"""CTranslate2: the same decoder as a `Translator`, with its own greedy and beam search.

CTranslate2 has no CLIP encoder. Its encoder here looks up 50 source tokens in a table that holds
the image's projected states, and its one layer adds nothing to them, so that the decoder sees
what it would see in a captioner. The time of a token is a difference of two runs of unlike
length, which takes the encoder, the cross-attention's keys and values and the cost of a call out.
"""

import statistics
import time
from pathlib import Path

from export import write_whole
from measurement import DECODING_ROWS, FIRST_PAST_LENGTH, Request

PRECISIONS = ("f32", "int8")

COMPUTE_TYPES = {"f32": "float32", "int8": "int8"}


def prepare(request: Request) -> Path:
    target = request.folder / f"ctranslate2-{request.precision}"
    return target if target.exists() else write_whole(target, lambda at: convert(at, request))


def measure(request: Request) -> dict:
    import ctranslate2

    translator = ctranslate2.Translator(
        str(prepare(request)),
        device="cpu",
        compute_type=COMPUTE_TYPES[request.precision],
        inter_threads=1,
        intra_threads=request.threads,
    )
    return {column: step_time(translator, rows, request) for column, rows in DECODING_ROWS.items()}


def step_time(translator, rows: int, request: Request) -> float:
    """Median over runs of (a long run - a short run) / the steps between them."""
    beams = min(rows, 4)
    images = rows // beams
    short = FIRST_PAST_LENGTH
    durations = []
    for run in range(request.runs + 1):
        long_run = duration(translator, images, beams, short + request.tokens)
        short_run = duration(translator, images, beams, short)
        if run > 0:
            durations.append(1000.0 * (long_run - short_run) / request.tokens)
    return statistics.median(durations)


def duration(translator, images: int, beams: int, tokens: int) -> float:
    start = time.perf_counter()
    results = generate(translator, images, beams, tokens)
    elapsed = time.perf_counter() - start
    for result in results:
        if len(result.hypotheses[0]) != tokens:
            raise RuntimeError(f"{len(result.hypotheses[0])} tokens, expected {tokens}")
    return elapsed


def generate(translator, images: int, beams: int, tokens: int):
    """The equal lengths keep the end token away."""
    return translator.translate_batch(
        [source_tokens(50)] * images,
        beam_size=beams,
        min_decoding_length=tokens,
        max_decoding_length=tokens,
    )


def source_tokens(positions: int) -> list[str]:
    return [f"state{index}" for index in range(positions)]


def convert(folder: Path, request: Request) -> None:
    import torch
    from ctranslate2.converters.transformers import BartLoader
    from ctranslate2.specs import common_spec, transformer_spec

    from model import SIZES, Encoder, example_pixels, random_model

    size = SIZES[request.size]
    model = random_model(size)
    with torch.inference_mode():
        states = Encoder(model)(example_pixels(size))[0].numpy()

    source = special_tokens() + source_tokens(len(states))
    encoder = lookup_encoder(states, size)
    decoder = transformer_spec.TransformerDecoderSpec(
        size.layers,
        size.heads,
        pre_norm=True,
        activation=common_spec.Activation.GELU,
        layernorm_embedding=True,
    )
    loader = BartLoader()
    loader.set_decoder(decoder, model.decoder.model.decoder)
    loader.set_linear(decoder.projection, model.decoder.lm_head)

    spec = transformer_spec.TransformerSpec(encoder, decoder)
    specials = special_tokens()
    spec.register_source_vocabulary(source)
    spec.register_target_vocabulary(
        specials + [f"token{index}" for index in range(len(specials), size.vocabulary)]
    )
    spec.config.bos_token, _, spec.config.eos_token, spec.config.unk_token = specials
    # mBART-50 starts with the end token.
    spec.config.decoder_start_token = spec.config.eos_token
    spec.config.add_source_eos = False
    spec.validate()
    spec.optimize(quantization=COMPUTE_TYPES[request.precision])
    spec.save(str(folder))


def lookup_encoder(states, size):
    """An encoder [S tokens] -> [S, D] that gives the rows of `states` [S, D] back.

    At least one layer is asked for; with weights of zero it leaves only the residual stream.
    """
    import numpy
    from ctranslate2.specs import transformer_spec

    def zero_linear(linear, outputs, inputs):
        linear.weight = numpy.zeros((outputs, inputs), numpy.float32)
        linear.bias = numpy.zeros(outputs, numpy.float32)

    def unit_norm(norm):
        norm.gamma = numpy.ones(size.width, numpy.float32)
        norm.beta = numpy.zeros(size.width, numpy.float32)

    encoder = transformer_spec.TransformerEncoderSpec(1, size.heads, no_final_norm=True)
    encoder.scale_embeddings = False
    padding = numpy.zeros((len(special_tokens()), size.width), numpy.float32)
    encoder.embeddings[0].weight = numpy.concatenate([padding, states])
    encoder.position_encodings.encodings = numpy.zeros_like(encoder.embeddings[0].weight)
    layer = encoder.layer[0]
    zero_linear(layer.self_attention.linear[0], 3 * size.width, size.width)
    zero_linear(layer.self_attention.linear[1], size.width, size.width)
    zero_linear(layer.ffn.linear_0, size.width, size.width)
    zero_linear(layer.ffn.linear_1, size.width, size.width)
    unit_norm(layer.self_attention.layer_norm)
    unit_norm(layer.ffn.layer_norm)
    return encoder


def special_tokens() -> list[str]:
    """mBART's first four, in its order."""
    return ["<s>", "<pad>", "</s>", "<unk>"]
