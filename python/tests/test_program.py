"""Captions equal to those of the program `caption`, whose path is in CAPTION_BIN."""

import json
import os
import subprocess

import pytest

from captioning import Captioner


@pytest.mark.skipif("CAPTION_BIN" not in os.environ, reason="CAPTION_BIN is not set")
@pytest.mark.parametrize("beams", [1, 4])
def test_captions_are_those_of_the_program(picture, beams):
    pictures = sorted(picture.parent.glob("*.png"))
    command = [os.environ["CAPTION_BIN"], "--json", "--num-beams", str(beams), *pictures]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    records = [json.loads(line) for line in output.splitlines()]
    assert len(records) == len(pictures)
    captioner = Captioner.from_pretrained()
    for record, captions in zip(records, captioner.caption(pictures, num_beams=beams)):
        expected = [
            (caption["lang"], caption["text"], pytest.approx(caption["score"], abs=1e-6))
            for caption in record["captions"]
        ]
        assert [(c.language, c.text, c.score) for c in captions] == expected
