"""Writes processors_more.json and processors_beams.json: what transformers 5.23 makes of scores, option by option.

    pip install torch==2.9.1 transformers==5.23.0
    python make_processors.py

Processors are those that `generate` makes of an option. The cases of processors.json, which came with the project, are
run first and must come out the same. A case is refused if it does nothing, if a token is kept and another of the same
score isn't (then the order of a sort decides), or if its filter changes with a slightly different value.
"""

import json
import os
from types import SimpleNamespace

import torch
from transformers import GenerationConfig, GenerationMixin

HERE = os.path.dirname(os.path.abspath(__file__))
EOS = 2
PROMPT = 2
VOCABULARY = 60
LENGTH = 24
FILTERS = ("top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")
MINUS_INFINITY = float("-inf")


class Generation(GenerationMixin):
    config = SimpleNamespace(is_encoder_decoder=True)


def process(histories, scores, name, value, **others):
    """Row by row, since histories may differ in length."""
    rows = []
    for history, row in zip(histories, scores):
        config = GenerationConfig(do_sample=True, eos_token_id=EOS, **{name: value}, **others)
        config._eos_token_tensor = torch.tensor([EOS])
        prompt = min(PROMPT, len(history))
        processors = Generation()._get_logits_processor(config, prompt, device="cpu", model_kwargs={})
        assert len(processors) == 1, (name, value)
        rows.append(processors(torch.tensor([history]), row[None].clone())[0])
    return torch.stack(rows)


def rounded(scores):
    return [[None if s == MINUS_INFINITY else round(s, 6) for s in row] for row in scores.tolist()]


def tensor(rows):
    return torch.tensor([[MINUS_INFINITY if s is None else s for s in row] for row in rows])


def check(after, before, histories, name, value, others):
    assert not after.isnan().any() and not torch.equal(after, before), f"{name} {value} does nothing"
    if name not in FILTERS:
        return
    for old, new in zip(before, after):
        dropped = set(old[new == MINUS_INFINITY].tolist()) - {MINUS_INFINITY}
        assert not dropped & set(new.tolist()), f"{name} {value}: a sort decides"
    if isinstance(value, float) and value < 1:
        step = min(value, 1 - value) / 1000
        for other in (value - step, value + step):
            near = process(histories, before, name, other, **others)
            assert torch.equal(after, near), f"{name} {value} is near another result"


def write(file_name, note, histories, before, values, **others):
    cases = []
    for name, value, *own in values:
        case = {"processor": name, "value": value}
        if own:
            case["input_ids"] = own[0]
        after = process(own[0] if own else histories, before, name, value, **others)
        if not own:
            check(after, before, histories, name, value, others)
        cases.append({**case, "after": rounded(after)})
    result = {"eos_token_id": EOS, "note": note, "input_ids": histories, "before": rounded(before), "cases": cases}
    with open(os.path.join(HERE, file_name), "w") as file:
        json.dump(result, file, separators=(",", ":"), allow_nan=False)


with open(os.path.join(HERE, "processors.json")) as file:
    given = json.load(file)
for case in given["cases"]:
    after = process(given["input_ids"], tensor(given["before"]), case["processor"], case["value"])
    torch.testing.assert_close(after, tensor(case["after"]), rtol=0, atol=2e-6)  # its scores were rounded after it

torch.manual_seed(20212)
before = torch.randn(5, VOCABULARY) * torch.tensor([[2.5], [1.5], [2.5], [8.0], [0.3]])
before[1, 20:28] = before[1, 30:38] = before[1, :8]  # equal scores
before[2, torch.rand(VOCABULARY) < 0.4] = MINUS_INFINITY
before[3] -= 20  # all negative, a few likely
before[4] = before[4].log_softmax(-1)  # as in beam search; nearly uniform
before[4, 40:] = MINUS_INFINITY
before[4, 10:13] = before[4, 10]
before[:, EOS] = torch.tensor([3.25, -1.5, MINUS_INFINITY, -12.75, -4.5])
before = tensor(rounded(before))

