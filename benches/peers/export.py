"""The model as ONNX files, for ONNX Runtime and OpenVINO; made once, kept in the cache folder."""

import shutil
from pathlib import Path

#: The files of one precision. Weights lie beside the graph: protobuf ends at 2 GB.
ENCODER, DECODER = "encoder.onnx", "decoder.onnx"


def names(kind: str, layers: int) -> list[str]:
    """`kind`_key_0, `kind`_value_0, `kind`_key_1, ..: the order of `DecoderStep`'s tuples."""
    return [f"{kind}_{part}_{layer}" for layer in range(layers) for part in ("key", "value")]


def float_model(folder: Path, size_name: str) -> Path:
    """Exports both parts in f32 and returns their folder."""
    target = folder / "onnx-f32"
    return target if target.exists() else write_whole(target, lambda at: export(at, size_name))


def int8_model(folder: Path, size_name: str) -> Path:
    """Both parts with int8 weights and activations quantised while running (`quantize_dynamic`)."""
    target = folder / "onnx-int8"
    source = float_model(folder, size_name)
    return target if target.exists() else write_whole(target, lambda at: quantize(source, at))


def int4_model(folder: Path, size_name: str) -> Path:
    """Both parts with int4 weights in groups of 64 (`MatMulNBits`); the embedding stays in f32."""
    target = folder / "onnx-int4"
    source = float_model(folder, size_name)
    return target if target.exists() else write_whole(target, lambda at: pack(source, at))


def write_whole(target: Path, write) -> Path:
    """Lets `write(folder)` fill a folder that gets its name when complete: no half exports."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write(partial)
    partial.rename(target)
    return target


def export(folder: Path, size_name: str) -> None:
    import torch

    from model import SIZES, DecoderStep, Encoder, random_model

    size = SIZES[size_name]
    model = random_model(size)
    # Operations that the tracer writes as elementary ones, for the runtimes to fuse.
    model.set_attn_implementation("eager")
    rows, past_length = 2, 3
    kept = (rows, size.heads, size.encoder_positions, size.head_width)
    cross = tuple(torch.randn(kept) for _ in range(2 * size.layers))
    past = tuple(
        torch.randn(rows, size.heads, past_length, size.head_width) for _ in range(2 * size.layers)
    )
    parts = {
        ENCODER: dict(
            module=Encoder(model),
            arguments=(torch.randn(rows, 3, size.image, size.image),),
            inputs=["pixels"],
            outputs=["states"],
            dynamic={"pixels": {0: "images"}, "states": {0: "images"}},
        ),
        DECODER: dict(
            module=DecoderStep(model),
            arguments=(
                torch.ones(rows, 1, dtype=torch.long),
                torch.tensor([past_length]),
                cross,
                past,
            ),
            inputs=["tokens", "position"]
            + names("cross", size.layers)
            + names("past", size.layers),
            outputs=["logits"] + names("present", size.layers),
            dynamic={"tokens": {0: "rows"}, "logits": {0: "rows"}}
            | {name: {0: "rows"} for name in names("cross", size.layers)}
            | {name: {0: "rows", 2: "past"} for name in names("past", size.layers)}
            | {name: {0: "rows", 2: "length"} for name in names("present", size.layers)},
        ),
    }
    for file, part in parts.items():
        # The tracing exporter scatters big models over a file per tensor: gather them again.
        scattered = folder / "scattered"
        scattered.mkdir()
        with torch.inference_mode():
            torch.onnx.export(
                part["module"].eval(),
                part["arguments"],
                str(scattered / file),
                input_names=part["inputs"],
                output_names=part["outputs"],
                dynamic_axes=part["dynamic"],
                opset_version=17,
                # Folds the transposes of weights, without which `quantize_dynamic` skips them.
                do_constant_folding=True,
                dynamo=False,
            )
        gather(scattered / file, folder / file)
        shutil.rmtree(scattered)


def gather(source: Path, target: Path) -> None:
    import onnx

    onnx.save_model(
        onnx.load(str(source)),
        str(target),
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=target.name + ".data",
        size_threshold=1024,
    )


def quantize(source: Path, folder: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    for file in (ENCODER, DECODER):
        quantize_dynamic(
            str(source / file),
            str(folder / file),
            # The patch convolution stays in f32: it is a hundredth of the encoder's work, and
            # the integer convolution of the runtime is slow.
            op_types_to_quantize=["MatMul", "Gemm", "Gather"],
            weight_type=QuantType.QInt8,
            per_channel=True,
            use_external_data_format=True,
        )


def pack(source: Path, folder: Path) -> None:
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    for file in (ENCODER, DECODER):
        quantizer = MatMulNBitsQuantizer(
            onnx.load(str(source / file)),
            block_size=64,
            is_symmetric=True,
            # Lets the runtime quantise activations to int8, which is several times faster.
            accuracy_level=4,
        )
        quantizer.process()
        quantizer.model.save_model_to_file(str(folder / file), use_external_data_format=True)
