"""Makes two tiny translation models with random weights, and what transformers 5 computes with them: python make.py"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GenerationConfig, MarianConfig, MarianMTModel

HERE = Path(__file__).parent

MODELS = {
    # The ids are those of preprocess/tests/data/marian.
    "shared": dict(
        vocab_size=191, d_model=16, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=4, encoder_ffn_dim=20, decoder_ffn_dim=24, activation_function="swish",
        scale_embedding=True, max_position_embeddings=64, pad_token_id=190, decoder_start_token_id=190,
    ),
    # Tables that should be one, if the head were tied.
    "untied": dict(
        vocab_size=23, d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=1,
        decoder_attention_heads=2, encoder_ffn_dim=7, decoder_ffn_dim=9, activation_function="gelu",
        max_position_embeddings=20, pad_token_id=22, decoder_start_token_id=22, tie_word_embeddings=False,
    ),
    # Everything else: an odd width, tables of different sizes, a head of its own.
    "separate": dict(
        vocab_size=40, decoder_vocab_size=33, d_model=15, encoder_layers=1, decoder_layers=2,
        encoder_attention_heads=5, decoder_attention_heads=3, encoder_ffn_dim=17, decoder_ffn_dim=11,
        activation_function="relu", scale_embedding=False, max_position_embeddings=32, pad_token_id=32,
        decoder_start_token_id=32, share_encoder_decoder_embeddings=False, tie_word_embeddings=False,
    ),
}
CASES = [
    {"num_beams": 1},
    {"num_beams": 4},
    {"num_beams": 3, "num_return_sequences": 2, "length_penalty": 0.6},
]

for seed, (name, sizes) in enumerate(MODELS.items()):
    torch.manual_seed(seed)
    config = MarianConfig(**sizes, eos_token_id=0, forced_eos_token_id=0, init_std=0.4)
    model = MarianMTModel(config).eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            if "embed_positions" not in key:
                value.normal_(0, 0.4 if "norm.weight" not in key else 0.1)
                if "norm.weight" in key:
                    value += 1
        model.final_logits_bias.normal_(0, 0.5)
    pad = config.pad_token_id
    options = dict(bad_words_ids=[[pad]], forced_eos_token_id=0, max_length=12)
    model.generation_config = GenerationConfig(
        pad_token_id=pad, eos_token_id=0, decoder_start_token_id=pad, num_beams=4, **options
    )
    folder = HERE / name
    model.save_pretrained(folder)
    lengths = [9, 4, 1]
    ids = torch.randint(2, config.vocab_size - 2, (3, max(lengths)))
    mask = torch.tensor([[int(i < n) for i in range(max(lengths))] for n in lengths])
    for row, length in enumerate(lengths):
        ids[row, length - 1] = 0
        ids[row, length:] = pad
    tokens = torch.randint(2, model.lm_head.out_features - 2, (3, 7))
    tokens[:, 0] = pad
    with torch.no_grad():
        output = model(input_ids=ids, attention_mask=mask, decoder_input_ids=tokens)
        cases = []
        for case in CASES:
            found = model.generate(
                input_ids=ids, attention_mask=mask, output_scores=True, return_dict_in_generate=True, **options, **case
            )
            scores = getattr(found, "sequences_scores", None)
            cases.append({
                "options": {**options, **case},
                "sequences": found.sequences.tolist(),
                "sequence_scores": None if scores is None else scores.tolist(),
            })
    save_file(
        {
            "input_ids": ids, "attention_mask": mask, "decoder_input_ids": tokens,
            "encoder_last_hidden_state": output.encoder_last_hidden_state.contiguous(), "logits": output.logits,
        },
        folder / "reference.safetensors",
    )
    reference = {"decoder_start_token_id": pad, "pad_token_id": pad, "eos_token_id": 0, "cases": cases}
    (folder / "reference.json").write_text(json.dumps(reference) + "\n")