histories = torch.randint(0, 9, (5, LENGTH))
histories[1] = torch.randint(0, VOCABULARY, (LENGTH,))
histories[2, 4:8] = histories[2, -4:]
histories[4, 12:] = histories[4, :12]  # all of it twice
histories = histories.tolist()


def end(row, length):
    return histories[row][-length:]


short = {length: [history[:length] for history in histories] for length in (1, 2, 3)}
mixed = [history[:length] for history, length in zip(histories, (1, 2, 3, 9, 24))]
VALUES = [
    ("temperature", 0.1),
    ("temperature", 3.5),
    *(("top_k", k) for k in (2, 7, 13, 54)),
    *(("top_p", p) for p in (0.05, 0.3, 0.85, 0.999)),
    *(("min_p", p) for p in (0.001, 0.25, 1.0)),
    *(("typical_p", p) for p in (0.05, 0.3, 0.9, 0.999)),
    *(("epsilon_cutoff", e) for e in (0.0003, 0.015, 0.3)),
    *(("eta_cutoff", e) for e in (0.0003, 0.02, 0.6)),
    ("repetition_penalty", 0.4),
    ("repetition_penalty", 2.3),
    *(("no_repeat_ngram_size", n) for n in (1, 2, 4, 12)),
    ("bad_words_ids", [[EOS], [7], [*end(3, 1), EOS], [*end(0, 1), 30], [*end(2, 3), 31], [*end(4, 24), 33], [1, *end(3, 24), 34]]),
    ("bad_words_ids", [[*short[1][0], 5], [*short[1][1], 5], [*mixed[2], 6], [*mixed[3], 7], [7, 8, 9, 10]], mixed),
    ("sequence_bias", [[[30], 1.25], [[*end(0, 1), 30], -3.5], [[*end(0, 2), 30], 0.5], [[*end(1, 4), 31], 9.0],
                       [[*end(2, 24), 32], 2.0], [[1, *end(3, 24), 33], 100.0], [[EOS], -0.75], [[30], 2.0]]),
    ("sequence_bias", [[[*short[1][0], 5], 1.5], [[*short[2][1], 5], -2.5], [[1, *short[2][1], 5], 50.0], [[*mixed[2], 6], 4.0],
                       [[*end(4, 3), 6], -6.0]], mixed),
    ("exponential_decay_length_penalty", [4, 1.2]),
    ("exponential_decay_length_penalty", [20, 1.01]),
    ("exponential_decay_length_penalty", [10, 0.7]),
    ("exponential_decay_length_penalty", [1, 1.6], mixed),
    ("begin_suppress_tokens", [0, 17, EOS], short[2]),
    ("begin_suppress_tokens", [0, 17, EOS], mixed),
    ("suppress_tokens", [59, 0, EOS]),
    ("min_new_tokens", 8, mixed),
    ("min_new_tokens", 1, mixed),
    ("min_length", 10, mixed),
    ("min_length", 9, mixed),
    ("forced_bos_token_id", 44, short[1]),
    ("forced_bos_token_id", EOS, mixed),
    ("renormalize_logits", True),
]
NOTE = (
    "input_ids are whole decoder histories; null is minus infinity; a history's first 2 tokens are its prompt (its only one if it is "
    "one token), which exponential decay, min_new_tokens and begin_suppress_tokens count from; cases may have histories of their own; "
    "values of top_p that cut between equal scores, where the order of a sort decides, are left out"
)
write("processors_more.json", NOTE, histories, before, VALUES)
BEAMS = [("top_k", 1), ("top_p", 0.05), ("min_p", 0.9), ("typical_p", 0.05), ("epsilon_cutoff", 0.5), ("eta_cutoff", 0.9)]
rows = [0, 2, 3]
write("processors_beams.json", NOTE + "; made with num_beams 4, so 2 tokens are kept at least", [histories[row] for row in rows],
      before[rows], BEAMS, num_beams=4)
