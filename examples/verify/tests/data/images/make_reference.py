"""Makes the files beside this one: a few small images and their pixels, out of a larger reference folder.

    python make_reference.py FOLDER

FOLDER holds images/, pixels.json and pixels.safetensors, as `verify images` reads them; its pixels were made with
Hugging Face's CLIPImageProcessor on its PIL backend ("pillow") and with tensors ("torchvision").
"""

import shutil
import sys
from pathlib import Path

from safetensors.numpy import load_file, save_file

HERE = Path(__file__).parent
FILES = ["exact.png", "one-pixel.png", "rotated-exif.jpg", "tiny.png"]
# Of another mode.
OTHER = "torchvision/tiny.png"

folder = Path(sys.argv[1])
(HERE / "images").mkdir(exist_ok=True)
for name in FILES:
    shutil.copyfile(folder / "images" / name, HERE / "images" / name)
shutil.copyfile(folder / "pixels.json", HERE / "pixels.json")
pixels = load_file(folder / "pixels.safetensors")
names = [f"pillow/{name}" for name in FILES] + [OTHER]
save_file({name: pixels[name] for name in names}, HERE / "pixels.safetensors")
