"""Each sample of a profile counts for one part of the API server."""

from bench.writes.stacks import OTHER, PARTS, parts_of, stacks_of

TRACES = """File: controlplane
Type: cpu
Duration: 6s, Total samples = 60000us ( 1.00%)
-----------+-------------------------------------------------------
   10000us   runtime.mallocgc
             k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel.(*Validator).validate
             k8s.io/apiserver/pkg/storage/etcd3.(*store).GuaranteedUpdate
-----------+-------------------------------------------------------
          key:  value
   20000us   runtime.scanObject
             runtime.gcBgMarkWorker
-----------+-------------------------------------------------------
   30000us   net/http.(*conn).serve
"""


def test_stacks_are_read_with_their_time() -> None:
    first, *others = stacks_of(TRACES)

    assert first[0] == 10000
    assert first[1][0] == "runtime.mallocgc"
    assert len(first[1]) == 3
    assert others == [(20000, ["runtime.scanObject", "runtime.gcBgMarkWorker"]), (30000, ["net/http.(*conn).serve"])]


def test_each_sample_counts_for_the_first_part_that_knows_a_function_of_it() -> None:
    parts = parts_of(stacks_of(TRACES))

    assert parts == {"rules of the definition (CEL)": 10000, "garbage collection": 20000, OTHER: 30000}
    assert parts.keys() <= {*PARTS, OTHER}
