"""Tests of the chart's comparison: which values it demands to be set."""

import chart_golden

SCHEMA = {
    "definitions": {"image": {"properties": {"tag": {"type": "string"}, "digest": {"type": "string"}}}},
    "properties": {
        "global": {"type": "object"},
        "image": {"$ref": "#/definitions/image"},
        "controller": {"properties": {"image": {"$ref": "#/definitions/image"}, "labels": {"type": "object"}}},
    },
}


def test_every_value_that_the_schema_names_is_a_setting():
    found = list(chart_golden.settings(SCHEMA, SCHEMA["definitions"]))
    assert found == [
        "image.tag",
        "image.digest",
        "controller.image.tag",
        "controller.image.digest",
        "controller.labels",
    ]


def test_a_value_is_set_even_where_it_is_empty_and_not_where_one_above_it_is_no_map():
    values = {"image": {"digest": ""}, "controller": "text"}
    assert chart_golden.is_set(values, "image.digest")
    assert not chart_golden.is_set(values, "image.tag")
    assert not chart_golden.is_set(values, "controller.labels")


def test_what_changes_by_itself_is_taken_out():
    rendered = "---\napiVersion: v1\nkind: CustomResourceDefinition\nmetadata: {}\nspec:\n  a: b\n---\nkind: Service\n"
    assert chart_golden.timeless(rendered) == (
        "---\napiVersion: v1\nkind: CustomResourceDefinition\nmetadata: {}\n---\nkind: Service\n"
    )
