"""Do the peers compute the same captioner? Compares them at the tiny size; takes a minute.

    python check.py --cache /tmp/peers-cache

Prints, for every peer, how far its logits are from those of transformers in f32, as a part of the
logits' standard deviation, and fails beyond a limit for the precision.
"""

import argparse
import sys
from pathlib import Path

import torch

import ctranslate2_peer
import onnxruntime_peer
import openvino_peer
import transformers_peer
from export import DECODER, ENCODER, names
from measurement import Request
from model import END_TOKEN, SIZES, DecoderStep, Encoder, example_pixels, random_model

#: Largest allowed difference, in standard deviations of the logits.
LIMITS = {"f32": 1e-3, "bf16": 0.2, "int8": 0.2, "int4": 1.0}

TOKENS = [2, 5, 700, 31, 8, 999, 12, 40]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path(__file__).parent / "cache")
    cache = parser.parse_args().cache
    size = SIZES["tiny"]
    model = random_model(size)
    pixels = example_pixels(size)
    with torch.inference_mode():
        expected = model(pixel_values=pixels, decoder_input_ids=torch.tensor([TOKENS])).logits[0]
        part = DecoderStep(model)
        cross = part.cross_states(Encoder(model)(pixels))
        good = report("the exported step", "f32", follow(torch_step(part), cross, size), expected)

        for precision in transformers_peer.PRECISIONS:
            converted = transformers_peer.convert(random_model(size), precision)
            logits = converted(
                pixel_values=pixels.to(next(converted.parameters()).dtype),
                decoder_input_ids=torch.tensor([TOKENS]),
            ).logits[0]
            good &= report("transformers", precision, logits, expected)
        for peer, module, step in (
            ("onnxruntime", onnxruntime_peer, onnxruntime_step),
            ("openvino", openvino_peer, openvino_step),
        ):
            for precision in module.PRECISIONS:
                request = tiny_request(peer, precision, cache)
                encode, decode = step(module.prepare(request), request)
                states = torch.as_tensor(encode(pixels.numpy()))
                logits = follow(decode, part.cross_states(states), size)
                good &= report(peer, precision, logits, expected)
        good &= same_greedy_tokens(model, pixels, cache)
    sys.exit(0 if good else "a peer computes something else")


def tiny_request(peer: str, precision: str, cache: Path) -> Request:
    return Request(peer, precision, "tiny", 2, 1, len(TOKENS), str(cache), "")


def report(peer: str, precision: str, logits, expected) -> bool:
    difference = ((logits.float() - expected).abs().max() / expected.std()).item()
    good = difference <= LIMITS[precision]
    print(f"{peer} {precision}: {difference:.2g}{'' if good else f', limit {LIMITS[precision]}'}")
    return good


def follow(step, cross, size):
    """Logits [positions, V] of `TOKENS`, one step at a time from an empty cache."""
    past = [torch.zeros(1, size.heads, 0, size.head_width) for _ in cross]
    logits = []
    for position, token in enumerate(TOKENS):
        one, past = step(torch.tensor([[token]]), torch.tensor([position]), cross, past)
        logits.append(torch.as_tensor(one))
    return torch.cat(logits)


def torch_step(part: DecoderStep):
    return lambda *inputs: part(*inputs)


def feed(tokens, position, cross, past) -> dict:
    """The inputs of an exported step, by name."""
    layers = len(past) // 2
    arrays = {"tokens": tokens.numpy(), "position": position.numpy()}
    arrays |= {name: value.numpy() for name, value in zip(names("cross", layers), cross)}
    return arrays | {
        name: torch.as_tensor(value).numpy() for name, value in zip(names("past", layers), past)
    }


def onnxruntime_step(folder: Path, request: Request):
    import onnxruntime

    encoder, decoder = (
        onnxruntime.InferenceSession(str(folder / file), providers=["CPUExecutionProvider"])
        for file in (ENCODER, DECODER)
    )

    def step(*inputs):
        logits, *past = decoder.run(None, feed(*inputs))
        return logits, past

    return lambda pixels: encoder.run(None, {"pixels": pixels})[0], step


def openvino_step(folder: Path, request: Request):
    encoder, decoder = (
        openvino_peer.compiled(folder / file, request) for file in (ENCODER, DECODER)
    )

    def step(*inputs):
        outputs = decoder(feed(*inputs))
        logits, *past = (outputs[index].copy() for index in range(len(outputs)))
        return logits, past

    return lambda pixels: encoder({"pixels": pixels})[0], step


def same_greedy_tokens(model, pixels, cache: Path) -> bool:
    """CTranslate2 shows no logits of its own choice, but its greedy search must go the same way."""
    import ctranslate2

    count = 16
    expected = model.generate(
        pixel_values=pixels, max_new_tokens=count, do_sample=False, suppress_tokens=[END_TOKEN]
    )[0, 1:].tolist()
    request = tiny_request("ctranslate2", "f32", cache)
    translator = ctranslate2.Translator(str(ctranslate2_peer.prepare(request)), "cpu")
    found = ctranslate2_peer.generate(translator, 1, 1, count)[0].hypotheses[0]
    specials = ctranslate2_peer.special_tokens()
    named = [specials[token] if token < len(specials) else f"token{token}" for token in expected]
    good = found == named
    print(f"ctranslate2 f32: {'the same' if good else 'OTHER'} {count} greedy tokens")
    if not good:
        print(f"  expected {named}\n  found {found}")
    return good


if __name__ == "__main__":
    main()
