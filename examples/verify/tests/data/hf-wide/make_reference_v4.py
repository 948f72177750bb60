"""Writes reference_group_beam.json and reference_contrastive.json: searches that transformers 5 no longer has inside.

    pip install torch==2.9.1 transformers==4.48.3 safetensors
    python make_reference_v4.py

Transformers 4 calls the CLIP transformer `vision_model`, so weights are renamed; the logits must be those in
reference.safetensors. A case is refused if leaving one of its options out gives the same texts and scores, and if small
errors of the logits would change its texts.

The beam indices that transformers 4.48 returns for groups are wrong (a group's beams are looked up in the first group),
and so is what `compute_transition_scores` makes of them. The scorer is given indices of our own here; the scores that
follow from them must be the scores of the texts.
"""

import json
import math
import os
import warnings

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoConfig, BeamSearchScorer, VisionEncoderDecoderModel

HERE = os.path.dirname(os.path.abspath(__file__))
NOISE = 2e-5

GROUP_BEAM = [
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5, "num_return_sequences": 4},
    {"num_beams": 4, "num_beam_groups": 4, "diversity_penalty": 1.0, "num_return_sequences": 4, "forced_bos_token_id": 252},
    {"num_beams": 6, "num_beam_groups": 3, "diversity_penalty": 3.0, "num_return_sequences": 6, "max_length": 11},
    {"num_beams": 6, "num_beam_groups": 2, "diversity_penalty": 1.0, "num_return_sequences": 3, "early_stopping": True,
     "length_penalty": 2.0},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 3.0, "num_return_sequences": 2, "length_penalty": 0.5,
     "forced_bos_token_id": 254},
    {"num_beams": 6, "num_beam_groups": 6, "diversity_penalty": 0.5, "num_return_sequences": 6, "early_stopping": "never",
     "length_penalty": 1.5, "forced_bos_token_id": 252},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 1.0, "num_return_sequences": 4, "forced_bos_token_id": 255, "length_penalty": -0.5},
    {"num_beams": 6, "num_beam_groups": 3, "diversity_penalty": 1.0, "num_return_sequences": 4, "repetition_penalty": 1.4,
     "no_repeat_ngram_size": 2, "forced_bos_token_id": 253, "forced_eos_token_id": 2, "max_length": 12},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5, "num_return_sequences": 4, "min_length": 7,
     "sequence_bias": [[[113], -1.5], [[2], 1.0]], "renormalize_logits": True},
]
CONTRASTIVE = [
    {"penalty_alpha": 0.6, "top_k": 4},
    {"penalty_alpha": 0.3, "top_k": 5},
    {"penalty_alpha": 0.9, "top_k": 3},
    {"penalty_alpha": 0.4, "top_k": 4, "forced_bos_token_id": 252},
    {"penalty_alpha": 0.3, "top_k": 5, "forced_bos_token_id": 254, "repetition_penalty": 1.2, "min_length": 8},
    {"penalty_alpha": 0.4, "top_k": 6, "suppress_tokens": [113, 146], "no_repeat_ngram_size": 2, "min_length": 15},
]


