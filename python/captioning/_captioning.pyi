from collections.abc import Mapping, Sequence

class Captioner:
    def __new__(
        cls,
        name: str | None,
        tokenizer: str | None,
        languages: list[str] | None,
        weights: str,
        threads: int,
    ) -> Captioner: ...
    def languages(self) -> list[str]: ...
    def caption(
        self, images: Sequence[object], call: Mapping[str, object]
    ) -> list[list[tuple[str, str, float, list[int], list[float]]] | Exception]: ...
    def score(self, picture: object, texts: list[str], language: str) -> list[float]: ...
