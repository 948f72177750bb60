"""Makes the files of the folder `made` with the libraries that people use, for tests of reading what others wrote:

    python3 -m venv v; v/bin/pip install pandas pyarrow webdataset datasets pillow; v/bin/python make.py

Made with pandas, pyarrow, webdataset, datasets and Pillow in the versions that `made/versions.txt` names.
"""

import importlib.metadata
import io
import json
import os

import datasets
import pandas
import pyarrow
import pyarrow.parquet
import webdataset
from PIL import Image

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "made")
os.makedirs(os.path.join(folder, "images"), exist_ok=True)


def picture(number):
    image = Image.new("RGB", (24 + number, 20), (number * 25, 255 - number * 20, 128))
    for column in range(8 + number):
        image.putpixel((column, number), (255, 255, 255))
    return image


def content(number, kind):
    buffer = io.BytesIO()
    picture(number).save(buffer, kind)
    return buffer.getvalue()


texts = {
    "en": ["a dog", 'a "quoted" cat', "two\nlines", "a tree", "a house", "a car", "a boat", "a hat"],
    "es": ["un perro", "un gato", "dos líneas", "un árbol", "una casa", "un coche", "un barco", "un sombrero"],
}

rows = []
for number in range(8):
    name = f"{number}.png"
    picture(number).save(os.path.join(folder, "images", name))
    for language, of_language in texts.items():
        url = f"https://example.org/{number}" if number % 2 else None
        rows.append({"image_file": name, "caption": of_language[number], "url": url, "lang_id": language})
table = pandas.DataFrame(rows)
table.to_csv(os.path.join(folder, "pandas.tsv"), sep="\t", index=False)

# One caption a row, images by path; several row groups.
pyarrow.parquet.write_table(
    pyarrow.Table.from_pandas(table), os.path.join(folder, "paths.parquet"), row_group_size=5, compression="zstd"
)
# Lists of captions with their languages, images as bytes.
lists = pyarrow.table(
    {
        "image": pyarrow.array([content(number, "PNG") for number in range(8)], pyarrow.binary()),
        "caption": [[texts["en"][number], texts["es"][number]] for number in range(7)] + [[]],
        "lang_id": [["en", "es"]] * 8,
        "width": [24 + number for number in range(8)],
    }
)
pyarrow.parquet.write_table(lists, os.path.join(folder, "lists.parquet"), row_group_size=3)
# Hugging Face's Image, one column of captions for each language.
hugging_face = datasets.Dataset.from_dict(
    {
        "image": [{"bytes": content(number, "PNG"), "path": f"{number}.png"} for number in range(7)] + [{"bytes": None, "path": "7.png"}],
        "caption_en": texts["en"],
        "caption_es": texts["es"][:6] + [None, "un sombrero"],
    },
    features=datasets.Features(
        {"image": datasets.Image(), "caption_en": datasets.Value("string"), "caption_es": datasets.Value("string")}
    ),
)
hugging_face.to_parquet(os.path.join(folder, "hugging-face.parquet"), batch_size=4)

# As img2dataset writes shards: .jpg, .txt and .json.
with webdataset.TarWriter(os.path.join(folder, "img2dataset.tar")) as writer:
    for number in range(8):
        meta = {"caption": texts["en"][number], "url": f"https://example.org/{number}", "key": f"{number:09}", "status": "success"}
        writer.write(
            {"__key__": f"{number:09}", "jpg": content(number, "JPEG"), "txt": texts["en"][number], "json": json.dumps(meta).encode()}
        )
# Captions in several languages, and a long name, for which tar has extensions.
with webdataset.TarWriter(os.path.join(folder, "languages.tar")) as writer:
    for number in range(4):
        writer.write(
            {"__key__": f"part/{number}" + "x" * 120 * (number == 2), "webp": content(number, "WEBP"),
             "en.txt": texts["en"][number].encode(), "es.txt": texts["es"][number].encode()}
        )
    for number in range(4, 8):
        captions = {"captions": {"en": [texts["en"][number]], "es": texts["es"][number]}}
        writer.write({"__key__": f"part/{number}", "png": content(number, "PNG"), "json": captions})

with open(os.path.join(folder, "versions.txt"), "w") as file:
    for name in ["pandas", "pyarrow", "webdataset", "datasets", "pillow"]:
        print(name, importlib.metadata.version(name), file=file)
