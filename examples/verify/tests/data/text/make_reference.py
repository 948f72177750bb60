"""Makes tokenizer.json.reference beside this file with transformers 5.23.

    python make_reference.py TOKENIZER_FOLDER

The folder holds a small mBART-50 tokenizer: sentencepiece.bpe.model and tokenizer_config.json.
"""

import json
import sys
from pathlib import Path

from transformers import MBart50Tokenizer
from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES

HERE = Path(__file__).parent
TEXTS = [
    "",
    " ",
    "a dog on a beach",
    "A red   apple\tand two dogs\n on a beach.",
    "un perro y una casa, ¿verdad?",
    "Ein großer Baum neben dem Haus",
    "</s>",
    "hello es_XX world",
    "x <mask>y",
    "e\u0301 \ufb01ne \uff21\uff22\uff23 \u00bd",
    "\U0001f600 and \u732b",
    "many words " * 20,
]

tokenizer = MBart50Tokenizer.from_pretrained(sys.argv[1])
encodings = []
for index, text in enumerate(TEXTS):
    tokenizer.src_lang = language = FAIRSEQ_LANGUAGE_CODES[index * 7 % len(FAIRSEQ_LANGUAGE_CODES)]
    ids = tokenizer(text).input_ids
    encodings.append(
        {
            "text": text,
            "lang": language,
            "ids": ids,
            "ids_max16": tokenizer(text, truncation=True, max_length=16).input_ids,
            "decoded": tokenizer.decode(ids, skip_special_tokens=True),
            "decoded_with_special": tokenizer.decode(ids),
        }
    )
reference = {
    "vocab_size": len(tokenizer),
    "languages": {code: tokenizer.convert_tokens_to_ids(code) for code in FAIRSEQ_LANGUAGE_CODES},
    "mask": tokenizer.mask_token_id,
    "encodings": encodings,
}
(HERE / "tokenizer.json.reference").write_text(json.dumps(reference, ensure_ascii=False, indent=1) + "\n")
