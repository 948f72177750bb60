"""Writes reference_options.json: what transformers 5.23 generates with options that reference.json doesn't have.

    pip install torch==2.9.1 transformers==5.23.0 safetensors
    python make_reference_options.py

The cases of reference.json are run first and must come out the same. A case is refused if leaving one of its options out
gives the same result, and if small errors of the logits (another implementation's rounding) would change its texts.
"""

import json
import math
import os
import warnings

import torch
import transformers
from safetensors.torch import load_file
from transformers import VisionEncoderDecoderModel

HERE = os.path.dirname(os.path.abspath(__file__))
NOISE = 2e-5

REPEAT = {"repetition_penalty": 1.3, "no_repeat_ngram_size": 2}
EVERYTHING = {**REPEAT, "min_length": 8, "bad_words_ids": [[119, 41], [165], [99, 99], [50, 50], [28, 28]],
              "suppress_tokens": [146, 86, 201], "begin_suppress_tokens": [113, 41, 175],
              "sequence_bias": [[[155], 1.5], [[113, 113], -4.0], [[238], -2.0]]}
FORCED = {"forced_bos_token_id": 252, "forced_eos_token_id": 2}
CASES = [
    # sequence_bias
    {"sequence_bias": [[[113], -3.0]]},
    {"sequence_bias": [[[2], -8.0], [[123, 123], -6.0], [[2, 113], -1.5]]},
    {"sequence_bias": [[[113, 113], -2.5], [[113], 1.0], [[113, 113, 113], -4.0], [[146, 165], 6.0]]},
    {"num_beams": 4, "num_return_sequences": 2, "sequence_bias": [[[146], -2.0], [[2], -0.5], [[99, 99], 0.75]]},
    {"num_beams": 3, "forced_bos_token_id": 252, "sequence_bias": [[[252, 2], -9.0], [[2, 252, 150], -5.0], [[150, 150], -3.0], [[252], 1.25]]},
    # exponential_decay_length_penalty
    {"exponential_decay_length_penalty": [4, 1.2], "min_length": 3},
    {"exponential_decay_length_penalty": [2, 1.6], "forced_bos_token_id": 252},
    {"num_beams": 4, "exponential_decay_length_penalty": [4, 1.2], "forced_bos_token_id": 252, "length_penalty": 2.0},
    {"num_beams": 3, "num_return_sequences": 3, "exponential_decay_length_penalty": [2, 1.6], "min_length": 6},
    {"num_beams": 4, "exponential_decay_length_penalty": [0, 0.8], "forced_bos_token_id": 252, "length_penalty": 1.5, "early_stopping": True},
    # renormalize_logits
    {"renormalize_logits": True, "repetition_penalty": 1.5, "min_length": 10, "suppress_tokens": [113]},
    {"num_beams": 4, "renormalize_logits": True, "repetition_penalty": 1.6},
    {"num_beams": 3, "num_return_sequences": 3, "renormalize_logits": True, "suppress_tokens": [2, 113, 146, 99], "forced_eos_token_id": 123},
    {"num_beams": 4, "renormalize_logits": True, "exponential_decay_length_penalty": [3, 1.3], "bad_words_ids": [[146], [113]],
     "early_stopping": True},
    # several at once: their order shows
    {**EVERYTHING},
    {**EVERYTHING, **FORCED},
    {**EVERYTHING, "num_beams": 4},
    {**EVERYTHING, **FORCED, "num_beams": 3, "num_return_sequences": 3, "max_length": 12},
    {**EVERYTHING, **FORCED, "num_beams": 5, "renormalize_logits": True, "exponential_decay_length_penalty": [9, 1.15],
     "length_penalty": 1.5, "max_length": 13},
    {"repetition_penalty": 0.7, "sequence_bias": [[[113], -4.0], [[99], 2.0], [[2], -6.0]], "exponential_decay_length_penalty": [5, 1.4]},
    {"repetition_penalty": 2.5, "sequence_bias": [[[113], 3.0], [[2], 4.0], [[123], -2.0]], "min_new_tokens": 6},
    {"num_beams": 4, "repetition_penalty": 1.8, "sequence_bias": [[[113], 1.0], [[99], 2.5]], "min_new_tokens": 9,
     "exponential_decay_length_penalty": [5, 1.5]},
    {"num_beams": 4, "max_length": 12, "forced_eos_token_id": 2, "forced_bos_token_id": 254, "renormalize_logits": True,
     "no_repeat_ngram_size": 1, "begin_suppress_tokens": [146, 64, 193]},
    {"max_length": 12, "forced_eos_token_id": [0, 2], "forced_bos_token_id": 254, "suppress_tokens": [0], "begin_suppress_tokens": [146, 64, 193],
     "renormalize_logits": True, "min_length": 12, "repetition_penalty": 1.2},
]


def read_json(name):
    with open(os.path.join(HERE, name)) as file:
        return json.load(file)


def rounded(values):
    """As in reference.json, where minus infinity (of padding that a processor forbids) is 0."""
    return [[round(v, 6) if math.isfinite(v) else 0.0 for v in row] for row in values.tolist()]


def run(options):
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = model.generate(pixel_values=pixel_values, output_scores=True, return_dict_in_generate=True, **options)
    beams = options.get("num_beams", 1) > 1
    log_probs = model.compute_transition_scores(
        out.sequences, out.scores, out.beam_indices if beams else None, normalize_logits=not beams
    )
    return {
        "options": options,
        "sequences": out.sequences.tolist(),
        "sequence_scores": out.sequences_scores.tolist() if beams else None,
        "token_log_probs": rounded(log_probs),
    }


def difference(a, b):
    """The largest between two equally shaped lists of numbers; infinite where their shapes or nulls differ."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return max(map(difference, a, b), default=0.0)
    if a is None or b is None or isinstance(a, list) or isinstance(b, list):
        return 0.0 if a is None and b is None else math.inf
    return abs(a - b)


def same(a, b, tolerance=1e-5):
    keys = ("sequence_scores", "token_log_probs")
    return a["sequences"] == b["sequences"] and all(difference(a[key], b[key]) <= tolerance for key in keys)


def is_stable(case):
    """Whether the texts are the same with logits that are a little off."""
    hook = model.decoder.lm_head.register_forward_hook(lambda *args: args[2] + NOISE * torch.randn_like(args[2]))
    texts = [run(case["options"])["sequences"] for _ in range(5)]
    hook.remove()
    return all(text == case["sequences"] for text in texts)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    model = VisionEncoderDecoderModel.from_pretrained(HERE).eval()
    pixel_values = load_file(os.path.join(HERE, "reference.safetensors"))["pixel_values"]
    reference = read_json("reference.json")
    for case in reference["cases"]:
        assert same(run(case["options"]), case), case["options"]
    cases = []
    for options in CASES:
        case = run({"max_length": 20, **options})
        # Greedy search's log-probabilities are normalised anyhow.
        kept = ["num_beams", "num_return_sequences", "max_length"] + ["renormalize_logits"] * ("num_beams" not in options)
        others = [key for key in options if key not in kept]
        useless = [key for key in others if same(run({k: v for k, v in case["options"].items() if k != key}), case)]
        if useless or not is_stable(case):
            raise SystemExit(f"{options}: {'without effect: ' + str(useless) if useless else 'not stable'}")
        cases.append(case)
    made_with = {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]}
    tokens = ["decoder_start_token_id", "pad_token_id", "eos_token_id", "languages"]
    result = {"made_with": made_with, **{key: reference[key] for key in tokens}, "cases": cases}
    with open(os.path.join(HERE, "reference_options.json"), "w") as file:
        json.dump(result, file, allow_nan=False)
