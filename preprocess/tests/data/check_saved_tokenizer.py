"""Checks with transformers that a saved tokenizer equals the one from the SentencePiece file that it was made of.

    cargo run -p preprocess --example save -- ORIGINAL SAVED
    python check_saved_tokenizer.py ORIGINAL SAVED REFERENCE

ORIGINAL is a folder with sentencepiece.bpe.model, REFERENCE a JSON list of objects with a "text", or an object with such
a list under "encodings". For transformers 5: version 4 opens SAVED too, but reads the SentencePiece file another way
(it drops spaces before a special token and at the end of a text).
"""

import json
import sys
import tempfile
from pathlib import Path

import transformers
from transformers import AutoTokenizer, MBart50Tokenizer

LANGUAGES = ["ar_AR", "de_DE", "en_XX", "es_XX", "fr_XX", "sl_SI"]
NAMES = ["cls_token", "eos_token", "mask_token", "pad_token", "sep_token", "unk_token"]


def read_texts(path):
    reference = json.loads(path.read_text())
    rows = reference["encodings"] if isinstance(reference, dict) else reference
    return [row["text"] for row in rows]


def read_original(folder):
    """From the SentencePiece file alone, whatever else is in the folder."""
    with tempfile.TemporaryDirectory() as alone:
        name = "sentencepiece.bpe.model"
        (Path(alone) / name).write_bytes((folder / name).read_bytes())
        return MBart50Tokenizer.from_pretrained(alone)


def compare(original, saved, texts):
    assert len(saved) == len(original), (len(saved), len(original))
    for name in NAMES:
        assert getattr(saved, name) == getattr(original, name), name
        assert getattr(saved, f"{name}_id") == getattr(original, f"{name}_id"), name
    assert saved.get_vocab() == original.get_vocab()
    cases = 0
    for language in LANGUAGES:
        original.src_lang = saved.src_lang = language
        for text in texts:
            ids = original(text).input_ids
            found = saved(text).input_ids
            assert found == ids, (language, text, ids, found)
            assert found[0] == original.convert_tokens_to_ids(language) and found[-1] == original.eos_token_id
            short, expected = (t(text, truncation=True, max_length=8).input_ids for t in [saved, original])
            assert short == expected, (language, text, expected, short)
            for skip in [True, False]:
                expected = original.decode(ids, skip_special_tokens=skip)
                assert saved.decode(ids, skip_special_tokens=skip) == expected, (language, text)
            cases += 1
    return cases


def main(original, saved, reference):
    texts = read_texts(reference)
    original = read_original(original)
    for reader in [AutoTokenizer, MBart50Tokenizer]:
        cases = compare(original, reader.from_pretrained(saved), texts)
        print(f"{reader.__name__} of transformers {transformers.__version__}: {cases} texts agree, {len(original)} tokens")


main(*map(Path, sys.argv[1:]))