class TracedScorer(BeamSearchScorer):
    """Has indices of rows of `scores` for each running beam, in place of those that it is given."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.rows = [()] * (len(self._done) * self.group_size)

    def row(self, group, beam):
        image, beam = divmod(int(beam), self.group_size)
        return image * self.num_beams + group * self.group_size + beam

    def process(self, *args, beam_indices, group_index=0, **kwargs):
        scorer = self

        class Trace(tuple):
            def __add__(self, beam):
                return (*self, scorer.row(group_index, beam[0]))

        beams = range(len(self.rows) // self.num_beam_groups)
        traces = [Trace(self.rows[self.row(group_index, beam)]) for beam in beams]
        result = super().process(*args, group_index=group_index, beam_indices=traces, **kwargs)
        for beam, source in zip(beams, result["next_beam_indices"]):
            self.rows[self.row(group_index, beam)] = traces[source] + (source,)
        return result

    def finalize(self, *args, beam_indices, **kwargs):
        return super().finalize(*args, beam_indices=self.rows, **kwargs)


def load():
    state = load_file(os.path.join(HERE, "model.safetensors"))
    state = {("encoder.vision_model." + n.removeprefix("encoder.") if n.startswith("encoder.") else n): t for n, t in state.items()}
    state.setdefault("decoder.lm_head.weight", state["decoder.model.decoder.embed_tokens.weight"])
    model = VisionEncoderDecoderModel(AutoConfig.from_pretrained(HERE))
    model.load_state_dict(state)
    model.config.vocab_size = model.config.decoder.vocab_size  # for compute_transition_scores
    model.generation_config = transformers.GenerationConfig.from_pretrained(HERE)
    return model.eval()


def run(options):
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = model.generate(pixel_values=pixel_values, output_scores=True, return_dict_in_generate=True, **options)
    case = {"options": options, "sequences": out.sequences.tolist(), "sequence_scores": None, "token_log_probs": None}
    if "num_beams" in options:
        log_probs = model.compute_transition_scores(out.sequences, out.scores, out.beam_indices, normalize_logits=False)
        case["sequence_scores"] = out.sequences_scores.tolist()
        case["token_log_probs"] = [[round(v, 6) for v in row] for row in log_probs.tolist()]
        lengths = (out.beam_indices >= 0).sum(-1)
        again = log_probs.sum(-1) / lengths ** options.get("length_penalty", 1.0)
        torch.testing.assert_close(again, out.sequences_scores, rtol=0, atol=1e-5)
    return case


def same(a, b):
    return a["sequences"] == b["sequences"] and a["sequence_scores"] == b["sequence_scores"]


def effect(options, key):
    """Whether the result changes without an option, which may mean another search."""
    without = {k: v for k, v in options.items() if k != key}
    if key == "num_beam_groups":
        without.pop("diversity_penalty")
    if key == "diversity_penalty":
        without[key] = 1e-9  # there must be one
    return not same(run(without), run(options))


def is_stable(case):
    """Whether the texts are the same with logits that are a little off."""
    hook = model.decoder.lm_head.register_forward_hook(lambda *args: args[2] + NOISE * torch.randn_like(args[2]))
    texts = [run(case["options"])["sequences"] for _ in range(5)]
    hook.remove()
    return all(text == case["sequences"] for text in texts)


def write(name, all_options):
    cases = []
    for options in all_options:
        case = run({"max_length": 20, **options})
        kept = ("num_beams", "num_return_sequences", "max_length")
        useless = [key for key in options if key not in kept and not effect(case["options"], key)]
        if useless or not is_stable(case):
            raise SystemExit(f"{options}: {'without effect: ' + str(useless) if useless else 'not stable'}")
        cases.append(case)
    made_with = {"transformers": transformers.__version__, "torch": torch.__version__.split("+")[0]}
    tokens = ["decoder_start_token_id", "pad_token_id", "eos_token_id", "languages"]
    result = {"made_with": made_with, **{key: reference[key] for key in tokens}, "cases": cases}
    with open(os.path.join(HERE, name), "w") as file:
        json.dump(result, file, allow_nan=False)


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    transformers.generation.utils.BeamSearchScorer = TracedScorer
    model = load()
    tensors = load_file(os.path.join(HERE, "reference.safetensors"))
    pixel_values = tensors["pixel_values"]
    with torch.no_grad():
        names = ("pixel_values", "decoder_input_ids", "decoder_attention_mask")
        logits = model(**{name: tensors[name] for name in names}).logits
    torch.testing.assert_close(logits, tensors["logits"], rtol=0, atol=2e-5)
    with open(os.path.join(HERE, "reference.json")) as file:
        reference = json.load(file)
    write("reference_group_beam.json", GROUP_BEAM)
    write("reference_contrastive.json", CONTRASTIVE)
