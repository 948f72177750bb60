"""Makes odd-images.safetensors beside this file with Pillow 13 and transformers 5.24: small files of unusual kinds.

Tensors, all uint8: file/NAME (the bytes), rgb/NAME (pixels of convert("RGB")), over-white/NAME (pixels of transformers'
convert_to_rgb, where they differ). A file that Pillow refuses has no pixels.
"""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file
from transformers.image_transforms import convert_to_rgb

HERE = Path(__file__).parent
rng = np.random.default_rng(5)
FILES = {}
W, H = 11, 7


def noise(*shape, end=256):
    return rng.integers(0, end, shape)


def noise_bytes(count):
    return noise(count).astype(np.uint8).tobytes()


def picture(mode, height=9, width=13):
    """Smooth with some noise, as a photograph is."""
    y = np.linspace(0, 6, height)[:, None, None]
    x = np.linspace(0, 8, width)[None, :, None]
    k = rng.uniform(0.5, 2, (1, 1, len(mode)))
    values = 127 + 90 * np.sin(x * k) * np.cos(y) + rng.normal(0, 9, (height, width, len(mode)))
    values = np.clip(values, 0, 255).astype(np.uint8)
    return Image.fromarray(values[..., 0] if len(mode) == 1 else values, mode)


def saved(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def packed(rows, depth):
    """Rows of samples, each in `depth` bits, padded to bytes."""
    result = []
    for row in rows:
        if depth == 16:
            result.append(row.astype(">u2").tobytes())
            continue
        bits = "".join(format(int(sample), f"0{depth}b") for sample in row.ravel())
        bits += "0" * (-len(bits) % 8)
        result.append(bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)))
    return result


def padded(rows):
    """Rows of a BMP, padded to four bytes."""
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


