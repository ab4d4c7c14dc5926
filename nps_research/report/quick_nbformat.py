"""nbformat, without what takes it two seconds to import: jsonschema's grammar of addresses, asked of no notebook.

jsonschema goes without that grammar where the package that compiles it, at every import, is not installed.
"""

import sys

GRAMMAR = "rfc3987_syntax"

if GRAMMAR not in sys.modules:
    sys.modules[GRAMMAR] = None  # type: ignore[assignment]  # what Python takes for "not installed"
    try:
        import nbformat  # noqa: F401
    finally:
        del sys.modules[GRAMMAR]
