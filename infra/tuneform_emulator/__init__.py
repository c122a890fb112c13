"""Google Cloud on loopback, as far as tuneform needs it, with a small model that is really trained."""

import os

__version__ = "0.1.0"

# numpy reads these once, when it is first imported. The trainer's matrices are small: threads of a BLAS library
# that spin for each other cost it ten times what they save (Banking77 on 2 cores: 4.2 s an epoch, 0.4 s with one).
# Jobs train side by side instead. One thread also adds up in one order, so that runs repeat on other machines.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_variable, "1")
