"""Writes one tiny model in every form that checkpoints come in, and what transformers computes from it.

    pip install torch transformers==5.23.0 safetensors flax "jax[cpu]"
    python make_reference.py

Weights are random and larger than fresh ones, so that a mistake shows. Every folder but those of half precision has
the same weights. `flax-published` has the layout of the checkpoint that was published in 2021, and a bias of the logits
besides.
"""

import json
import os
import shutil

import flax.serialization
import jax.numpy as jnp
import numpy as np
import torch
from safetensors.torch import save_file
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPVisionModel,
    MBartConfig,
    MBartForCausalLM,
    MBartForConditionalGeneration,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)

torch.manual_seed(20211)
HERE = os.path.dirname(os.path.abspath(__file__))

VISION = dict(hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2, image_size=8, patch_size=4)
TEXT = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=11,
            max_position_embeddings=9, bos_token_id=0, eos_token_id=2)
MBART = dict(vocab_size=30, d_model=12, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
             decoder_attention_heads=2, encoder_ffn_dim=8, decoder_ffn_dim=8, max_position_embeddings=16,
             scale_embedding=True, decoder_start_token_id=2)


def folder(name):
    path = os.path.join(HERE, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def enlarge(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.4)
    return model.eval()


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def write_index(path, shards):
    places = {name: file for file, tensors in shards.items() for name in tensors}
    size = sum(t.numel() * t.element_size() for tensors in shards.values() for t in tensors.values())
    write_json(path, {"metadata": {"total_size": size}, "weight_map": places})


def halves(state):
    names = sorted(state)
    return {name: state[name] for name in names[::2]}, {name: state[name] for name in names[1::2]}


def flax_leaf(name, value):
    """Where a PyTorch tensor stands in a Flax tree, and how."""
    value = value.numpy()
    *path, leaf = name.split(".")
    if leaf == "weight":
        if "norm" in path[-1] or "layrnorm" in path[-1]:
            leaf = "scale"
        elif "embed_" in path[-1] or path[-1] in ("shared", "position_embedding"):
            leaf = "embedding"
        else:
            leaf, value = "kernel", (value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T)
    return [*path, leaf], value


def tree(state):
    root = {}
    for name, tensor in state.items():
        path, value = flax_leaf(name, tensor)
        node = root
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = np.ascontiguousarray(value)
    return root


def write_flax(path, state):
    with open(os.path.join(path, "flax_model.msgpack"), "wb") as file:
        file.write(flax.serialization.msgpack_serialize(tree(state)))


def published_name(name):
    if name.startswith("encoder."):
        return "model.encoder.vision_model." + name.removeprefix("encoder.")
    if name == "decoder.model.decoder.embed_tokens.weight":
        return "model.shared.weight"
    if name.startswith("enc_to_dec_proj."):
        return "model.visual_projection." + name.removeprefix("enc_to_dec_proj.")
    return name.removeprefix("decoder.")


clip = enlarge(CLIPModel(CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=6)))
mbart = enlarge(MBartForConditionalGeneration(MBartConfig(**MBART)))
clip.save_pretrained(folder("clip"))
mbart.save_pretrained(folder("mbart"))
mbart.model.save_pretrained(folder("mbart-without-head"))
vision = CLIPVisionModel.from_pretrained(os.path.join(HERE, "clip"))
decoder_config = MBartConfig(**MBART, is_decoder=True, add_cross_attention=True)
decoder = MBartForCausalLM.from_pretrained(os.path.join(HERE, "mbart"), config=decoder_config)
with torch.no_grad():
    # Transformers 5.23 looks for them under the decoder's own name only, and would leave them random.
    decoder.model.decoder.embed_tokens.weight.copy_(mbart.model.shared.weight)
vision.eval().save_pretrained(folder("clip-vision"))
decoder.eval().save_pretrained(folder("mbart-decoder"))

config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(vision.config, decoder.config)
config.encoder._name_or_path = config.decoder._name_or_path = ""  # where they were on this machine
config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 1, 2
model = VisionEncoderDecoderModel(config=config, encoder=vision, decoder=decoder).eval()
with torch.no_grad():
    model.enc_to_dec_proj.weight.normal_(std=0.4)
    model.enc_to_dec_proj.bias.normal_(std=0.4)
