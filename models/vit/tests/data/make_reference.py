"""Writes tiny models with random weights, and what transformers computes from them.

    pip install torch transformers==5.24.0 safetensors
    python make_reference.py

Weights are larger than fresh ones, so that a mistake shows.
"""

import os
import shutil

import torch
from safetensors.torch import save_file
from transformers import DeiTConfig, DeiTModel, ViTConfig, ViTModel

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = dict(hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2)

CASES = {
    "vit": ViTModel(ViTConfig(**SIZES, image_size=12, patch_size=4)),
    # The last rows and columns of pixels fill no patch.
    "vit-without-bias": ViTModel(
        ViTConfig(**SIZES, image_size=[13, 10], patch_size=4, qkv_bias=False, hidden_act="quick_gelu"),
        add_pooling_layer=False,
    ),
    "deit-rectangle": DeiTModel(
        DeiTConfig(**SIZES, image_size=[20, 12], patch_size=[5, 4], num_channels=1, hidden_act="relu", layer_norm_eps=1e-3)
    ),
}

torch.manual_seed(20211)
for name, model in CASES.items():
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
        model.eval().save_pretrained(folder)
        config = model.config
        size = config.image_size if isinstance(config.image_size, (list, tuple)) else [config.image_size] * 2
        pixel_values = torch.randn(2, config.num_channels, *size)
        hidden = model(pixel_values).last_hidden_state
    save_file(
        {"pixel_values": pixel_values, "last_hidden_state": hidden.contiguous()},
        os.path.join(folder, "reference.safetensors"),
    )
