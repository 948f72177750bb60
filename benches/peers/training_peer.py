"""The PyTorch twin of the program `training-speed`: the same sizes, random weights, batch and optimiser.

    venv/bin/python training_peer.py --size pictograms --threads 2
"""

import argparse
import json
import statistics
import time

from measurement import peak_resident_bytes

#: Width, encoder layers, decoder layers, heads, images, tokens.
SIZES = {
    "pictograms": (192, 5, 3, 6, 64, 12),
    "medium": (512, 4, 4, 8, 32, 16),
}
VOCABULARY = 1654
WARM_UP = 2


def random_model(size: str):
    from transformers import (
        CLIPVisionConfig,
        CLIPVisionModel,
        MBartConfig,
        MBartForCausalLM,
        VisionEncoderDecoderModel,
    )

    width, encoder_layers, decoder_layers, heads, _, _ = SIZES[size]
    encoder = CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=encoder_layers,
            num_attention_heads=heads,
            image_size=96,
            patch_size=16,
            hidden_act="quick_gelu",
        )
    )
    decoder = MBartForCausalLM(
        MBartConfig(
            vocab_size=VOCABULARY,
            d_model=width,
            decoder_layers=decoder_layers,
            decoder_attention_heads=heads,
            decoder_ffn_dim=4 * width,
            max_position_embeddings=64,
            dropout=0.0,
            is_decoder=True,
            add_cross_attention=True,
            is_encoder_decoder=False,
            scale_embedding=True,
        )
    )
    return VisionEncoderDecoderModel(encoder=encoder, decoder=decoder)


def measure(size: str, threads: int, updates: int) -> dict:
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    *_, images, tokens = SIZES[size]
    model = random_model(size)
    model.train()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    pixels = torch.randn(images, 3, 96, 96)
    ids = torch.randint(4, VOCABULARY, (images, tokens + 1))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, eps=1e-8, weight_decay=0.01)
    parts = {"forward_s": [], "backward_s": [], "optimiser_s": [], "update_s": []}
    for update in range(WARM_UP + updates):
        start = time.perf_counter()
        logits = model(pixel_values=pixels, decoder_input_ids=ids[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, VOCABULARY), ids[:, 1:].reshape(-1)
        )
        value = loss.item()
        forward = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        backward = time.perf_counter()
        optimiser.step()
        end = time.perf_counter()
        if update == 0:
            first_loss = value
        if update >= WARM_UP:
            parts["forward_s"].append(forward - start)
            parts["backward_s"].append(backward - forward)
            parts["optimiser_s"].append(end - backward)
            parts["update_s"].append(end - start)
    result = {name: statistics.median(times) for name, times in parts.items()}
    result["images_per_s"] = images / result["update_s"]
    return {
        "threads": threads,
        "parameters": parameters,
        "images": images,
        "tokens": tokens,
        **result,
        "first_loss": first_loss,
        "last_loss": value,
        "peak_rss_bytes": peak_resident_bytes(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="pictograms")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--updates", type=int, default=10)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.size, arguments.threads, arguments.updates), indent=2))


if __name__ == "__main__":
    main()
