"""Makes the reference values beside this file with Pillow 13 and transformers 5.23.

    python make_reference.py SENTENCEPIECE_FOLDER

The folder holds a small mBART-50 tokenizer: sentencepiece.bpe.model and tokenizer_config.json.
"""

import json
import random
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file
from transformers import MBart50Tokenizer
from transformers.convert_slow_tokenizer import import_protobuf
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES

HERE = Path(__file__).parent
IMAGES = HERE / "images"
TEXT = HERE / "text"
rng = np.random.default_rng(1)
random.seed(1)


def smooth(height, width, channels):
    y = np.linspace(0, 6, height)[:, None, None]
    x = np.linspace(0, 8, width)[None, :, None]
    k = rng.uniform(0.5, 2, (1, 1, channels))
    p = rng.uniform(0, 6, (1, 1, channels))
    values = 127 + 90 * np.sin(x * k + p) * np.cos(y * k - p) + rng.normal(0, 9, (height, width, channels))
    return np.clip(values, 0, 255).astype(np.uint8)


def image(mode, height=23, width=31):
    values = smooth(height, width, len(mode))
    return Image.fromarray(values[..., 0] if len(mode) == 1 else values, mode)


def write_png16(path, values, colour_type):
    """Pillow can't write 16-bit colour."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def write_images():
    IMAGES.mkdir(exist_ok=True)
    for name, mode in [("grey", "L"), ("grey-alpha", "LA"), ("rgb", "RGB"), ("rgba", "RGBA")]:
        image(mode).save(IMAGES / f"{name}.png")
    image("L").convert("1").save(IMAGES / "one-bit.png")
    palette = image("RGB").quantize(37)
    palette.save(IMAGES / "palette.png")
    palette.save(IMAGES / "palette-transparent.png", transparency=5)
    image("L").save(IMAGES / "grey-transparent.png", transparency=77)
    Image.fromarray(rng.integers(0, 65536, (9, 11), dtype=np.uint16)).save(IMAGES / "grey16.png")
    Image.fromarray(rng.integers(0, 400, (9, 11), dtype=np.uint16)).save(IMAGES / "grey16-dark.png")
    write_png16(IMAGES / "grey-alpha16.png", rng.integers(0, 65536, (9, 11, 2)), 4)
    write_png16(IMAGES / "rgb16.png", rng.integers(0, 65536, (9, 11, 3)), 2)
    write_png16(IMAGES / "rgba16.png", rng.integers(0, 65536, (9, 11, 4)), 6)
    palette.save(IMAGES / "animated.gif", save_all=True, append_images=[image("RGB").quantize(9)], duration=50)
    image("RGB").save(IMAGES / "rgb.bmp")
    image("RGB").save(IMAGES / "lossless.webp", lossless=True)
    image("RGB").save(IMAGES / "lossy.webp", quality=80)
    image("RGB").save(IMAGES / "lzw.tiff", compression="tiff_lzw")
    image("RGB", 61, 83).save(IMAGES / "jpeg-420.jpg", quality=88, subsampling=2)
    image("RGB", 61, 83).save(IMAGES / "jpeg-444-progressive.jpg", quality=88, subsampling=0, progressive=True)
    image("L", 61, 83).save(IMAGES / "jpeg-grey.jpg", quality=88)
    image("CMYK", 61, 83).save(IMAGES / "jpeg-cmyk.jpg", quality=95)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image("RGB", 2, 3).save(IMAGES / f"orientation-{orientation}.png", exif=exif)


def pixels():
    tensors = {}
    processor = CLIPImageProcessorPil(size={"shortest_edge": 12}, crop_size={"height": 13, "width": 10})
    for path in sorted(IMAGES.iterdir()):
        opened = Image.open(path)
        rgb = opened.convert("RGB")
        tensors[f"rgb/{path.name}"] = np.array(rgb)
        if "orientation" in path.name:
            tensors[f"upright/{path.name}"] = np.array(ImageOps.exif_transpose(opened).convert("RGB"))
        else:
            # A new image, for Pillow remembers a transparent colour and transformers would blend it.
            plain = Image.fromarray(np.array(rgb))
            tensors[f"processed/{path.name}"] = processor(plain, return_tensors="np")["pixel_values"][0]
        if "A" in opened.getbands() or "transparency" in opened.info:
            tensors[f"over-white/{path.name}"] = processor.convert_to_rgb(opened)
    save_file(tensors, HERE / "pixels.safetensors")


def resizes():
    """INPUT/HEIGHT/WIDTH/FILTER; black and white noise makes every clip and every rounding show."""
    tensors = {}
    for index, (height, width) in enumerate([(1, 37), (37, 1), (1, 1), (45, 23), (61, 30), (40, 53)]):
        values = np.where(rng.integers(0, 2, (height, width, 3)), 255, 0).astype(np.uint8)
        tensors[f"{index}"] = values
        for new_height, new_width in [(1, 1), (24, 24), (7, 13), (height, 20), (20, width), (max(1, height // 3), 20)]:
            for resample in range(6):
                result = Image.fromarray(values).resize((new_width, new_height), resample)
                tensors[f"{index}/{new_height}/{new_width}/{resample}"] = np.array(result)
    save_file(tensors, HERE / "resize.safetensors")


def texts(tokenizer):
    yield from ["", " ", "   ", "\n\t", " a", "a ", "A red   apple\tand two dogs\n on a beach.", "</s>", "a</s>b", "en_XX"]
    yield from ["hello es_XX world", "  x <mask>y", "😀👩‍👩‍👧", "e\u0301 ﬁne ﬀ", "ＡＢＣ１２３", "½ ™ ①", "\u0001abc", "a\0b", "\u200bfoo"]
    yield from ["word " * 200, "a" * 1000, "😀" * 300]
    pieces = tokenizer.convert_ids_to_tokens(list(range(4, len(tokenizer) - 53)))
    letters = [(32, 127), (0xA0, 0x250), (0x300, 0x370), (0x900, 0x980), (0x2000, 0x2070), (0x4E00, 0x9FFF), (0xFB00, 0xFB50)]
    for _ in range(300):
        parts = []
        for _ in range(random.choice([1, 3, 9])):
            if random.random() < 0.7:
                parts.append(random.choice(pieces).replace("▁", " "))
            else:
                parts.append("".join(chr(random.randrange(*random.choice(letters))) for _ in range(3)))
        yield "".join(parts)


def tokens(folder):
    TEXT.mkdir(exist_ok=True)
    model = import_protobuf().ModelProto()
    model.ParseFromString((folder / "sentencepiece.bpe.model").read_bytes())
    # Where the trainer found its corpus is nobody's business.
    model.trainer_spec.ClearField("input")
    model.trainer_spec.ClearField("model_prefix")
    (TEXT / "sentencepiece.bpe.model").write_bytes(model.SerializeToString())
    tokenizer = MBart50Tokenizer.from_pretrained(folder)
    rows = []
    for text in texts(tokenizer):
        tokenizer.src_lang = language = random.choice(FAIRSEQ_LANGUAGE_CODES)
        ids = tokenizer(text).input_ids
        rows.append(
            {
                "text": text,
                "language": language,
                "ids": ids,
                "ids_max8": tokenizer(text, truncation=True, max_length=8).input_ids,
                "decoded": tokenizer.decode(ids, skip_special_tokens=True),
                "decoded_with_special": tokenizer.decode(ids),
            }
        )
    (TEXT / "reference.json").write_text(json.dumps(rows, ensure_ascii=False, separators=(",", ":")))
    saved = json.loads(tokenizer.backend_tokenizer.to_str())
    # The normalisation table is in the SentencePiece file already: the test puts it back.
    saved["normalizer"]["normalizers"][0]["precompiled_charsmap"] = "TABLE"
    (TEXT / "tokenizer.json.template").write_text(json.dumps(saved, ensure_ascii=False, separators=(",", ":")))


write_images()
pixels()
resizes()
tokens(Path(sys.argv[1]))
