import pytest

from apple_clf.comparison.conditions import parse_condition, sort_rank, unknown_key
from apple_clf.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value", "holds"),
    [
        ("accuracy>0.9", 0.95, True),
        ("accuracy > 0.9", 0.9, False),
        ("accuracy>=0.9", 0.9, True),
        ("epochs<10", 9, True),
        ("epochs<=10", 11, False),
        ("epochs<10", None, False),
        ("accuracy>0", "high", False),
        ("rate=1e-3", 0.001, True),
        ("rate==1e-3", "1.0e-3", True),
        ("rate!=0.001", 0.001, False),
        ("status=finished", "finished", True),
        ("status!=finished", "damaged", True),
        ("type!=adam", None, True),
        ("stopping=null", None, True),
        ("use_bias=true", True, True),
        ("use_bias=1", True, False),
        ("size=[28,28]", [28, 28], True),
        ("size=[28, 28]", [28, 20], False),
        ("path=a=b", "a=b", True),
        ("a=>1", ">1", True),
    ],
)
def test_condition_holds(text: str, value: object, holds: bool) -> None:
    assert parse_condition(text).holds(value) is holds


@pytest.mark.parametrize("text", ["", "status", "=1", "status=", "a b=1", "rate<nan", "run>good"])
def test_what_is_no_comparison_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigError, match=r"Write it like|Words take = or !="):
        parse_condition(text)


def test_numbers_come_before_words_and_in_their_order() -> None:
    assert sorted(["b", 10, "a", 9.5, "2"], key=sort_rank) == ["2", 9.5, 10, "a", "b"]


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("learning_rate", "Did you mean training.learning_rate?"),
        ("acuracy", "Did you mean accuracy?"),
        ("zzz", "See: apple-clf config show"),
    ],
)
def test_unknown_key_names_the_nearest(key: str, hint: str) -> None:
    error = unknown_key(key, ["accuracy", "training.learning_rate"], option="--sort")
    assert str(error) == f"--sort {key!r}: no run has such a key. {hint}"