# PNG


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(depth, colour_type, rows, extra=b""):
    header = struct.pack(">IIBBBBB", W, H, depth, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in packed(rows, depth)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def write_png():
    for depth in (1, 2, 4, 8, 16):
        rows = noise(H, W, end=min(2**depth, 400))
        first = int(rows[0, 0])
        for key in sorted({first, 17 * first & 0xFFFF, first + 256, 0, 1, 255}):
            FILES[f"grey{depth}-transparent-{key}.png"] = png(depth, 0, rows, chunk(b"tRNS", struct.pack(">H", key)))
        FILES[f"grey{depth}.png"] = png(depth, 0, rows)
    for depth in (8, 16):
        rows = noise(H, W, 3, end=2**depth)
        rows[2] = rows[0, 0]
        for name, key in (("own", rows[0, 0]), ("high", rows[0, 0] >> 8), ("black", [0, 0, 0])):
            transparent = chunk(b"tRNS", struct.pack(">3H", *map(int, key)))
            FILES[f"rgb{depth}-transparent-{name}.png"] = png(depth, 2, rows, transparent)
    for depth in (1, 2, 4, 8):
        colours = 2**depth
        rows = noise(H, W, end=colours)
        palette = chunk(b"PLTE", noise_bytes(3 * colours))
        for name, opacity in (("many", noise_bytes(colours)), ("short", b"\x80"), ("first", b"\0\0"), ("none", b"")):
            FILES[f"palette{depth}-{name}.png"] = png(depth, 3, rows, palette + (chunk(b"tRNS", opacity) if opacity else b""))
    for colour_type, channels in ((4, 2), (6, 4)):
        for depth in (8, 16):
            FILES[f"alpha{colour_type}-{depth}.png"] = png(depth, colour_type, noise(H, W * channels, end=2**depth))
    frames = [picture("RGBA"), picture("RGBA")]
    FILES["animated.png"] = saved(frames[0], format="png", save_all=True, append_images=frames[1:])


# PNM


def pnm(magic, maximum, data):
    return f"{magic}\n# a comment\n{W} {H}\n".encode() + (f"{maximum}\n".encode() if maximum else b"") + data


def write_pnm():
    for maximum in (1, 3, 15, 99, 100, 127, 200, 254, 255, 256, 1000, 1023, 4095, 65534, 65535):
        for digit, channels in ((5, 1), (6, 3)):
            rows = noise(H, W * channels, end=maximum + 1)
            rows[0, :3] = [0, maximum, maximum // 2]
            FILES[f"p{digit}-{maximum}.pnm"] = pnm(f"P{digit}", maximum, rows.astype("u1" if maximum < 256 else ">u2").tobytes())
    for maximum in (1, 100, 255, 1000, 65535):
        for digit, channels in ((2, 1), (3, 3)):
            rows = noise(H, W * channels, end=maximum + 1)
            text = "\n# x 3\n".join(" ".join(map(str, row)) for row in rows)
            FILES[f"p{digit}-{maximum}.pnm"] = pnm(f"P{digit}", maximum, text.encode())
    above = noise(H, W, end=100)
    FILES["p5-above.pnm"] = pnm("P5", 50, above.astype(np.uint8).tobytes())
    FILES["p5-above-16.pnm"] = pnm("P5", 500, (above * 10).astype(">u2").tobytes())
    FILES["p2-above.pnm"] = pnm("P2", 50, " ".join(map(str, above.ravel())).encode())
    FILES["p1.pnm"] = pnm("P1", 0, b"01 1#z 0 1\n" + b"0110" * 40)
    FILES["p4.pnm"] = pnm("P4", 0, noise_bytes(2 * H))
    FILES["comment-in-token.pnm"] = b"P5 1#x\n1 2 255 " + b"z" * 22
    FILES["cut.pnm"] = pnm("P6", 255, b"1" * 20)
    FILES["cut-scaled.pnm"] = pnm("P6", 100, b"1" * 20)
    FILES["cut-text.pnm"] = b"P2 2 2 9 1 2 3"
    FILES["maximum-0.pnm"] = pnm("P6", "0", b"1" * 231)
    FILES["maximum-70000.pnm"] = pnm("P6", 70000, b"1" * 462)


# BMP

MASKS = {"555": (0x7C00, 0x3E0, 0x1F), "565": (0xF800, 0x7E0, 0x1F)}
WIDE_MASKS = [
    (0xFF0000, 0xFF00, 0xFF, 0),
    (0xFF000000, 0xFF0000, 0xFF00, 0),
    (0xFF000000, 0xFF00, 0xFF, 0),
    (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
    (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
    (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
    (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
    (0, 0, 0, 0),
]


def bmp(bits, compression, data, masks=(0, 0, 0, 0), length=40, palette=b"", colours=0, height=H):
    header = struct.pack("<IiiHHIIiiII", length, W, height, 1, bits, compression, len(data), 0, 0, colours, 0)
    header += struct.pack("<4I", *masks)[: min(max(length - 40, 0), 16)]
    header += b"\0" * (length - len(header))
    if length == 40 and compression == 3:
        header += struct.pack("<3I", *masks[:3])
    offset = 14 + len(header) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + palette + data


def write_bmp():
    rows = [row.tobytes() for row in noise(H, W, end=65536).astype("<u2")]
    FILES["raw16.bmp"] = bmp(16, 0, padded(rows))
    FILES["raw16-down.bmp"] = bmp(16, 0, padded(rows), height=-H)
    FILES["cut16.bmp"] = bmp(16, 0, padded(rows)[:50])
    for name, masks in MASKS.items():
        for length in (40, 52, 56, 108, 124):
            FILES[f"fields{name}-{length}.bmp"] = bmp(16, 3, padded(rows), (*masks, 0), length)
    FILES["fields1555-124.bmp"] = bmp(16, 3, padded(rows), (*MASKS["555"], 0x8000), 124)
    rows = [row.tobytes() for row in noise(H, W, end=2**32).astype("<u4")]
    for index, masks in enumerate(WIDE_MASKS):
        # The shortest header has no mask for opacity, so that Pillow refuses this order with it.
        for length in (56, 124) if index == 4 else (40, 56, 124):
            FILES[f"fields32-{index}-{length}.bmp"] = bmp(32, 3, padded(rows), masks, length)
    FILES["raw32.bmp"] = bmp(32, 0, padded(rows))
    rows = [noise_bytes(3 * W) for _ in range(H)]
    FILES["raw24-down.bmp"] = bmp(24, 0, padded(rows), height=-H)
    FILES["fields24.bmp"] = bmp(24, 3, padded(rows), (0xFF0000, 0xFF00, 0xFF, 0))
    palette = np.append(noise(256, 3), np.zeros((256, 1), int), 1).astype(np.uint8)
    for bits in (1, 4, 8):
        rows = padded(packed(noise(H, W, end=2**bits), bits))
        FILES[f"palette{bits}.bmp"] = bmp(bits, 0, rows, palette=palette[: 2**bits].tobytes())
        core = struct.pack("<IHHHH", 12, W, H, 1, bits) + palette[: 2**bits, :3].tobytes()
        FILES[f"core{bits}.bmp"] = b"BM" + struct.pack("<IHHI", 14 + len(core) + len(rows), 0, 0, 14 + len(core)) + core + rows
    lines = b"".join(bytes([5, 3 * row, 0, 3, 1, 2, 3, 0, 3, 7, 0, 0]) for row in range(H))
    FILES["rle8.bmp"] = bmp(8, 1, lines + b"\0\1", palette=palette.tobytes())
    FILES["rle4.bmp"] = bmp(4, 2, b"\6\x12\0\5\x34\x56\x70\0\0\0" * H + b"\0\1", palette=palette[:16].tobytes())


# ICO


def ico(*entries):
    offset = 6 + 16 * len(entries)
    directory, content = b"", b""
    for width, height, colours, planes, bits, data in entries:
        directory += struct.pack("<BBBBHHII", width, height, colours, 0, planes, bits, len(data), offset)
        offset += len(data)
        content += data
    return struct.pack("<HHH", 0, 1, len(entries)) + directory + content


def bitmap(side, bits, has_mask=True):
    palette = b"".join(noise_bytes(3) + b"\0" for _ in range(2**bits)) if bits <= 8 else b""
    pixels = noise_bytes((side * bits + 31) // 32 * 4 * side)
    mask = noise_bytes((side + 31) // 32 * 4 * side) if has_mask else b""
    return struct.pack("<IiiHHIIiiII", 40, side, 2 * side, 1, bits, 0, len(pixels), 0, 0, 0, 0) + palette + pixels + mask


def write_ico():
    for mode in ("L", "LA", "RGB", "RGBA"):
        FILES[f"png-{mode}.ico"] = ico((9, 9, 0, 1, 32, saved(picture(mode, 9, 9), format="png")))
    palette = picture("RGB", 9, 9).quantize(20)
    FILES["png-P.ico"] = ico((9, 9, 0, 1, 8, saved(palette, format="png")))
    FILES["png-P-transparent.ico"] = ico((9, 9, 0, 1, 8, saved(palette, format="png", transparency=3)))
    for bits in (1, 4, 8, 16, 24, 32):
        for said in (0, bits):
            FILES[f"bitmap{bits}-{said}.ico"] = ico((9, 9, 0, 1, said, bitmap(9, bits)))
    FILES["no-mask.ico"] = ico((9, 9, 0, 1, 32, bitmap(9, 32, has_mask=False)))
    FILES["several.ico"] = ico((9, 9, 0, 1, 32, bitmap(9, 32)), (12, 12, 0, 1, 32, bitmap(12, 32)), (12, 12, 16, 1, 4, bitmap(12, 4)))
    FILES["other-size.ico"] = ico((9, 9, 0, 1, 32, saved(picture("RGB", 12, 12), format="png")), (8, 8, 0, 1, 32, bitmap(8, 32)))
    FILES["other-size-bitmap.ico"] = ico((9, 9, 0, 1, 32, bitmap(12, 32)))
    FILES["planes.ico"] = ico((9, 9, 0, 999, 32, bitmap(9, 32)))
    FILES["empty.ico"] = ico()
    FILES["outside.ico"] = struct.pack("<HHHBBBBHHII", 0, 1, 1, 9, 9, 0, 0, 1, 32, 9999, 9999)


# TIFF

SIZES = {1: "B", 3: "H", 4: "I"}
DATA = 0xDADADADA


def tiff(tags, data, order="<"):
    place = 8 + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, kind, numbers in sorted(tags):
        raw = struct.pack(order + SIZES[kind] * len(numbers), *numbers)
        entries += struct.pack(order + "HHI", tag, kind, len(numbers))
        if len(raw) <= 4:
            entries += raw.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "I", place + len(values))
            values += raw
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(tags))
    file = start + entries + struct.pack(order + "I", 0) + values
    return file.replace(struct.pack(order + "I", DATA), struct.pack(order + "I", len(file))) + data


def tags(bits, samples, photometric, *extra, compression=1):
    common = [(256, 4, [6]), (257, 4, [4]), (258, 3, [bits] * samples), (259, 3, [compression]), (262, 3, [photometric])]
    common += [(273, 4, [DATA]), (277, 3, [samples]), (278, 4, [4]), (279, 4, [(6 * bits * samples + 7) // 8 * 4])]
    return common + list(extra)


def write_tiff():
    for orientation in range(10):
        for name, order in (("", "<"), ("-big-endian", ">")):
            FILES[f"turned{orientation}{name}.tif"] = tiff(tags(8, 3, 2, (274, 3, [orientation])), noise_bytes(72), order)
    FILES["turned6-long.tif"] = tiff(tags(8, 3, 2, (274, 4, [6])), noise_bytes(72))
    FILES["turned6-byte.tif"] = tiff(tags(8, 3, 2, (274, 1, [6])), noise_bytes(72))
    FILES["turned6-two.tif"] = tiff(tags(8, 3, 2, (274, 3, [6, 3])), noise_bytes(72))
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    FILES["turned6-xmp.tif"] = tiff(tags(8, 3, 2, (700, 1, list(packet))), noise_bytes(72))
    FILES["turned8-xmp.tif"] = tiff(tags(8, 3, 2, (700, 1, list(packet.replace(b'="6"', b">8<")))), noise_bytes(72))
    FILES["turned1-xmp6.tif"] = tiff(tags(8, 3, 2, (274, 3, [1]), (700, 1, list(packet))), noise_bytes(72))
    base = picture("RGB", 5, 8)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits"):
        FILES[f"turned7-{compression}.tif"] = saved(base, format="tiff", compression=compression, tiffinfo={274: 7})
    FILES["turned5-rgba.tif"] = saved(picture("RGBA", 5, 8), format="tiff", tiffinfo={274: 5})
    FILES["turned6-grey.tif"] = saved(picture("L", 5, 8), format="tiff", tiffinfo={274: 6})
    FILES["big.tif"] = saved(base, format="tiff", big_tiff=True)
    FILES["big-turned8.tif"] = saved(base, format="tiff", big_tiff=True, tiffinfo={274: 8})
    FILES["palette.tif"] = saved(base.quantize(20), format="tiff")
    FILES["palette-lzw.tif"] = saved(base.quantize(20), format="tiff", compression="tiff_lzw")
    one_bit = picture("L", 20, 30).convert("1")
    FILES["group4.tif"] = saved(one_bit, format="tiff", compression="group4")
    FILES["group4-reversed.tif"] = saved(one_bit, format="tiff", compression="group4", tiffinfo={266: 2})
    FILES["reversed.tif"] = tiff(tags(8, 3, 2, (266, 3, [2])), noise_bytes(72))
    FILES["predictor.tif"] = tiff(tags(8, 3, 2, (317, 3, [2])), noise_bytes(72))
    FILES["associated.tif"] = tiff(tags(8, 4, 2, (338, 3, [1])), noise_bytes(96))
    FILES["unassociated.tif"] = tiff(tags(8, 4, 2, (338, 3, [2])), noise_bytes(96))
    FILES["unspecified.tif"] = tiff(tags(8, 4, 2, (338, 3, [0])), noise_bytes(96))
    FILES["rgba16.tif"] = tiff(tags(16, 4, 2, (338, 3, [2])), noise_bytes(192))
    FILES["rgb16.tif"] = tiff(tags(16, 3, 2), noise_bytes(144), ">")
    FILES["grey16.tif"] = tiff(tags(16, 1, 1), noise_bytes(48))
    FILES["white-is-zero.tif"] = tiff(tags(8, 1, 0), noise_bytes(24))
    FILES["white-is-zero-1.tif"] = tiff(tags(1, 1, 0), noise_bytes(4))
    planes = [tag for tag in tags(8, 3, 2, (284, 3, [2])) if tag[0] not in (273, 279)]
    FILES["planar.tif"] = tiff(planes + [(273, 4, [500, 524, 548]), (279, 4, [24] * 3)], b"").ljust(500, b"\0") + noise_bytes(72)


# GIF and WebP


def write_others():
    frame = picture("RGB").quantize(30)
    gif = saved(frame, format="gif")
    transparent = saved(frame, format="gif", transparency=4)
    larger, smaller = struct.pack("<HH", 20, 15), struct.pack("<HH", 5, 5)
    FILES["canvas.gif"] = gif[:6] + larger + gif[10:]
    FILES["canvas-background.gif"] = gif[:6] + larger + gif[10:11] + b"\5" + gif[12:]
    FILES["canvas-transparent.gif"] = transparent[:6] + larger + transparent[10:]
    FILES["canvas-small.gif"] = gif[:6] + smaller + gif[10:]
    FILES["interlaced.gif"] = saved(frame, format="gif", interlace=1)
    FILES["alpha.webp"] = saved(picture("RGBA"), format="webp", lossless=True, exact=True)
    frames = [picture("RGBA") for _ in range(2)]
    FILES["animated.webp"] = saved(frames[0], format="webp", save_all=True, append_images=frames[1:], lossless=True)


def main():
    for write in (write_png, write_pnm, write_bmp, write_ico, write_tiff, write_others):
        write()
    tensors = {}
    for name, content in FILES.items():
        tensors[f"file/{name}"] = np.frombuffer(content, np.uint8)
        try:
            pixels = np.array(Image.open(io.BytesIO(content)).convert("RGB"))
            over_white = convert_to_rgb(Image.open(io.BytesIO(content)), return_numpy=True)
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error) as error:
            print(name, error)
            continue
        tensors[f"rgb/{name}"] = pixels
        if not np.array_equal(pixels, over_white):
            tensors[f"over-white/{name}"] = over_white
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, HERE / "odd-images.safetensors")


main()
