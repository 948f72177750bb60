"""Makes `marian/` from a checkpoint folder with a real Marian tokenizer and what transformers computes with it:
python make_marian.py CHECKPOINT

The SentencePiece files lose their normalisation table, which has 240 kB; tests put that of `text/` back.
"""

import json
import shutil
import sys
from pathlib import Path

from sentencepiece import sentencepiece_model_pb2 as proto

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
(target / "reference.json").write_text(json.dumps(list(rows.values()), ensure_ascii=False, indent=0) + "\n")
