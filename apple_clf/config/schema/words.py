"""What a value may be, in words: the ranges and names of the JSON schema, read aloud."""

from typing import Any

from apple_clf.config.schema.json_schema import JsonSchema, tag_of


def names_in(option: JsonSchema) -> list[str]:
    """The words that an option lists."""
    return [option["const"]] if "const" in option else list(option.get("enum", []))


def in_words(options: list[JsonSchema]) -> str:
    """What a value may be, in words."""
    names = [name for option in options for name in names_in(option)]
    tags = list(filter(None, map(tag_of, options)))
    phrases = [_phrase(option) for option in options if not names_in(option) and not tag_of(option)]
    if names:
        phrases.insert(0, f"one of {', '.join(names)}" if len(names) > 1 else names[0])
    if tags:
        phrases.append(f"a mapping of type {', '.join(tags)}")
    return " or ".join(phrases)


def _phrase(option: JsonSchema) -> str:
    """One thing that a value may be, in words."""
    match option.get("type"):
        case "integer":
            return f"a whole number{_range(option)}"
        case "number":
            return f"a number{_range(option)}"
        case "boolean":
            return "true or false"
        case "string":
            return str(option.get("patternErrorMessage", "text"))
        case "null":
            return "null"
        case "array":
            return f"a list{_length(option)}"
        case _:
            keys = ", ".join(option.get("properties", {}))
            return f"a mapping of {keys}" if keys else "a mapping"


def _range(option: JsonSchema) -> str:
    """The range of a number, with a space before it, if it has one."""
    low, above = option.get("minimum"), option.get("exclusiveMinimum")
    high, below = option.get("maximum"), option.get("exclusiveMaximum")
    if low is None and above is None:
        return ""
    start = f" above {_number(above)}" if low is None else f" from {_number(low)}"
    if high is None:
        return f"{start} {'to' if above is None else 'and'} below {_number(below)}"
    return f"{start} to {_number(high)}" if above is None else f"{start}, at most {_number(high)}"


def _number(value: Any) -> str:
    plain = isinstance(value, int) or (value.is_integer() and value < 1e9)
    return str(int(value)) if plain else f"{value:g}".replace("e+", "e")


def _length(option: JsonSchema) -> str:
    least, most = option.get("minItems", 0), option.get("maxItems")
    if least == most:
        return f" of {least} entries"
    return f" of {least} to {most} entries" if most is not None else ""
