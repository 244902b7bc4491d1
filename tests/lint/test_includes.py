from pathlib import Path

import includes
import pytest

TABLE = """
# Parts
## What may include what
| room | may include | third-party headers |
|---|---|---|
| `common/base` | nothing | `fmt/` |
| `sidecar/server` | `common/*` | `boost/asio`, `nlohmann/ in reader.cpp` |
| `sidecar` | `sidecar/server` | |

## The way of a mail
| `not/a` | `room` | |
"""


def check(path, text):
    return includes.findings(Path(path), text, includes.read_table(TABLE), lambda header: "missing" not in header)


def test_reads_only_its_own_table():
    assert set(includes.read_table(TABLE)) == {"common/base", "sidecar/server", "sidecar"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("sidecar/server/a.cpp", '#include "common/base/x.hpp"'),
        ("sidecar/server/a.cpp", '#include "sidecar/server/a.hpp"\n#include <vector>\n#include <sys/socket.h>'),
        ("sidecar/server/a.cpp", "#include <boost/asio/awaitable.hpp>"),
        ("sidecar/server/reader.cpp", "#include <nlohmann/json.hpp>"),
        ("sidecar/main.cpp", '#include "sidecar/server/a.hpp"\n#include "mailid_version.hpp"'),
    ],
)
def test_allows_what_the_table_names(path, text):
    assert check(path, text) == []


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("common/base/a.cpp", '#include "sidecar/server/a.hpp"', "common/base may not include sidecar/server"),
        ("common/base/a.cpp", "\n#include <boost/asio.hpp>", "common/base/a.cpp:2: <boost/asio.hpp> is not for"),
        ("sidecar/server/a.cpp", "#include <boost/beast.hpp>", "<boost/beast.hpp> is not for"),
        ("sidecar/server/a.hpp", "#include <nlohmann/json.hpp>", "is not for a.hpp"),
        ("sidecar/server/a.hpp", '#include "common/missing.hpp"', "is no path from the root"),
        ("sidecar/server/a.hpp", '#include "a.hpp"', "may not include"),
        ("sidecar/other/a.hpp", "", "has no row"),
    ],
)
def test_refuses_the_rest(path, text, words):
    assert words in "\n".join(check(path, text))
