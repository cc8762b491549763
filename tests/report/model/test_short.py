"""Paths in labels: as short as they can be while labels differ."""

from harness.report.model.short import shortened


def test_paths_end_where_they_differ() -> None:
    a, b = "text · open_clip:/data/m/vit/tiny.json@/data/m/vit/w.pt", "text · hf_clip:/data/m/clip"
    found = shortened([a, b])
    assert found == {a: "text · open_clip:tiny.json@w.pt", b: "text · hf_clip:clip"}


def test_as_many_parts_as_it_takes() -> None:
    a, b = "timm:x@runs/one/best/w.pt", "timm:x@runs/two/best/w.pt"
    assert list(shortened([a, b]).values()) == ["timm:x@one/best/w.pt", "timm:x@two/best/w.pt"]


def test_names_of_hubs_stay() -> None:
    names = ["hf_clip:openai/clip-vit-base-patch32", "open_clip:ViT-B-16/openai", "1 shot"]
    assert shortened(names) == {name: name for name in names}


def test_a_short_name_is_never_that_of_another_row() -> None:
    labels = ["text · /a/b/w.pt", "text · w.pt"]
    assert shortened(labels)[labels[0]] == "text · b/w.pt"
