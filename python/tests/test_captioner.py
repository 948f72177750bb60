"""The package on pictures of the repository, whose captions the program `caption` writes too."""

import gc
import os
import pickle
import re
import signal
import threading
import time

import numpy
import pytest
from PIL import Image

from captioning import Captioner, CaptioningError, ImageError, ModelError, OptionError

ENGLISH = "cat and pizza on a blue background"


@pytest.fixture(scope="module")
def captioner():
    return Captioner.from_pretrained(languages=["en", "es"])


def test_all_kinds_of_pictures_have_the_same_caption(captioner, picture):
    pillow = Image.open(picture)
    array = numpy.asarray(pillow.convert("RGB"))
    content = picture.read_bytes()
    kinds = [
        str(picture),
        picture,
        content,
        bytearray(content),
        memoryview(content),
        pillow,
        pillow.convert("RGBA"),
        array,
        array[:, ::-1][:, ::-1],  # not contiguous
        {"bytes": content, "path": None},
        {"bytes": None, "path": str(picture)},
    ]
    captions = captioner.caption(kinds)
    assert captions == [captions[0]] * len(kinds)
    english, spanish = captions[0]
    assert english.text == ENGLISH and english.language == "en_XX"
    assert spanish.text == "gato y pizza sobre fondo azul" and spanish.language == "es_XX"
    assert english.score < 0 and len(english.token_log_probs) == len(english.ids) - 1


def test_grey_arrays_are_pictures(captioner, picture):
    grey = Image.open(picture).convert("L")
    same = [grey, numpy.asarray(grey), numpy.asarray(grey)[:, :, None]]
    captions = captioner.caption(same, "en")
    assert captions == [captions[0]] * 3


def test_captions_do_not_depend_on_the_batch(captioner, picture):
    pictures = sorted(picture.parent.glob("*.png")) * 3
    alone = [captioner.caption(one) for one in pictures]
    for batch_size in (None, 1, 2, 5, 100):
        assert captioner.caption(pictures, batch_size=batch_size) == alone


def test_options_have_the_names_of_transformers(captioner, picture):
    five = captioner.caption(picture, "en", num_beams=5, num_return_sequences=5)
    assert len(five) == 5 and five[0].text == ENGLISH
    assert [caption.score for caption in five] == sorted((c.score for c in five), reverse=True)
    short = captioner.caption(picture, "en", max_new_tokens=4)[0]
    assert len(short.ids) == 5
    assert "dog" in captioner.caption(picture, "en", required_words=["dog"])[0].text
    assert "cat" not in captioner.caption(picture, "en", forbidden_words=["cat"])[0].text
    assert captioner.caption(picture, "en", prefix="dog and")[0].text.startswith("dog and")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_beam": 4}, "num_beam"),
        ({"num_beams": 0}, "num_beams"),
        ({"num_beams": "many"}, "num_beams"),
        ({"temperature": float("nan"), "do_sample": True}, "temperature"),
        ({"languages": "tlh"}, "tlh"),
        ({"required_words": ["*"]}, "words"),
    ],
)
def test_a_wrong_option_is_named(captioner, picture, options, message):
    with pytest.raises(OptionError, match=message):
        captioner.caption(picture, **options)
    assert issubclass(OptionError, ValueError) and issubclass(OptionError, CaptioningError)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"no picture",
        "missing.png",
        numpy.zeros((2, 2, 5), numpy.uint8),
        numpy.zeros((0, 2, 3), numpy.uint8),
        {"bytes": None},
        numpy.zeros((4, 4, 3), numpy.float32),
        None,
        7,
    ],
)
def test_a_picture_that_fails_fails_alone(captioner, picture, wrong):
    first, failed, last = captioner.caption([picture, wrong, picture], errors="return")
    assert first == last and first[0].text == ENGLISH
    assert isinstance(failed, (ImageError, TypeError, ValueError)) and str(failed)
    with pytest.raises(type(failed)):
        captioner.caption(wrong)


def test_a_truncated_file_is_an_error(captioner, picture):
    content = picture.read_bytes()
    with pytest.raises(ImageError):
        captioner.caption(content[: len(content) // 2])


def test_no_pictures_have_no_captions(captioner):
    assert captioner.caption([]) == []


def test_a_model_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ModelError, match=re.escape(str(tmp_path))):
        Captioner.from_pretrained(tmp_path)
    with pytest.raises(OptionError, match="weights|precision|format"):
        Captioner.from_pretrained(weights="int3")
    with pytest.raises(OptionError, match="tlh"):
        Captioner.from_pretrained(languages=["tlh"])
    with pytest.raises(OptionError, match="threads"):
        Captioner.from_pretrained(threads=10**6)


def test_texts_are_scored_as_captions_are(captioner, picture):
    best = captioner.caption(picture, "en")[0]
    same, other = captioner.score(picture, [best.text, "dog on a red background"], "en")
    assert same == pytest.approx(best.score, abs=1e-4) and other < same
    with pytest.raises(OptionError):
        captioner.score(picture, ["\U0001f600"], "en")


def test_a_captioner_travels_between_processes(captioner, picture):
    copy = pickle.loads(pickle.dumps(captioner))
    assert copy.languages == captioner.languages == ["en_XX", "es_XX"]
    assert copy.caption(picture) == captioner.caption(picture)
    error = pickle.loads(pickle.dumps(ImageError("why")))
    assert str(error) == "why"


def test_other_threads_run_meanwhile(captioner, picture):
    """Without the lock released, no other thread would count until the call is over."""
    counted, over = 0, threading.Event()

    def work():
        captioner.caption([picture] * 40)
        over.set()

    worker = threading.Thread(target=work)
    worker.start()
    while not over.is_set():
        counted += 1
        time.sleep(0.001)
    worker.join()
    assert counted > 10


def test_ctrl_c_ends_a_long_call(captioner, picture):
    def interrupt():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    worker = threading.Thread(target=interrupt)
    begun = time.monotonic()
    worker.start()
    with pytest.raises(KeyboardInterrupt):
        captioner.caption([picture] * 100_000)
    assert time.monotonic() - begun < 60
    worker.join()


def test_threads_share_a_captioner(captioner, picture):
    expected = captioner.caption(picture)
    found = []

    def work():
        found.append(captioner.caption(picture))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [expected] * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_captions(captioner, picture):
    """Its parent's threads do not exist there: it would wait for them for ever."""
    expected = captioner.caption(picture)
    process = os.fork()
    if process == 0:
        os._exit(0 if captioner.caption(picture) == expected else 1)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            assert status == 0
            return
        time.sleep(0.05)
    os.kill(process, 9)
    os.waitpid(process, 0)
    pytest.fail("the forked process does not end")


def test_memory_does_not_grow_with_calls(captioner, picture):
    def resident():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    if not os.path.exists("/proc/self/statm"):
        pytest.skip("no /proc")
    captioner.caption([picture] * 64)
    gc.collect()
    before = resident()
    for _ in range(5):
        captioner.caption([picture] * 64)
    assert resident() - before < 20e6
