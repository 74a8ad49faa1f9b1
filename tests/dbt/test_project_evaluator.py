"""The 29 rules of dbt_project_evaluator, checked over the manifest of `dbt parse`, with no exceptions.

The package itself needs a warehouse and the package hub; the rules need neither. Each rule is written here once, named
as the package names it, and shown to find an offence in a small broken project before it is trusted with the real one.
"""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2] / "dbt"

# the package's defaults
FANOUT_THRESHOLD = 3
JOINS_THRESHOLD = 7
CHAINED_VIEWS_THRESHOLD = 4
FOLDERS = {"staging": "staging", "intermediate": "intermediate", "marts": "marts"}
PREFIXES = {"stg": "staging", "int": "intermediate", "fct": "marts", "dim": "marts", "rpt": "other", "base": "base"}
PREFIXES_OF_TYPE = {
    "staging": {"stg"},
    "intermediate": {"int"},
    "marts": {"fct", "dim"},
    "other": {"rpt"},
    "base": {"base"},
}
HARD_CODED = re.compile(
    r"""(?<!distinct\s)\b(?:from|join)\s+
        (?: {{\s*var\s*\( [^}]* }}
          | [`"\[']? \w+ [`"\]']? (?: \. [`"\[']? \w+ [`"\]']? ){1,2} (?=\s|$)
          | [`"\['] \w+ [`"\]'] (?=\s|$) )""",
    re.IGNORECASE | re.VERBOSE,
)
# where a staging model takes its key from, and the one test of all those keys
RAW_KEY = re.compile(r"{{\s*row_id\(\)\s*}}\s+as\s+(\w+)")
RAW_KEY_TEST = "raw_rows_are_told_apart"


class Project:
    """The manifest, read the way the rules ask for it."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.manifest = manifest

    def _nodes(self, kind: str) -> dict[str, dict[str, Any]]:
        return {key: node for key, node in self.manifest["nodes"].items() if node["resource_type"] == kind}

    @cached_property
    def models(self) -> dict[str, dict[str, Any]]:
        return self._nodes("model")

    @cached_property
    def sources(self) -> dict[str, dict[str, Any]]:
        return self.manifest["sources"]

    @cached_property
    def exposures(self) -> dict[str, dict[str, Any]]:
        return self.manifest["exposures"]

    @cached_property
    def tests_of(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for test in self._nodes("test").values():
            owner = test.get("attached_node") or next(iter(test["depends_on"]["nodes"]), None)
            if owner:
                found[owner].append(test)
        return found

    @cached_property
    def parents(self) -> dict[str, list[str]]:
        resources = self.models | self.exposures
        return {key: list(dict.fromkeys(node["depends_on"]["nodes"])) for key, node in resources.items()}

    @cached_property
    def children(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for child, parents in self.parents.items():
            for parent in parents:
                found[parent].append(child)
        return found

    def parents_of(self, key: str, kind: str) -> list[str]:
        return [parent for parent in self.parents[key] if parent.startswith(f"{kind}.")]

    def model_children(self, key: str) -> list[str]:
        return [child for child in self.children[key] if child in self.models]

    def folder_type(self, node: dict[str, Any]) -> str | None:
        """The type that the nearest folder stands for."""
        folders = PurePosixPath(node["original_file_path"]).parts[:-1]
        return next((FOLDERS[folder] for folder in reversed(folders) if folder in FOLDERS), None)

    def model_type(self, key: str) -> str:
        node = self.models[key]
        return PREFIXES.get(node["name"].split("_")[0]) or self.folder_type(node) or "other"


def name_of(key: str) -> str:
    return key.split(".", 2)[-1]


def directory(node: dict[str, Any]) -> str:
    return str(PurePosixPath(node["original_file_path"]).parent)


Rule = Callable[[Project], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


# Modelling


@rule
def fct_direct_join_to_source(project: Project) -> Iterator[str]:
    """A model references both a model and a source."""
    for key in project.models:
        if project.parents_of(key, "model") and project.parents_of(key, "source"):
            yield name_of(key)


@rule
def fct_duplicate_sources(project: Project) -> Iterator[str]:
    """A database object corresponds to more than one source node."""
    places = Counter((node["database"], node["schema"], node["identifier"]) for node in project.sources.values())
    yield from (".".join(map(str, place)) for place, times in places.items() if times > 1)


@rule
def fct_hard_coded_references(project: Project) -> Iterator[str]:
    """A model references a table by its name instead of by ref or source."""
    for key, node in project.models.items():
        for match in HARD_CODED.findall(node["raw_code"]):
            yield f"{name_of(key)}: {match}"


@rule
def fct_marts_or_intermediate_dependent_on_source(project: Project) -> Iterator[str]:
    """A downstream model (marts or intermediate) directly depends on a source."""
    for key in project.models:
        if project.model_type(key) in ("marts", "intermediate") and project.parents_of(key, "source"):
            yield name_of(key)


@rule
def fct_model_fanout(project: Project) -> Iterator[str]:
    """A parent has three or more direct children that have no children themselves."""
    for parent in list(project.children):
        leaves = [child for child in project.model_children(parent) if not project.children[child]]
        if len(leaves) >= FANOUT_THRESHOLD:
            yield f"{name_of(parent)}: {', '.join(map(name_of, leaves))}"


@rule
def fct_multiple_sources_joined(project: Project) -> Iterator[str]:
    """A model references more than one source."""
    for key in project.models:
        if len(project.parents_of(key, "source")) > 1:
            yield name_of(key)


@rule
def fct_rejoining_of_upstream_concepts(project: Project) -> Iterator[str]:
    """A parent and its child are both joined by a model that is that child's only child."""
    for key, parents in project.parents.items():
        if key not in project.models:
            continue
        for between in parents:
            if between in project.models and project.children[between] == [key]:
                for parent in set(parents) & set(project.parents[between]):
                    yield f"{name_of(parent)} → {name_of(between)} → {name_of(key)}"


