# Benchmarks; included by the Makefile. tests/bench/README.md says what is measured.
#   make bench BENCH_ARGS="--sizes 1,3 --scaling"
#   make bench-peers PEERS_ARGS="--quick"

.PHONY: bench bench-peers
$(OUT)/bench: $(call objects_of,bench) $(OUT)/tests/common/spec.o $(OUT)/rooms.a $(OUT)/made-of
	$(LINK)

# A core that the environment forces on OpenBLAS would halve the peak that all is measured against.
bench: $(OUT)/bench
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $< $(BENCH_ARGS)

bench-peers: $(OUT)/bench
	tests/bench/peers.sh --bench $< $(PEERS_ARGS)
