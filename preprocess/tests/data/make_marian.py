"""Makes `marian/` from a checkpoint folder with a real Marian tokenizer and what transformers computes with it:
python make_marian.py CHECKPOINT

The SentencePiece files lose their normalisation table, which has 240 kB; tests put that of `text/` back.
"""

import json
import random
import shutil
import sys
from pathlib import Path

from sentencepiece import sentencepiece_model_pb2 as proto
from transformers import MarianTokenizer

source, target = Path(sys.argv[1]), Path(__file__).parent / "marian"
target.mkdir(exist_ok=True)
for name in ["source.spm", "target.spm"]:
    model = proto.ModelProto.FromString((source / name).read_bytes())
    model.normalizer_spec.ClearField("precompiled_charsmap")
    model.denormalizer_spec.Clear()
    model.trainer_spec.ClearField("input")
    (target / name).write_bytes(model.SerializeToString())
for name in ["vocab.json", "tokenizer_config.json"]:
    shutil.copyfile(source / name, target / name)
rows = json.loads((source / "reference.json").read_text())["tokenizer"]
rows = {row["text"]: row for row in rows if len(row["text"]) < 200}
tokenizer = MarianTokenizer.from_pretrained(source)
random.seed(1)
decodings = []
for length in range(40):
    ids = [random.randrange(len(tokenizer)) for _ in range(length % 9)] + [0] * (length % 3)
    random.shuffle(ids)
    decodings.append({
        "ids": ids,
        "decoded": tokenizer.decode(ids, skip_special_tokens=True),
        "decoded_with_special": tokenizer.decode(ids, skip_special_tokens=False),
    })
reference = {"encodings": list(rows.values()), "decodings": decodings}
(target / "reference.json").write_text(json.dumps(reference, ensure_ascii=False, indent=0) + "\n")
