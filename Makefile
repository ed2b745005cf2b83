# make            build/distill and build/libdistill.a
# make run        install what is missing, build, run the main job on real data
# make test       install what is missing, build, run every test (sanitizers and fuzzing included)
# make bench      rows/s of every operation at six sizes
# make format     clang-format over the tree;  make clean
#
# SANITIZE=1 builds into build/asan with the address and undefined-behaviour sanitizers.

CC      ?= gcc
BUILD   := build$(if $(SANITIZE),/asan)
PACKAGES := libopenblas-dev libyaml-dev libjansson-dev
TEST_PACKAGES := libcriterion-dev

VERSION := 0.1.0
WARN    := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
OPT     := $(if $(SANITIZE),-O1 -fsanitize=address$(comma)undefined -fno-sanitize-recover=all \
             -fno-omit-frame-pointer,-O2)
comma   := ,
CFLAGS  += -std=c11 -g $(OPT) $(WARN) $(WERROR) -MMD -MP -I. -D_POSIX_C_SOURCE=200809L \
           -DDISTILL_VERSION='"$(VERSION)"' $(shell pkg-config --cflags openblas yaml-0.1 jansson 2>/dev/null)
LDLIBS  += $(shell pkg-config --libs openblas yaml-0.1 jansson 2>/dev/null) -lm -pthread -ldl
LDFLAGS += $(if $(SANITIZE),-fsanitize=address$(comma)undefined)

# flow/layer/ is compiled once per precision and instruction set (flow/backend.h chooses at run time).
# Contraction to fused multiply-add is wanted there; nothing else of -ffast-math is.
X86     := $(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null))
ISAS    := generic $(if $(X86),avx2 avx512)
NUMERIC := -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math
ISA_generic :=
ISA_avx2    := -mavx2 -mfma
ISA_avx512  := -mavx2 -mfma -mavx512f -mavx512vl -mavx512dq -mavx512bw -mprefer-vector-width=512

LAYER_SRC := $(sort $(wildcard flow/layer/*.c))
LIB_SRC   := $(sort $(wildcard flow/*.c teacher/*.c student/*.c))
APP_SRC   := $(sort $(wildcard pipeline/*.c))
MAIN_SRC  := pipeline/main.c

LIB_OBJ   := $(LIB_SRC:%.c=$(BUILD)/%.o) \
             $(foreach p,f32 f64,$(foreach i,$(ISAS),$(LAYER_SRC:%.c=$(BUILD)/%.$(p).$(i).o)))
APP_OBJ   := $(filter-out $(BUILD)/pipeline/main.o,$(APP_SRC:%.c=$(BUILD)/%.o))

.PHONY: all run test bench format check-format clean deps test-deps fuzz
all: $(BUILD)/distill $(BUILD)/libdistill.a

$(BUILD)/distill: $(BUILD)/pipeline/main.o $(APP_OBJ) $(BUILD)/libdistill.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libdistill.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(if $(filter flow/pcg.c,$<),$(NUMERIC) -ffp-contract=off) -c -o $@ $<

define layer_rule
$(BUILD)/%.f32.$(1).o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(NUMERIC) $$(ISA_$(1)) -DFLOW_BITS=32 -DFLOW_ISA=$(1) -c -o $$@ $$<
$(BUILD)/%.f64.$(1).o: %.c
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(NUMERIC) $$(ISA_$(1)) -DFLOW_BITS=64 -DFLOW_ISA=$(1) -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call layer_rule,$(i))))

# ---- tests: one Criterion program per floor, linked with everything but main

TEST_DIRS := flow teacher student pipeline
TEST_BINS := $(foreach d,$(TEST_DIRS),$(if $(wildcard tests/$(d)/*.c),$(BUILD)/tests/test_$(d)))
TEST_COMMON := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/common/*.c))

define test_rule
$(BUILD)/tests/test_$(1): $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/$(1)/*.c)) $(TEST_COMMON) \
                          $(APP_OBJ) $(BUILD)/libdistill.a
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -no-pie -o $$@ $$^ $$(LDLIBS) -lcriterion
endef
$(foreach d,$(TEST_DIRS),$(eval $(call test_rule,$(d))))

tests: $(TEST_BINS)

format:
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')
check-format:
	clang-format --dry-run -Werror $$(git ls-files -co --exclude-standard '*.c' '*.h')

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
