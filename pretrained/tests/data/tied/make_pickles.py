"""Writes PyTorch files without PyTorch: a model whose head and embeddings differ, wrapped models, a
model in the oldest form, and pickles that ask
for far more memory than their file has.

    python make_pickles.py
"""

import io
import json
import os
import pickle
import struct
import sys
import tarfile
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



def write_tar(path, tensors):
    """The form of PyTorch before version 0.1.10."""
    entries = {name: io.BytesIO() for name in ["sys_info", "tensors", "storages", "pickle"]}
    dump = lambda entry, value: pickle.dump(value, entries[entry], protocol=2)
    dump("sys_info", {"protocol_version": 1000, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}})
    dump("storages", len(tensors))
    dump("tensors", len(tensors))
    for key, (shape, data) in enumerate(tensors.values()):
        dump("storages", (str(key), "cpu", FloatStorage))
        entries["storages"].write(struct.pack("<q", len(data) // 4) + data)
        strides = [1]
        for size in reversed(shape[1:]):
            strides.insert(0, strides[0] * size)
        dump("tensors", (str(key), str(key), FloatStorage))
        sizes = [*shape, *strides[: len(shape)], 0]
        entries["tensors"].write(struct.pack("<ii", len(shape), 0) + struct.pack(f"<{len(sizes)}q", *sizes))
    dump("storages", [])
    keys = {name: Key(str(key)) for key, name in enumerate(tensors)}
    KeyPickler(entries["pickle"], protocol=2).dump(keys)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = content.tell()
            content.seek(0)
            archive.addfile(entry, content)


class Key(str):
    pass


class KeyPickler(pickle.Pickler):
    def persistent_id(self, value):
        return str(value) if isinstance(value, Key) else None


write_tar(os.path.join(HERE, "pytorch-tar", "pytorch_model.bin"), tensors)
with open(os.path.join(FORMS, "safetensors", "config.json")) as source:
    text = source.read()
with open(os.path.join(HERE, "pytorch-tar", "config.json"), "w") as target:
    target.write(text)

with zipfile.ZipFile(os.path.join(HERE, "deflated-bomb.bin"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("model/data.pkl", b"\x80\x02(" + b"N" * 15_000_000 + b"l.")
