"""One Spark session on this machine for all tests that need one."""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A local session; tests are skipped where Java or PySpark is absent, or fail if Spark is required."""
    if shutil.which("java") is None:
        _do_without("Java is not on the path")
    if find_spec("pyspark") is None:
        _do_without("PySpark is not installed")
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    place = tempfile.mkdtemp(prefix="spark")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": place,
        "spark.sql.warehouse.dir": f"{place}/warehouse",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # quick to start, not to run
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.adaptive.enabled": "false",
    }
    try:
        session = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
    except PySparkRuntimeError:
        _do_without("PySpark does not start with this Java")
    yield session
    session.stop()
    shutil.rmtree(place, ignore_errors=True)


def _do_without(reason: str) -> NoReturn:
    if os.environ.get("NPS_REQUIRE_SPARK") == "1":
        pytest.fail(f"{reason}, and NPS_REQUIRE_SPARK=1")
    pytest.skip(reason)
