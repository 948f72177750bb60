"""Makes the small checkpoints in the folders `tests/data` of the decoders, and what transformers computes with them.

    python make_reference.py          # transformers 5 and torch

The encoder's weights are left out, since only its output matters here.
"""

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    GPT2Config,
    RobertaConfig,
    TrOCRConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
)
from transformers.modeling_outputs import BaseModelOutput

MODELS = Path(__file__).parent.parent
PAD, START, END = 1, 2, 2
IMAGES, POSITIONS, LENGTH = 3, 6, 7

COMMON = dict(
    vocab_size=29, bos_token_id=0, eos_token_id=END, pad_token_id=PAD, is_decoder=True, add_cross_attention=True
)
GPT2 = dict(COMMON, n_embd=12, n_head=3, n_positions=24)
BERT = dict(COMMON, hidden_size=12, num_attention_heads=3, intermediate_size=16, num_hidden_layers=2)
TROCR = dict(COMMON, d_model=12, decoder_attention_heads=3, decoder_ffn_dim=16, max_position_embeddings=24)

# The decoder's configuration, and the width of the encoder.
FOLDERS = {
    "gpt2-decoder/tests/data/tied": (GPT2Config(**GPT2, n_layer=1, layer_norm_epsilon=1e-3), 8),
    "gpt2-decoder/tests/data/untied": (
        GPT2Config(
            **GPT2,
            n_layer=2,
            n_inner=16,
            activation_function="silu",
            scale_attn_weights=False,
            scale_attn_by_inverse_layer_idx=True,
            tie_word_embeddings=False,
        ),
        12,
    ),
    "bert-decoder/tests/data/bert": (
        BertConfig(
            **BERT,
            max_position_embeddings=24,
            hidden_act="gelu_new",
            layer_norm_eps=1e-3,
            tie_word_embeddings=False,
        ),
        8,
    ),
    "bert-decoder/tests/data/roberta": (
        RobertaConfig(**BERT, max_position_embeddings=26, hidden_act="relu", type_vocab_size=1),
        12,
    ),
    "trocr-decoder/tests/data/learned": (
        TrOCRConfig(
            **TROCR,
            decoder_layers=2,
            activation_function="quick_gelu",
            scale_embedding=True,
            layernorm_embedding=False,
            tie_word_embeddings=False,
        ),
        8,
    ),
    "trocr-decoder/tests/data/sinusoidal": (
        TrOCRConfig(
            **dict(TROCR, pad_token_id=PAD),
            decoder_layers=1,
            activation_function="relu",
            use_learned_position_embeddings=False,
            cross_attention_hidden_size=8,
        ),
        8,
    ),
}

CASES = [
    dict(max_length=14),
    dict(max_length=14, repetition_penalty=1.4),
    dict(max_length=14, num_beams=3),
    dict(max_length=14, num_beams=4, length_penalty=2.0, early_stopping=True),
    dict(max_length=12, num_beams=4, num_return_sequences=2, no_repeat_ngram_size=2),
]


def make(folder, decoder, encoder_width, seed):
    torch.manual_seed(seed)
    encoder = ViTConfig(
        hidden_size=encoder_width, num_hidden_layers=0, num_attention_heads=1, intermediate_size=4, image_size=4, patch_size=4
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = START, PAD, END
    model = VisionEncoderDecoderModel(config=config).eval()
    with torch.no_grad():
        for name, parameter in model.decoder.named_parameters():
            # Large, so that a mistake shows; norms stay near 1, biases near 0.
            if "norm" in name.lower() or ".ln_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.2)
            elif parameter.dim() == 1:
                parameter.copy_(torch.randn_like(parameter) * 0.2)
            else:
                parameter.copy_(torch.randn_like(parameter) * 0.5)
        model.tie_weights()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.to_json_string())

    tied = {id(p): n for n, p in reversed(list(model.decoder.named_parameters(remove_duplicate=True)))}
    weights = {
        f"decoder.{name}": parameter.detach().contiguous()
        for name, parameter in model.decoder.named_parameters()
        if tied[id(parameter)] == name
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    states = torch.randn(IMAGES, POSITIONS, encoder_width)
    memory = model.enc_to_dec_proj(states) if hasattr(model, "enc_to_dec_proj") else states
    ids = torch.randint(3, 29, (IMAGES, LENGTH))
    ids[:, 0] = START
    mask = torch.ones_like(ids)
    ids[1, 5:], mask[1, 5:] = PAD, 0
    with torch.no_grad():
        logits = model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            decoder_input_ids=ids,
            decoder_attention_mask=mask,
        ).logits
    tensors = dict(decoder_input_ids=ids, decoder_attention_mask=mask, decoder_memory=memory.detach(), logits=logits)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "reference.safetensors")

    cases = []
    for options in CASES:
        beams = options.get("num_beams", 1)
        with torch.no_grad():
            found = model.generate(
                encoder_outputs=BaseModelOutput(last_hidden_state=states.clone()),
                decoder_start_token_id=START,
                pad_token_id=PAD,
                eos_token_id=END,
                output_scores=True,
                return_dict_in_generate=True,
                **options,
            )
        scores = found.sequences_scores.tolist() if beams > 1 else None
        log_probs = None
        if beams == 1:
            steps = torch.stack(found.scores, 1).log_softmax(2)
            log_probs = steps.gather(2, found.sequences[:, 1:, None]).squeeze(2).tolist()
        cases.append(
            dict(
                options=options, sequences=found.sequences.tolist(), sequence_scores=scores, token_log_probs=log_probs
            )
        )
    reference = dict(
        made_with=dict(transformers=transformers.__version__, torch=torch.__version__.split("+")[0]),
        decoder_start_token_id=START,
        pad_token_id=PAD,
        eos_token_id=END,
        cases=cases,
    )
    (folder / "reference.json").write_text(json.dumps(reference) + "\n")


for seed, (name, (decoder, encoder_width)) in enumerate(FOLDERS.items()):
    make(MODELS / name, decoder, encoder_width, seed)
