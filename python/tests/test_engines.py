"""Data engines from PyPI on the same pictures: rows equal to those of the program and of a plain loop."""

import pytest

from captioning import CaptionBatch, Captioner

LANGUAGES = ["en", "fr"]
TEXTS = ["caption_en_XX", "caption_fr_XX"]


@pytest.fixture(scope="module")
def rows(request):
    """Files of pictures, one of which is none, many times, and their captions."""
    folder = request.config.rootpath.parent / "examples" / "caption" / "pictures"
    contents = [path.read_bytes() for path in sorted(folder.glob("*.png"))]
    contents = (contents + [b"no picture"]) * 5
    captioner = Captioner.from_pretrained(languages=LANGUAGES)
    captions = captioner.caption(contents, errors="return")
    texts = [
        ["", ""] if isinstance(found, Exception) else [caption.text for caption in found]
        for found in captions
    ]
    return contents, texts


def check(table, rows):
    """Rows with a number, in any order."""
    contents, texts = rows
    assert sorted(row["id"] for row in table) == list(range(len(contents)))
    for row in table:
        assert [row[column] for column in TEXTS] == texts[row["id"]]
        assert bool(row["caption_error"]) == (texts[row["id"]] == ["", ""])


def test_ray_data(rows, tmp_path):
    ray = pytest.importorskip("ray")
    pytest.importorskip("ray.data")
    contents, _ = rows
    ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
    try:
        dataset = ray.data.from_items(
            [{"id": number, "image": content} for number, content in enumerate(contents)]
        )
        captions = dataset.map_batches(
            CaptionBatch,
            fn_constructor_kwargs={"languages": LANGUAGES, "threads": 1},
            batch_size=4,
            concurrency=2,
        )
        check(captions.take_all(), rows)
    finally:
        ray.shutdown()


@pytest.mark.parametrize("processes", [None, 2])
def test_hugging_face_datasets(rows, processes, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    datasets = pytest.importorskip("datasets")
    contents, _ = rows
    dataset = datasets.Dataset.from_dict({"id": list(range(len(contents))), "image": contents})
    captions = dataset.map(
        CaptionBatch(languages=LANGUAGES), batched=True, batch_size=4, num_proc=processes
    )
    check(list(captions), rows)


def test_daft(rows):
    daft = pytest.importorskip("daft")
    contents, _ = rows

    @daft.cls
    class Captions:
        def __init__(self):
            self.caption = CaptionBatch(languages=LANGUAGES)

        @daft.method.batch(
            return_dtype=daft.DataType.struct(
                {name: daft.DataType.string() for name in [*TEXTS, "caption_error"]}
            )
        )
        def of(self, images):
            batch = self.caption({"image": images.to_pylist()})
            del batch["image"]
            return [dict(zip(batch, row)) for row in zip(*batch.values())]

    frame = daft.from_pydict({"id": list(range(len(contents))), "image": contents})
    table = frame.select("id", Captions().of(daft.col("image")).alias("captions")).to_pylist()
    check([{"id": row["id"], **row["captions"]} for row in table], rows)
