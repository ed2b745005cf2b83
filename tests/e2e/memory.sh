#!/bin/bash
# Every allocation of the library floors fails once: memory.c.
exec "${BUILD:-build}/tests/e2e/memory"