@rule
def fct_root_models(project: Project) -> Iterator[str]:
    """A model has no parents."""
    yield from (name_of(key) for key in project.models if not project.parents[key])


@rule
def fct_source_fanout(project: Project) -> Iterator[str]:
    """A source is the direct parent of more than one resource."""
    yield from (name_of(key) for key in project.sources if len(project.children[key]) > 1)


@rule
def fct_staging_dependent_on_marts_or_intermediate(project: Project) -> Iterator[str]:
    """A staging model depends on an intermediate or a marts model."""
    for key in project.models:
        if project.model_type(key) == "staging":
            for parent in project.parents_of(key, "model"):
                if project.model_type(parent) in ("marts", "intermediate"):
                    yield f"{name_of(key)} on {name_of(parent)}"


@rule
def fct_staging_dependent_on_staging(project: Project) -> Iterator[str]:
    """A staging model depends on another staging model."""
    for key in project.models:
        if project.model_type(key) == "staging":
            for parent in project.parents_of(key, "model"):
                if project.model_type(parent) == "staging":
                    yield f"{name_of(key)} on {name_of(parent)}"


@rule
def fct_too_many_joins(project: Project) -> Iterator[str]:
    """A model references too many parents."""
    for key in project.models:
        if len(project.parents[key]) >= JOINS_THRESHOLD:
            yield f"{name_of(key)}: {len(project.parents[key])} parents"


@rule
def fct_unused_sources(project: Project) -> Iterator[str]:
    """A source is referenced by no resource."""
    yield from (name_of(key) for key in project.sources if not project.children[key])


# Testing


def keys_by_tests(project: Project, key: str) -> set[str | None]:
    """Columns with both a unique and a not_null test."""
    tests: dict[str | None, set[str]] = defaultdict(set)
    for test in project.tests_of[key]:
        metadata = test.get("test_metadata") or {}
        if not metadata.get("namespace"):
            tests[test.get("column_name")].add(metadata.get("name", ""))
    return {column for column, names in tests.items() if names >= {"unique", "not_null"}}


def keys_by_constraint(project: Project, key: str) -> set[str]:
    """Columns that are a primary key which the build enforces: of a table, or of the raw table behind a view."""
    node = project.models[key]
    if node["config"]["materialized"] == "view":
        checked = any(test["name"] == RAW_KEY_TEST for test in project._nodes("test").values())
        enforced = set(RAW_KEY.findall(node["raw_code"])) if checked else set()
    else:
        hooked = any("add_constraints()" in hook["sql"] for hook in node["config"].get("post-hook", []))
        enforced = set(node["columns"]) if hooked else set()
    return {
        name
        for name in enforced & set(node["columns"])
        if any(constraint["type"] == "primary_key" for constraint in node["columns"][name].get("constraints", []))
    }


