"""Makes processors.json and processors.safetensors beside this file with Pillow 13 and transformers 5.24.

processors.json has configurations by name, and the tensors are inputs (NAME, uint8) and pixel values (CONFIGURATION/NAME).
"""

import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file
from transformers import AutoImageProcessor

HERE = Path(__file__).parent
rng = np.random.default_rng(3)

CONFIGURATIONS = {
    "clip": {"image_processor_type": "CLIPImageProcessor", "size": 9, "crop_size": 8},
    "clip-old": {"feature_extractor_type": "CLIPFeatureExtractor", "size": 9, "crop_size": [7, 10]},
    "clip-edges": {"image_processor_type": "CLIPImageProcessorFast", "size": {"shortest_edge": 9, "longest_edge": 14}, "do_center_crop": False},
    "chinese-clip": {"image_processor_type": "ChineseCLIPImageProcessor", "size": {"height": 9, "width": 11}, "do_center_crop": False},
    "vit": {"image_processor_type": "ViTImageProcessor", "size": {"height": 9, "width": 11}},
    "vit-old": {"feature_extractor_type": "ViTFeatureExtractor", "size": 9},
    "vit-list": {"image_processor_type": "ViTImageProcessorFast", "size": [9, 7], "image_mean": 0.25, "image_std": [0.5, 0.25, 0.75]},
    "vit-edge": {"image_processor_type": "ViTImageProcessor", "size": {"shortest_edge": 9}, "do_normalize": False},
    "vit-plain": {"image_processor_type": "ViTImageProcessor", "size": 9, "resample": 1, "do_rescale": False},
    "deit": {"image_processor_type": "DeiTImageProcessor", "size": 11, "crop_size": 8},
    "deit-pad": {"image_processor_type": "DeiTFeatureExtractor", "size": 6, "crop_size": {"height": 9, "width": 4}},
    "beit": {"image_processor_type": "BeitImageProcessor", "size": 10},
    "beit-crop": {"image_processor_type": "BeitFeatureExtractor", "size": 10, "do_center_crop": True, "crop_size": 7},
    "bit": {"image_processor_type": "BitImageProcessor", "size": 9, "crop_size": 8},
    "blip": {"image_processor_type": "BlipImageProcessor", "size": 9},
    "siglip": {"image_processor_type": "SiglipImageProcessor", "size": {"height": 9, "width": 9}},
    "siglip-edge": {"image_processor_type": "SiglipImageProcessor", "size": 9},
    "donut": {"image_processor_type": "DonutImageProcessor", "size": {"height": 12, "width": 9}},
    "donut-list": {"feature_extractor_type": "DonutFeatureExtractor", "size": [9, 12]},
    "donut-align": {"image_processor_type": "DonutImageProcessor", "size": {"height": 9, "width": 12}, "do_align_long_axis": True},
    "donut-align-square": {"image_processor_type": "DonutImageProcessor", "size": 9, "do_align_long_axis": True},
    "donut-no-pad": {"image_processor_type": "DonutImageProcessor", "size": {"height": 12, "width": 9}, "do_pad": False},
    "donut-no-thumbnail": {"image_processor_type": "DonutImageProcessor", "size": {"height": 12, "width": 9}, "do_thumbnail": False, "do_pad": False},
    "donut-no-resize": {"image_processor_type": "DonutImageProcessor", "size": {"height": 12, "width": 40}, "do_resize": False},
    "donut-crop": {"image_processor_type": "DonutImageProcessor", "size": {"height": 12, "width": 9}, "do_center_crop": True, "crop_size": {"height": 7, "width": 11}},
}
SIZES = {"square": (13, 13), "wide": (11, 19), "tall": (23, 10), "small": (4, 5), "same": (12, 9)}

tensors = {}
for name, (height, width) in SIZES.items():
    tensors[name] = np.where(rng.integers(0, 2, (height, width, 3)), rng.integers(0, 256, (height, width, 3)), 255).astype(np.uint8)
for configuration, options in CONFIGURATIONS.items():
    with tempfile.TemporaryDirectory() as folder:
        named = dict(options)
        # transformers takes FeatureExtractor for a name in this key only.
        if options.get("image_processor_type", "").endswith("FeatureExtractor"):
            named["feature_extractor_type"] = named.pop("image_processor_type")
        Path(folder, "preprocessor_config.json").write_text(json.dumps(named))
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    for name in SIZES:
        try:
            values = processor(Image.fromarray(tensors[name]), return_tensors="np")["pixel_values"][0]
        except ValueError as error:
            print(configuration, name, error)
            continue
        tensors[f"{configuration}/{name}"] = np.ascontiguousarray(values, dtype=np.float32)
save_file(tensors, HERE / "processors.safetensors")
(HERE / "processors.json").write_text(json.dumps(CONFIGURATIONS, indent=1) + "\n")