base = folder("safetensors")
model.save_pretrained(base)
state = {name: tensor for name, tensor in model.state_dict().items() if "lm_head" not in name}
state = {name: tensor.clone().contiguous() for name, tensor in state.items()}
configs = ["config.json", "generation_config.json"]


def variant(name):
    path = folder(name)
    for file in configs:
        shutil.copy(os.path.join(base, file), path)
    return path


path = variant("safetensors-sharded")
shards = dict(zip(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], halves(state)))
for file, tensors in shards.items():
    save_file(tensors, os.path.join(path, file), metadata={"format": "pt"})
write_index(os.path.join(path, "model.safetensors.index.json"), shards)

# With shared storage, as the tied embeddings of a state dict have it, and transformers 4's names.
v4 = {name.replace("encoder.", "encoder.vision_model.", 1) if name.startswith("encoder.") else name: tensor
      for name, tensor in state.items()}
v4["decoder.lm_head.weight"] = v4["decoder.model.decoder.embed_tokens.weight"]
v4["encoder.vision_model.embeddings.position_ids"] = torch.arange(5)[None]
torch.save(v4, os.path.join(variant("pytorch"), "pytorch_model.bin"))
torch.save(v4, os.path.join(variant("pytorch-legacy"), "pytorch_model.bin"), _use_new_zipfile_serialization=False)
# A view of one number that claims a thousand million of them.
torch.save({"weight": torch.zeros(1).expand(1 << 30)}, os.path.join(variant("pytorch-expanded"), "pytorch_model.bin"))
path = variant("pytorch-sharded")
shards = dict(zip(["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"], halves(v4)))
for file, tensors in shards.items():
    torch.save(tensors, os.path.join(path, file))
write_index(os.path.join(path, "pytorch_model.bin.index.json"), shards)

save_file({n: t.half() for n, t in state.items()}, os.path.join(variant("float16"), "model.safetensors"), metadata={"format": "pt"})
torch.save({n: t.bfloat16() for n, t in state.items()}, os.path.join(variant("bfloat16"), "pytorch_model.bin"))

write_flax(variant("flax"), {("encoder.vision_model." + n.removeprefix("encoder.") if n.startswith("encoder.") else n): t
                             for n, t in state.items()})
bias = torch.randn(1, MBART["vocab_size"])
published = {published_name(name): tensor for name, tensor in state.items()}
published["final_logits_bias"] = bias
published_config = {
    "model_type": "clip-vision-mbart",
    "tie_word_embeddings": True,
    "clip_vision_config": vision.config.to_dict(),
    "mbart_config": {**mbart.config.to_dict(), "num_beams": 5, "early_stopping": True},
}
for part in ("clip_vision_config", "mbart_config"):
    published_config[part]["_name_or_path"] = ""
published_config = json.loads(json.dumps(published_config, default=str))
path = folder("flax-published")
write_json(os.path.join(path, "config.json"), published_config)
write_flax(path, published)
# Arrays in parts of 100 bytes, in the type that numpy lacks.
path = folder("flax-parts-bfloat16")
write_json(os.path.join(path, "config.json"), published_config)
flax.serialization.MAX_CHUNK_SIZE = 100
with open(os.path.join(path, "flax_model.msgpack"), "wb") as file:
    def half(node):
        return {k: half(v) if isinstance(v, dict) else np.asarray(jnp.asarray(v, dtype=jnp.bfloat16)) for k, v in node.items()}
    file.write(flax.serialization.msgpack_serialize(half(tree(published))))

pixel_values = torch.randn(2, 3, 8, 8)
tokens = torch.tensor([[2, 7, 9, 4], [2, 29, 3, 3]])
with torch.no_grad():
    hidden = vision(pixel_values=pixel_values).last_hidden_state
    logits = model(pixel_values=pixel_values, decoder_input_ids=tokens).logits
    memory = torch.randn(2, 5, 12)
    decoder_logits = decoder(input_ids=tokens, encoder_hidden_states=memory).logits
save_file(
    {
        "pixel_values": pixel_values,
        "tokens": tokens,
        "encoder_last_hidden_state": hidden,
        "logits": logits,
        "final_logits_bias": bias[0],
        "memory": memory,
        "decoder_logits": decoder_logits,
    },
    os.path.join(HERE, "reference.safetensors"),
)
