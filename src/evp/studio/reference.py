"""The API's own description as a page, without a script and without a request to anywhere else."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } h3 { margin: 1.5rem 0 .3rem; font-weight: 600; }
code, pre { font: 14px/1.45 ui-monospace, monospace; } h3 code { font-weight: 700; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top; }
pre { overflow-x: auto; padding: .6rem; border: 1px solid; border-radius: .3rem; }
"""


def reference(schema: Mapping[str, Any]) -> str:
    """A page (HTML) that shows an OpenAPI description."""
    return "\n".join([
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(schema['info']['title'])}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(schema['info']['title'])} {escape(schema['info']['version'])}</h1>",
        *(f"<p>{escape(part)}</p>" for part in schema["info"].get("description", "").split("\n\n")),
        "<p>As a file for tools: <a href='/api/openapi.json'>openapi.json</a></p>",
        "<h2>Addresses</h2>",
        *(line for path, methods in schema["paths"].items() for line in _address(path, methods)),
        "<h2>Shapes</h2>",
        *(line for name, shape in schema["components"]["schemas"].items() for line in _shape(name, shape)),
        "</main></body></html>",
    ])  # fmt: skip


def _address(path: str, methods: Mapping[str, Any]) -> Iterator[str]:
    for method, operation in methods.items():
        yield f"<h3><code>{method.upper()} {escape(path)}</code></h3>"
        yield f"<p>{escape(operation.get('description', ''))}</p><table>"
        for given in operation.get("parameters", []):
            needed = "" if given.get("required") else ", optional"
            yield _row(f"<code>{escape(given['name'])}</code>", given["in"] + needed, _kind(given["schema"]))
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            yield _row("body", escape(media), _kind(content.get("schema", {})))
        for status, response in operation["responses"].items():
            for media, content in response.get("content", {"": {}}).items():
                yield _row(str(status), escape(media), _kind(content.get("schema", {})))
        yield "</table>"


def _shape(name: str, shape: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h3 id='{escape(name)}'><code>{escape(name)}</code></h3>"
    yield f"<p>{escape(shape.get('description', ''))}</p><table>"
    for field, kind in shape.get("properties", {}).items():
        needed = "" if field in shape.get("required", []) else "optional"
        yield _row(f"<code>{escape(field)}</code>", _kind(kind), needed, escape(kind.get("description", "")))
    yield "</table>"


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _kind(schema: Mapping[str, Any]) -> str:
    """What a value is, in a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f"<a href='#{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_kind(part) for part in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return " | ".join(escape(json.dumps(value)) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"names to {_kind(schema['additionalProperties'])}"
    return escape(schema.get("type", ""))
