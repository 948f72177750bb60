"""Writes PyTorch files without PyTorch: a model whose head and embeddings differ, wrapped models, and pickles that ask
for far more memory than their file has.

    python make_pickles.py
"""

import io
import json
import os
import pickle
import struct
import sys
import types
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
FORMS = os.path.join(HERE, "..", "forms")


class FloatStorage:
    pass


def rebuild(*arguments):
    return arguments


torch = types.ModuleType("torch")
utils = types.ModuleType("torch._utils")
FloatStorage.__module__, FloatStorage.__qualname__ = "torch", "FloatStorage"
rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = "torch._utils", "_rebuild_tensor_v2", "_rebuild_tensor_v2"
torch.FloatStorage, torch._utils, utils._rebuild_tensor_v2 = FloatStorage, utils, rebuild
sys.modules.update({"torch": torch, "torch._utils": utils})


class Storage:
    def __init__(self, key, size):
        self.key, self.size = key, size


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, shape

    def __reduce__(self):
        strides = [1]
        for size in reversed(self.shape[1:]):
            strides.insert(0, strides[0] * size)
        arguments = (self.storage, 0, tuple(self.shape), tuple(strides[: len(self.shape)]), False, {})
        return rebuild, arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return "storage", FloatStorage, value.key, "cpu", value.size
        return None


def write(path, tensors, wrap=lambda weights: weights):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    weights, values = {}, []
    for name, (shape, data) in tensors.items():
        weights[name] = Tensor(Storage(str(len(values)), len(data) // 4), shape)
        values.append(data)
    pickled = io.BytesIO()
    Pickler(pickled, protocol=2).dump(wrap(weights))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickled.getvalue())
        archive.writestr("model/byteorder", "little")
        for key, data in enumerate(values):
            archive.writestr(f"model/data/{key}", data)
        archive.writestr("model/version", "3\n")


def read(folder):
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    part = lambda entry: data[entry["data_offsets"][0] : entry["data_offsets"][1]]
    return {name: (entry["shape"], part(entry)) for name, entry in header.items()}


tensors = read(os.path.join(FORMS, "safetensors"))
shape, data = tensors["decoder.model.decoder.embed_tokens.weight"]
values = struct.unpack(f"<{len(data) // 4}f", data)
changed = dict(tensors)
changed["decoder.lm_head.weight"] = shape, struct.pack(f"<{len(values)}f", *(value + 0.5 for value in values))
write(os.path.join(HERE, "pytorch-head-differs", "pytorch_model.bin"), changed)
write(os.path.join(HERE, "pytorch-module", "pytorch_model.bin"), tensors, lambda weights: {f"module.{name}": tensor for name, tensor in weights.items()})
write(os.path.join(HERE, "pytorch-nested", "pytorch_model.bin"), tensors, lambda weights: {"epoch": 3, "model": weights})
for folder in ["pytorch-head-differs", "pytorch-module", "pytorch-nested"]:
    with open(os.path.join(FORMS, "safetensors", "config.json")) as source:
        text = source.read()
    with open(os.path.join(HERE, folder, "config.json"), "w") as target:
        target.write(text)

with zipfile.ZipFile(os.path.join(HERE, "deflated-bomb.bin"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("model/data.pkl", b"\x80\x02(" + b"N" * 15_000_000 + b"l.")