@rule
def fct_missing_primary_key_tests(project: Project) -> Iterator[str]:
    """A model has no column with both a unique and a not_null test, nor a primary key that the build enforces."""
    for key in project.models:
        if not keys_by_tests(project, key) | keys_by_constraint(project, key):
            yield name_of(key)


@rule
def fct_sources_without_freshness(project: Project) -> Iterator[str]:
    """A source has no freshness threshold or nothing to measure it by."""
    for key, node in project.sources.items():
        freshness = node.get("freshness") or {}
        limits = [freshness.get(limit) or {} for limit in ("warn_after", "error_after")]
        measured = node.get("loaded_at_field") or node.get("loaded_at_query")
        if not measured or not any(limit.get("count") for limit in limits):
            yield name_of(key)


@rule
def fct_test_coverage(project: Project) -> Iterator[str]:
    """Fewer than all models have a test, or a primary key that the build enforces."""
    untested = [name_of(k) for k in project.models if not project.tests_of[k] and not keys_by_constraint(project, k)]
    if untested:
        yield f"{100 - 100 * len(untested) / len(project.models):.0f} %: {', '.join(untested)}"


# Documentation


def is_described(node: dict[str, Any]) -> bool:
    return bool((node.get("description") or "").strip())


@rule
def fct_documentation_coverage(project: Project) -> Iterator[str]:
    """Fewer than all models are described."""
    described = sum(is_described(node) for node in project.models.values())
    if described < len(project.models):
        yield f"{described} of {len(project.models)} models"


@rule
def fct_undocumented_models(project: Project) -> Iterator[str]:
    """A model has no description."""
    yield from (name_of(key) for key, node in project.models.items() if not is_described(node))


@rule
def fct_undocumented_source_tables(project: Project) -> Iterator[str]:
    """A table of a source has no description."""
    yield from (name_of(key) for key, node in project.sources.items() if not is_described(node))


@rule
def fct_undocumented_sources(project: Project) -> Iterator[str]:
    """A source has no description."""
    named = {node["source_name"]: node for node in project.sources.values()}
    yield from (name for name, node in named.items() if not (node.get("source_description") or "").strip())


# Structure


@rule
def fct_model_directories(project: Project) -> Iterator[str]:
    """A model is not in the folder of its type, or a staging model not in that of its source."""
    for key, node in project.models.items():
        folder_type = project.folder_type(node)
        if folder_type and folder_type != project.model_type(key):
            yield f"{name_of(key)} in {directory(node)}"
        if project.model_type(key) == "staging":
            for parent in project.parents_of(key, "source"):
                if project.sources[parent]["source_name"] not in directory(node):
                    yield f"{name_of(key)} in {directory(node)}"


@rule
def fct_model_naming_conventions(project: Project) -> Iterator[str]:
    """A model lacks the prefix of its type."""
    for key, node in project.models.items():
        if node["name"].split("_")[0] not in PREFIXES_OF_TYPE[project.model_type(key)]:
            yield name_of(key)


@rule
def fct_source_directories(project: Project) -> Iterator[str]:
    """A source is declared outside the folder with its name."""
    for key, node in project.sources.items():
        if node["source_name"] not in directory(node):
            yield f"{name_of(key)} in {directory(node)}"


@rule
def fct_test_directories(project: Project) -> Iterator[str]:
    """A generic test is declared in another folder than its model."""
    for owner, tests in project.tests_of.items():
        if owner in project.models:
            for test in tests:
                if test.get("test_metadata") and directory(test) != directory(project.models[owner]):
                    yield f"{test['name']} in {directory(test)}"


# Performance


@rule
def fct_chained_views_dependencies(project: Project) -> Iterator[str]:
    """A model depends on a long chain of views."""

    def chain(key: str) -> int:
        if project.models[key]["config"]["materialized"] not in ("view", "ephemeral"):
            return 0
        return 1 + max((chain(parent) for parent in project.parents_of(key, "model")), default=0)

    for key in project.models:
        longest = max((chain(parent) for parent in project.parents_of(key, "model")), default=0)
        if longest >= CHAINED_VIEWS_THRESHOLD:
            yield f"{name_of(key)}: {longest} views"


