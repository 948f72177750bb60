"""Checks that transformers opens a folder that `convert` wrote, and computes the same from it.

    pip install torch transformers==5.23.0 safetensors
    python check_saved.py SAVED --source ORIGINAL        # a folder that transformers opens as well
    python check_saved.py SAVED --reference FILE         # reference.safetensors with pixel_values, logits, ...

`--reference` takes the files of `verify`, and those of vision-encoder-decoder/tests/data/forms. Exit code 0 if no weight
is missing or left over and the logits are equal to within --tolerance, 1 otherwise.
"""

import argparse
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, safe_open
from transformers import AutoImageProcessor, AutoTokenizer, VisionEncoderDecoderModel

# A checkpoint of the published form has it, and transformers has no place for it.
BIAS = "decoder.final_logits_bias"


def open_folder(folder):
    model, report = VisionEncoderDecoderModel.from_pretrained(folder, output_loading_info=True, dtype=torch.float32)
    report = {kind: sorted(str(name) for name in names) for kind, names in report.items() if names}
    return model.eval(), report


def logits_bias(folder):
    for path in Path(folder).glob("model*.safetensors"):
        with safe_open(path, "pt") as file:
            if BIAS in file.keys():
                return file.get_tensor(BIAS).float()
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("saved")
    parser.add_argument("--source")
    parser.add_argument("--reference")
    parser.add_argument("--tolerance", type=float, default=2e-4)
    arguments = parser.parse_args()

    model, report = open_folder(arguments.saved)
    bias = logits_bias(arguments.saved)
    if bias is not None and report.get("unexpected_keys") == [BIAS]:
        del report["unexpected_keys"]
        print(f"transformers ignores {BIAS}; it is added here")
    holds = not report
    for kind, names in report.items():
        print(f"{kind}: {', '.join(names)}")

    comparisons = []
    if arguments.reference:
        file = load_file(arguments.reference)
        tokens = file["decoder_input_ids"] if "decoder_input_ids" in file else file["tokens"]
        mask = file.get("decoder_attention_mask", torch.ones_like(tokens))
        comparisons.append((file["pixel_values"], tokens, mask, file["logits"]))
    if arguments.source:
        source, _ = open_folder(arguments.source)
        vision, text = source.config.encoder, source.config.decoder
        torch.manual_seed(0)
        pixels = torch.randn(2, vision.num_channels, vision.image_size, vision.image_size)
        tokens = torch.randint(3, text.vocab_size, (2, 6))
        mask = torch.ones_like(tokens)
        with torch.no_grad():
            expected = source(pixel_values=pixels, decoder_input_ids=tokens).logits
        comparisons.append((pixels, tokens, mask, expected))
    for pixels, tokens, mask, expected in comparisons:
        with torch.no_grad():
            found = model(pixel_values=pixels, decoder_input_ids=tokens, decoder_attention_mask=mask).logits
        if bias is not None:
            found = found + bias
        apart = (found - expected).abs()[mask.bool()].max().item()
        print(f"logits {tuple(found.shape)}: at most {apart:.1e} apart")
        holds = holds and apart <= arguments.tolerance

    processor = AutoImageProcessor.from_pretrained(arguments.saved)
    print(f"images: {type(processor).__name__}")
    if (Path(arguments.saved) / "tokenizer.json").exists():
        tokenizer = AutoTokenizer.from_pretrained(arguments.saved)
        print(f"tokenizer: {type(tokenizer).__name__}, {len(tokenizer)} tokens")
    print("holds" if holds else "DIFFERS")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
