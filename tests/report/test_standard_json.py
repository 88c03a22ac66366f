from __future__ import annotations

import math

from eureka_agent.report.standard_json import as_name, as_null, standard_json

DATA = {"a": [1.5, math.nan, {"b": math.inf}], "c": -math.inf, "d": "NaN", "e": True, "f": None}


def test_nan_and_infinities_become_null_or_names_and_all_else_stays() -> None:
    rest = {"d": "NaN", "e": True, "f": None}
    assert standard_json(DATA, as_null) == {"a": [1.5, None, {"b": None}], "c": None, **rest}
    names = {"a": [1.5, "NaN", {"b": "Infinity"}], "c": "-Infinity", **rest}
    assert standard_json(DATA, as_name) == names
