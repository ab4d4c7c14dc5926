"""One run of dominance-analysis, in an environment that holds it: see `drivers.dominance_theirs`."""

import contextlib
import io
import json
import resource
import sys
import time
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
rng = np.random.default_rng(int(sys.argv[1]))
x = rng.standard_normal((1_000, 10)) + rng.standard_normal((1_000, 1))
table = pd.DataFrame(x, columns=[f"x{term}" for term in range(10)])
table["y"] = x.sum(axis=1) + 3 * rng.standard_normal(1_000)
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    import matplotlib as mpl

    mpl.use("Agg")
    from dominance_analysis import Dominance

    wall, processor = time.perf_counter(), time.process_time()
    found = Dominance(data=table, target="y", objective=1, top_k=10).incremental_rsquare()
    told = {"seconds": time.perf_counter() - wall, "processor_seconds": time.process_time() - processor}
told["peak_megabytes"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
told["check"] = round(float(found["x0"]), 6)
sys.stdout.write(json.dumps(told) + "\n")
