"""Samples with the same content, by bytes and by pixels."""

from __future__ import annotations

from harness.sampling.overlap import NAMED, Contents, Sample, counted, in_two_classes


def sample(item: str, name: str, content: str | None, pixels: str | None = None) -> Sample:
    return Sample(item, name, (content, pixels))


def test_pairs_are_given_once_and_as_bytes_where_they_are() -> None:
    trained = [sample("a", "oak", "1", "p"), sample("b", "oak", "2", "q"), sample("c", "elm", "3")]
    tested = [
        sample("x", "oak", "1", "p"), sample("y", "oak", "9", "q"), sample("z", "oak", "9", "r"),
        sample("w", "oak", "3"), sample("v", "oak", None, None),
    ]  # fmt: skip
    pairs = list(Contents(trained).pairs(tested))
    assert [(str(p), p.kind) for p in pairs] == [
        ("a = x", "byte for byte"), ("b = y", "pixel for pixel"),
        ("c (elm) = w (oak)", "byte for byte"),
    ]  # fmt: skip


def test_one_content_under_two_classes() -> None:
    samples = [
        sample("a", "oak", "1"), sample("b", "oak", "1"), sample("c", "elm", "1"),
        sample("d", "ash", "2", "p"), sample("e", "elm", "3", "p"), sample("f", "elm", None),
        sample("g", "oak", None),
    ]  # fmt: skip
    assert [str(p) for p in in_two_classes(samples)] == [
        "a (oak) = c (elm)", "d (ash) = e (elm)",
    ]  # fmt: skip
    assert in_two_classes(samples[:2]) == []


def test_a_few_are_named() -> None:
    trained, tested = [sample("a", "oak", "1")], [sample(f"x{n}", "oak", "1") for n in range(9)]
    pairs = list(Contents(trained).pairs(tested))
    assert counted(pairs[:2]) == "2 (a = x0, a = x1)"
    assert counted(pairs).endswith(", ...)")
    assert counted(pairs).startswith("9 (")
    assert counted(pairs).count("=") == NAMED