@rule
def fct_exposure_parents_materializations(project: Project) -> Iterator[str]:
    """A parent of an exposure is a source, a view or ephemeral."""
    for exposure in project.exposures:
        for parent in project.parents[exposure]:
            materialized = project.models.get(parent, {}).get("config", {}).get("materialized")
            if parent in project.sources or materialized in ("view", "ephemeral"):
                yield f"{name_of(exposure)} on {name_of(parent)}"


# Governance


def is_public(node: dict[str, Any]) -> bool:
    return node.get("access") == "public"


@rule
def fct_exposures_dependent_on_private_models(project: Project) -> Iterator[str]:
    """An exposure depends on a model that is not public."""
    for exposure in project.exposures:
        for parent in project.parents_of(exposure, "model"):
            if not is_public(project.models[parent]):
                yield f"{name_of(exposure)} on {name_of(parent)}"


@rule
def fct_public_models_without_contract(project: Project) -> Iterator[str]:
    """A public model has no enforced contract."""
    for key, node in project.models.items():
        if is_public(node) and not node["contract"]["enforced"]:
            yield name_of(key)


@rule
def fct_undocumented_public_models(project: Project) -> Iterator[str]:
    """A public model, or one of its columns, has no description."""
    for key, node in project.models.items():
        columns = node["columns"].values()
        if is_public(node) and not (is_described(node) and columns and all(map(is_described, columns))):
            yield name_of(key)


# A small project in which everything is in order


def sound_manifest() -> dict[str, Any]:
    def model(name: str, path: str, parents: list[str], **more: Any) -> dict[str, Any]:
        return {
            "resource_type": "model",
            "name": name,
            "original_file_path": path,
            "raw_code": "select * from {{ ref('x') }}",
            "depends_on": {"nodes": parents},
            "config": {"materialized": "table"},
            "description": "Described.",
            "columns": {"id": {"name": "id", "description": "Described."}},
            "access": "protected",
            "contract": {"enforced": False},
        } | more

    def test(name: str, owner: str, path: str) -> dict[str, Any]:
        return {
            "resource_type": "test",
            "name": f"{name}_{owner}",
            "original_file_path": path,
            "attached_node": owner,
            "column_name": "id",
            "test_metadata": {"name": name, "namespace": None},
            "depends_on": {"nodes": [owner]},
        }

    nodes = {
        "model.p.stg_shop__order": model(
            "stg_shop__order",
            "models/staging/shop/stg_shop__order.sql",
            ["source.p.shop.order"],
            config={"materialized": "view"},
        ),
        "model.p.int_order": model("int_order", "models/intermediate/int_order.sql", ["model.p.stg_shop__order"]),
        "model.p.fct_order": model(
            "fct_order",
            "models/marts/fct_order.sql",
            ["model.p.int_order"],
            access="public",
            contract={"enforced": True},
        ),
        "model.p.rpt_order": model(
            "rpt_order",
            "models/reporting/rpt_order.sql",
            ["model.p.fct_order"],
            access="public",
            contract={"enforced": True},
        ),
    }
    for key, node in list(nodes.items()):
        for name in ("unique", "not_null"):
            nodes[f"test.p.{name}_{node['name']}"] = test(name, key, f"{directory(node)}/_models.yml")
    return {
        "nodes": nodes,
        "sources": {
            "source.p.shop.order": {
                "resource_type": "source",
                "name": "order",
                "source_name": "shop",
                "source_description": "Described.",
                "description": "Described.",
                "database": "d",
                "schema": "raw",
                "identifier": "order",
                "original_file_path": "models/staging/shop/_shop__sources.yml",
                "freshness": {"warn_after": {"count": 1, "period": "day"}, "error_after": {}},
                "loaded_at_field": "loaded_at",
            }
        },
        "exposures": {
            "exposure.p.report": {
                "resource_type": "exposure",
                "name": "report",
                "depends_on": {"nodes": ["model.p.rpt_order"]},
            }
        },
    }


Breaker = Callable[[dict[str, Any]], Any]
STAGING, INTERMEDIATE, FACT, REPORT = (
    f"model.p.{name}" for name in ("stg_shop__order", "int_order", "fct_order", "rpt_order")
)
SOURCE = "source.p.shop.order"


