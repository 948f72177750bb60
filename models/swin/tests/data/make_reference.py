"""Writes tiny models with random weights, and what transformers computes from them.

    pip install torch transformers==5.24.0 safetensors
    python make_reference.py

Weights are larger than fresh ones, so that a mistake shows.
"""

import os
import shutil

import torch
from safetensors.torch import save_file
from transformers import DonutSwinConfig, DonutSwinModel, SwinConfig, SwinModel

HERE = os.path.dirname(os.path.abspath(__file__))

CASES = {
    # 16 × 12 positions, then 8 × 6: the second size is padded to whole windows.
    "donut": DonutSwinModel(
        DonutSwinConfig(image_size=[32, 24], patch_size=2, embed_dim=4, depths=[1, 3], num_heads=[2, 4], window_size=4, mlp_ratio=2.0)
    ),
    # Pixels are padded to 13 × 16 positions, which are padded to windows and merged to 7 × 8.
    "swin-odd": SwinModel(
        SwinConfig(
            image_size=[50, 46], patch_size=[4, 3], num_channels=1, embed_dim=8, depths=[2, 2], num_heads=[2, 2],
            window_size=3, mlp_ratio=2.6, qkv_bias=False, hidden_act="relu", layer_norm_eps=1e-3,
        )
    ),
    # One window, which is not shifted, and learned positions.
    "swin-positions": SwinModel(
        SwinConfig(
            image_size=24, patch_size=4, num_channels=1, embed_dim=8, depths=[2], num_heads=[2], window_size=6,
            use_absolute_embeddings=True, hidden_act="quick_gelu",
        )
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
