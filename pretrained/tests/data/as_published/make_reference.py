"""Runs the search of the published model's original code on a toy model.

    pip install jax==0.4.35 jaxlib==0.4.35 flax==0.10.0 transformers==4.48.3
    python make_reference.py generation_clip_vision_utils.py > reference.json

The argument is that file of github.com/gchhablani/multilingual-image-captioning. The toy model looks
the logits of the next token up by image and last token.
"""

import importlib.util
import json
import random
import sys
import types

import jax
import jax.numpy as jnp
import jaxlib.xla_extension
import numpy as np
import transformers.generation.flax_logits_process as logits_process

START, PAD, END = 2, 1, 2
VOCABULARY = 12
IMAGES = 3

# Names that the original imports and that have moved or gone since.
jax.tree_map = jax.tree_util.tree_map
jaxlib.xla_extension.DeviceArray = jax.Array
sys.modules["transformers.generation_flax_logits_process"] = logits_process

spec = importlib.util.spec_from_file_location("original", sys.argv[1])
original = importlib.util.module_from_spec(spec)
spec.loader.exec_module(original)


class Outputs(dict):
    @property
    def logits(self):
        return self["logits"]

    @property
    def past_key_values(self):
        return self["past_key_values"]


class Toy(original.FlaxCLIPVisionMBartGenerationMixin):
    config = types.SimpleNamespace(
        is_encoder_decoder=True,
        mbart_config=types.SimpleNamespace(
            max_length=20,
            bos_token_id=0,
            pad_token_id=PAD,
            eos_token_id=END,
            decoder_start_token_id=START,
            do_sample=False,
            num_beams=1,
            no_repeat_ngram_size=0,
            min_length=0,
            forced_bos_token_id=None,
            forced_eos_token_id=None,
            length_penalty=1.0,
            early_stopping=False,
        ),
    )

    def encode(self, table, return_dict):
        return {"last_hidden_state": table}

    def decode(self, tokens, params, encoder_outputs, past_key_values):
        table = encoder_outputs["last_hidden_state"]
        rows = jnp.arange(table.shape[0])
        logits = table[rows, tokens[:, -1]][:, None]
        return Outputs(logits=logits, past_key_values=past_key_values)

    def prepare_inputs_for_generation(self, tokens, max_length, encoder_outputs):
        return {"encoder_outputs": encoder_outputs, "past_key_values": {}}

    def update_inputs_for_generation(self, outputs, kwargs):
        return {**kwargs, "past_key_values": outputs["past_key_values"]}


def random_case(generator):
    options = {
        "max_length": generator.choice([2, 3, 6, 9, 13]),
        "num_beams": generator.choice([1, 2, 3, 4, 5]),
    }
    for name, chance, values in [
        ("forced_bos_token_id", 0.7, [7, 8, 2]),
        ("forced_eos_token_id", 0.5, [2]),
        ("early_stopping", 0.5, [True]),
        ("length_penalty", 0.4, [-1.0, 0.0, 0.5, 0.7, 2.0]),
        ("min_length", 0.3, [1, 2, 4, 6]),
    ]:
        if generator.random() < chance:
            options[name] = generator.choice(values)
    options["min_length"] = min(options.get("min_length", 0), options["max_length"])
    return generator.choice([1, IMAGES, IMAGES]), options


def main():
    generator = random.Random(3)
    table = [
        [[round(generator.gauss(0, 1.5), 3) for _ in range(VOCABULARY)] for _ in range(VOCABULARY)]
        for _ in range(IMAGES)
    ]
    cases = []
    for _ in range(80):
        images, options = random_case(generator)
        logits = jnp.array(np.array(table[:images], dtype=np.float32))
        found = Toy().generate(logits, **options)
        scores = getattr(found, "scores", None)
        cases.append(
            {
                "images": images,
                "options": options,
                "sequences": np.array(found.sequences).tolist(),
                "sequence_scores": None if scores is None else np.array(scores).tolist(),
            }
        )
    lines = ",\n".join(json.dumps(case) for case in cases)
    print(f'{{"logits": {json.dumps(table)},\n"cases": [\n{lines}\n]}}')


main()