def change(key: str, **more: Any) -> Breaker:
    """Other values for one node."""
    return lambda manifest: (manifest["nodes"] | manifest["sources"])[key].update(more)


def depend(key: str, *parents: str) -> Breaker:
    """Further parents for one model."""
    return lambda manifest: manifest["nodes"][key]["depends_on"]["nodes"].extend(parents)


def add_model(copied: str, *names: str, parents: list[str] | None = None) -> Breaker:
    """Copies of a model under other names, perhaps with other parents."""

    def breaker(manifest: dict[str, Any]) -> None:
        for name in names:
            node = copy.deepcopy(manifest["nodes"][copied]) | {"name": name}
            if parents is not None:
                node["depends_on"] = {"nodes": list(parents)}
            manifest["nodes"][f"model.p.{name}"] = node

    return breaker


def add_source(name: str, **more: Any) -> Breaker:
    def breaker(manifest: dict[str, Any]) -> None:
        source = manifest["sources"][SOURCE] | {"name": name, "identifier": name} | more
        manifest["sources"][f"source.p.shop.{name}"] = source

    return breaker


def both(*breakers: Breaker) -> Breaker:
    return lambda manifest: [breaker(manifest) for breaker in breakers]


def drop_tests(key: str, *names: str) -> Breaker:
    def breaker(manifest: dict[str, Any]) -> None:
        for name in names:
            del manifest["nodes"][f"test.p.{name}_{name_of(key)}"]

    return breaker


def chain_of_views(manifest: dict[str, Any]) -> None:
    for step in range(4):
        add_model(STAGING, f"int_step_{step}", parents=[f"model.p.int_step_{step - 1}"] if step else [FACT])(manifest)
    add_model(INTERMEDIATE, "int_end", parents=["model.p.int_step_3"])(manifest)


BROKEN: dict[str, Breaker] = {
    "fct_direct_join_to_source": depend(INTERMEDIATE, SOURCE),
    "fct_duplicate_sources": add_source("same", identifier="order"),
    "fct_hard_coded_references": change(INTERMEDIATE, raw_code="select * from raw.shop__order as o"),
    "fct_marts_or_intermediate_dependent_on_source": depend(FACT, SOURCE),
    "fct_model_fanout": add_model(FACT, "dim_a", "dim_b", "dim_c", parents=[INTERMEDIATE]),
    "fct_multiple_sources_joined": both(add_source("line"), depend(STAGING, "source.p.shop.line")),
    "fct_rejoining_of_upstream_concepts": depend(FACT, STAGING),
    "fct_root_models": add_model(FACT, "dim_root", parents=[]),
    "fct_source_fanout": add_model(STAGING, "stg_shop__again"),
    "fct_staging_dependent_on_marts_or_intermediate": depend(STAGING, FACT),
    "fct_staging_dependent_on_staging": add_model(STAGING, "stg_shop__again", parents=[STAGING]),
    "fct_too_many_joins": depend(FACT, *(f"model.p.int_{number}" for number in range(6))),
    "fct_unused_sources": add_source("unused"),
    "fct_missing_primary_key_tests": drop_tests(FACT, "unique"),
    "fct_sources_without_freshness": change(SOURCE, freshness=None),
    "fct_test_coverage": drop_tests(FACT, "unique", "not_null"),
    "fct_documentation_coverage": change(FACT, description=""),
    "fct_undocumented_models": change(FACT, description=" "),
    "fct_undocumented_source_tables": change(SOURCE, description=""),
    "fct_undocumented_sources": change(SOURCE, source_description=""),
    "fct_model_directories": change(INTERMEDIATE, original_file_path="models/marts/int_order.sql"),
    "fct_model_naming_conventions": change(FACT, name="orders", original_file_path="models/marts/orders.sql"),
    "fct_source_directories": change(SOURCE, original_file_path="models/staging/_sources.yml"),
    "fct_test_directories": change("test.p.unique_fct_order", original_file_path="models/_models.yml"),
    "fct_chained_views_dependencies": chain_of_views,
    "fct_exposure_parents_materializations": change(REPORT, config={"materialized": "view"}),
    "fct_exposures_dependent_on_private_models": change(REPORT, access="protected"),
    "fct_public_models_without_contract": change(FACT, contract={"enforced": False}),
    "fct_undocumented_public_models": change(FACT, columns={"id": {"name": "id", "description": ""}}),
}


