"""The captioning model in PyTorch: sizes, random weights, and the two parts that are exported.

Weights are drawn from a fixed seed, so that every peer computes the same function and `check.py`
can compare them. Speed does not depend on their values.

Dimension letters: B images, R rows of the decoder, P past positions, D width, H heads,
S positions of the encoder (50), V vocabulary.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import nn


@dataclass(frozen=True)
class Size:
    image: int
    patch: int
    vision_width: int
    vision_layers: int
    vision_heads: int
    vision_feed_forward: int
    width: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def encoder_positions(self) -> int:
        """Patches and the class token."""
        return (self.image // self.patch) ** 2 + 1


SIZES = {
    # CLIP ViT-B/32 and mBART-50's decoder: 547 million parameters.
    "full": Size(224, 32, 768, 12, 12, 3072, 1024, 12, 16, 4096, 250_054),
    # Has 50 encoder positions too, and widths that are multiples of the int4 groups of 64.
    "tiny": Size(56, 8, 64, 2, 2, 128, 128, 2, 2, 256, 1000),
}

START_TOKEN, PAD_TOKEN, END_TOKEN = 2, 1, 2


def random_model(size: Size):
    """A `VisionEncoderDecoderModel` in evaluation mode with seeded random weights, in f32."""
    from transformers import (
        CLIPVisionConfig,
        MBartConfig,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
    )

    vision = CLIPVisionConfig(
        image_size=size.image,
        patch_size=size.patch,
        hidden_size=size.vision_width,
        num_hidden_layers=size.vision_layers,
        num_attention_heads=size.vision_heads,
        intermediate_size=size.vision_feed_forward,
    )
    decoder = MBartConfig(
        vocab_size=size.vocabulary,
        d_model=size.width,
        decoder_layers=size.layers,
        decoder_attention_heads=size.heads,
        decoder_ffn_dim=size.feed_forward,
        activation_function="gelu",
        scale_embedding=True,
        tie_word_embeddings=True,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(vision, decoder)
    config.tie_word_embeddings = True
    config.decoder_start_token_id = START_TOKEN
    config.pad_token_id = PAD_TOKEN

    # The library's own initialisation would be overwritten, and at this size it takes a while.
    with torch.device("meta"):
        model = VisionEncoderDecoderModel(config)
    model.to_empty(device="cpu")
    model.tie_weights()
    fill(model)
    # Without an end token no hypothesis finishes, so that every run has as many steps.
    model.generation_config.eos_token_id = None
    model.generation_config.forced_eos_token_id = None
    return model.eval()


def fill(model: nn.Module) -> None:
    """Draws parameters from a seed, and restores the buffers that `to_empty` lost."""
    generator = torch.Generator().manual_seed(20)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(0.0, 0.02, generator=generator)
            # Layer norms are the only vectors called weight.
            if parameter.dim() == 1 and name.endswith("weight"):
                parameter.add_(1.0)
        for name, buffer in model.named_buffers():
            if name.endswith("position_ids"):
                buffer.copy_(torch.arange(buffer.shape[-1]).expand(buffer.shape))
            elif name.endswith("embed_scale"):
                buffer.fill_(model.config.decoder.d_model ** 0.5)
            else:
                raise ValueError(f"no rule to fill the buffer {name}")


def example_pixels(size: Size, images: int = 1):
    """Seeded pixels [B, 3, height, width], as spread as normalised photographs."""
    generator = torch.Generator().manual_seed(30)
    return torch.randn(images, 3, size.image, size.image, generator=generator)


class Encoder(nn.Module):
    """Pixels [B, 3, height, width] to projected states [B, S, D]."""

    def __init__(self, model):
        super().__init__()
        self.vision = model.encoder
        self.projection = model.enc_to_dec_proj

    def forward(self, pixels):
        # The class token stays and `post_layernorm` is not applied, as in the captioning model.
        return self.projection(self.vision(pixel_values=pixels).last_hidden_state)


def plain_attention(query, keys, values, scale):
    """Attention from elementary operations, which ONNX Runtime knows how to fuse.

    The scale goes on the query, which is the smallest operand.
    """
    scores = (query * scale) @ keys.transpose(2, 3)  # [R, H, 1, P]
    return scores.softmax(-1) @ values


class DecoderStep(nn.Module):
    """One token for every row, with the cache as inputs and outputs.

    No mask is needed: every row has as many past positions, and all of them are visible.
    """

    def __init__(self, model, attention=plain_attention):
        super().__init__()
        self.decoder = model.decoder.model.decoder
        self.lm_head = model.decoder.lm_head
        self.width = model.config.decoder.d_model
        self.heads = model.config.decoder.decoder_attention_heads
        self.attention = partial(attention, scale=(self.width // self.heads) ** -0.5)

    # Both leave the number of rows to -1: a size read from the input would become nodes of the
    # exported graph.

    def split(self, states, positions=1):
        return states.view(-1, positions, self.heads, self.width // self.heads).transpose(1, 2)

    def merge(self, states):
        return states.transpose(1, 2).reshape(-1, 1, self.width)

    def forward(self, tokens, position, cross, past):
        """Tokens [R, 1], position [1], two caches per layer of [R, H, S or P, D / H] each.

        `cross` and `past` are flat tuples: keys and values of the first layer, of the second, ...
        Returns logits [R, V] and the longer past.
        """
        decoder = self.decoder
        states = nn.functional.embedding(tokens, decoder.embed_tokens.weight) * self.width**0.5
        # mBART's position table starts with two unused entries.
        states = states + nn.functional.embedding(position + 2, decoder.embed_positions.weight)
        states = decoder.layernorm_embedding(states)
        present = []
        for index, layer in enumerate(decoder.layers):
            normed = layer.self_attn_layer_norm(states)
            attention = layer.self_attn
            keys = torch.cat([past[2 * index], self.split(attention.k_proj(normed))], 2)
            values = torch.cat([past[2 * index + 1], self.split(attention.v_proj(normed))], 2)
            present += [keys, values]
            query = self.split(attention.q_proj(normed))
            states = states + attention.out_proj(self.merge(self.attention(query, keys, values)))

            normed = layer.encoder_attn_layer_norm(states)
            attention = layer.encoder_attn
            query = self.split(attention.q_proj(normed))
            context = self.attention(query, cross[2 * index], cross[2 * index + 1])
            states = states + attention.out_proj(self.merge(context))

            normed = layer.final_layer_norm(states)
            states = states + layer.fc2(nn.functional.gelu(layer.fc1(normed)))
        states = decoder.layer_norm(states)[:, -1]  # [R, D]
        return self.lm_head(states), tuple(present)

    def cross_states(self, encoded):
        """Keys and values [R, H, S, D / H] of all layers from the encoder's output [R, S, D]."""
        cross = []
        for layer in self.decoder.layers:
            attention = layer.encoder_attn
            for projection in (attention.k_proj, attention.v_proj):
                cross.append(self.split(projection(encoded), encoded.shape[1]))
        return tuple(cross)
