"""Many notes: records in, results out in the same order, bad ones answered and the rest going on.

On one machine (:mod:`codeassist.batch.local`) processes share the work and a journal beside the results lets a run that
was killed go on; on a Dask cluster (:mod:`codeassist.batch.cluster`) tasks code partitions into parts.
"""
