"""Names of functions: without major versions, and what globs mean by them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from functrace.globs import compile_glob, short_name
from rewriter.filters import Location
from rewriter.import_path import strip_major_version

VECTORS = json.loads((Path(__file__).parent / "vectors_of_names.json").read_text())


@pytest.mark.parametrize(("name", "expected"), VECTORS)
def test_without_version(name: str, expected: str) -> None:
    assert strip_major_version(name) == expected
    assert short_name(name) == expected.rpartition("/")[2]


@pytest.mark.parametrize(
    "glob",
    [
        "chi.(*Mux).ServeHTTP",
        "chi.Mux.ServeHTTP",
        "chi.ServeHTTP",
        "ServeHTTP",
        "chi.*",
        "v5.(*Mux).ServeHTTP",
        "github.com/go-chi/chi.(*Mux).ServeHTTP",
        "github.com/go-chi/chi/v5.(*Mux).ServeHTTP",
    ],
)
def test_all_spellings_are_meant(glob: str) -> None:
    assert compile_glob(glob)("github.com/go-chi/chi/v5.(*Mux).ServeHTTP")
    assert not compile_glob(glob)("github.com/go-chi/render.(*Mux).Serve")


def test_filters_over_sources() -> None:
    assert Location(package="github.com/go-chi/chi/v5").list_prefixes() == {
        "github.com/go-chi/chi/v5",
        "github.com/go-chi/chi",
        "v5",
        "chi",
    }
    assert Location(package="gopkg.in/yaml.v3").list_prefixes() >= {"yaml", "yaml.v3"}
    assert Location(package="k8s.io/api/core/v1").list_prefixes() == {"k8s.io/api/core/v1", "v1"}