def with_constraint(key: str, raw_code: str = "", **config: Any) -> Breaker:
    """A model whose key is no test but a constraint."""

    def breaker(manifest: dict[str, Any]) -> None:
        drop_tests(key, "unique", "not_null")(manifest)
        node = manifest["nodes"][key]
        node["columns"]["id"]["constraints"] = [{"type": "primary_key"}]
        node["config"] |= config
        node["raw_code"] = raw_code or node["raw_code"]

    return breaker


HOOK = {"post-hook": [{"sql": "{{ add_constraints() }}"}]}
FROM_RAW = "select {{ row_id() }} as id from {{ source('shop', 'order') }}"


def add_raw_key_test(manifest: dict[str, Any]) -> None:
    manifest["nodes"]["test.p.raw"] = {
        "resource_type": "test",
        "name": RAW_KEY_TEST,
        "original_file_path": f"tests/{RAW_KEY_TEST}.sql",
        "depends_on": {"nodes": []},
    }


@pytest.mark.parametrize(
    ("breaker", "missing"),
    [
        (with_constraint(FACT, **HOOK), []),
        (with_constraint(FACT), ["fct_order"]),
        (both(with_constraint(STAGING, FROM_RAW), add_raw_key_test), []),
        (with_constraint(STAGING, FROM_RAW), ["stg_shop__order"]),
        (
            both(with_constraint(STAGING, FROM_RAW.replace("row_id()", "order_id")), add_raw_key_test),
            ["stg_shop__order"],
        ),
    ],
    ids=["table", "table without hook", "view on raw", "view without the raw test", "view with another key"],
)
def test_a_constraint_counts_where_the_build_enforces_it(breaker: Breaker, missing: list[str]) -> None:
    manifest = sound_manifest()
    breaker(manifest)
    project = Project(manifest)
    assert list(RULES["fct_missing_primary_key_tests"](project)) == missing
    assert bool(list(RULES["fct_test_coverage"](project))) == bool(missing)


def test_there_are_29_rules_and_each_has_a_broken_project() -> None:
    assert len(RULES) == 29
    assert set(RULES) == set(BROKEN)


@pytest.mark.parametrize("name", RULES)
def test_rule_accepts_what_is_sound(name: str) -> None:
    assert list(RULES[name](Project(sound_manifest()))) == []


@pytest.mark.parametrize("name", RULES)
def test_rule_finds_an_offence(name: str) -> None:
    manifest = sound_manifest()
    BROKEN[name](manifest)
    assert list(RULES[name](Project(manifest))), RULES[name].__doc__


# The project itself


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    target = tmp_path_factory.mktemp("dbt")
    address = {"HOST": "localhost", "PORT": "5432", "USER": "nobody", "PASSWORD": "none", "DBNAME": "none"}
    command = [sys.executable, "-m", "dbt.cli.main", "--log-path", str(target), "parse", "--no-partial-parse"]
    places = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target-path", target]
    run = subprocess.run(
        command + [str(place) for place in places],
        env=os.environ | {f"CCHC_DBT_{name}": value for name, value in address.items()},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return Project(json.loads((target / "manifest.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", RULES)
def test_project_has_no_offence(project: Project, name: str) -> None:
    assert list(RULES[name](project)) == [], RULES[name].__doc__


def undescribed(project: Project) -> Iterator[str]:
    """Models, seeds, sources and exposures without a description, or with a column that has none."""
    resources = project.models | project._nodes("seed") | project.sources | project.exposures
    for key, node in resources.items():
        if not is_described(node):
            yield name_of(key)
        if key not in project.exposures and not node["columns"]:
            yield f"{name_of(key)}: no columns"
        for column in node.get("columns", {}).values():
            if not is_described(column):
                yield f"{name_of(key)}.{column['name']}"


def test_every_resource_and_column_is_described(project: Project) -> None:
    assert list(undescribed(project)) == []


def test_an_undescribed_column_is_found() -> None:
    manifest = sound_manifest()
    manifest["sources"] = {}
    manifest["exposures"] = {}
    change(FACT, columns={"id": {"name": "id", "description": ""}})(manifest)
    assert list(undescribed(Project(manifest))) == ["fct_order.id"]
