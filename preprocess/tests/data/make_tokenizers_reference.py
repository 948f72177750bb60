"""Writes tokenizers-reference.json: what the Python package `tokenizers` gives for the files of `tokenizers/`.

Run in this folder: pip install tokenizers==0.23.3 && python make_tokenizers_reference.py
"""

import glob
import json
import os

from tokenizers import Tokenizer

TEXTS = [
    "", "a dog", "  a  dogs. ", " \uff21<mask> a <mask>", "blorp xblorp  blorp", "\ufb01\ta\u200bdog\n\nog",
    "</s>en_XX es_XX<unk>", "\u2603 \U0001f600 a", "``a'' \u00bd", "\u2581\u2581a \u2581dog", "e\u0301<0x41>",
    "d\u200b", "\u200b",
]

reference = {}
for path in sorted(glob.glob("tokenizers/*.json")):
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        rows.append({
            "text": text,
            "ids": ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=True),
            "decoded_with_special": tokenizer.decode(ids, skip_special_tokens=False),
        })
    reference[os.path.basename(path)] = rows
with open("tokenizers-reference.json", "w") as file:
    json.dump(reference, file, separators=(",", ":"))
