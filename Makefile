# make                     build/distill, build/libdistill.so and build/libdistill.a
# make run                 install what is missing, build, run the main job on real data
# make test                install what is missing, build, run every test; tests/README.md
# make bench               rows/s of every operation at six sizes
# make deps                install what is missing to build, and no more
# make install PREFIX=DIR  the program with manual pages and completions, the library and its header; default /usr/local
# make deb                 the same as a Debian package, build/distill_VERSION.deb
# make format              clang-format over the tree
# make clean               remove build/
#
# Variables: CC, CFLAGS (default -g -O2), CPPFLAGS, LDFLAGS; BUILD, the directory of all that is made; V=1;
# WERROR=-Werror; SANITIZE=address (also finds undefined behaviour; 1 means the same) or thread, which
# build into directories of their own; RUN_CONFIG, what `make run` runs.

BUILD      ?= build
PREFIX     ?= /usr/local
RUN_CONFIG ?= configs/power.yaml
VERSION    := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif

# ---- flags

CFLAGS ?= -g $(if $(SANITIZE),-O1,-O2)
comma  := ,
override SANITIZE := $(SANITIZE:1=address)
SANITIZE_address := -fsanitize=address$(comma)undefined -fno-sanitize-recover=all
SANITIZE_thread  := -fsanitize=thread
OUT    := $(BUILD)$(if $(SANITIZE),/$(SANITIZE))
CHECKS := $(if $(SANITIZE),$(or $(SANITIZE_$(SANITIZE)),$(error SANITIZE is address or thread)) -fno-omit-frame-pointer)

# Asked once, and only when something is compiled: there may be no pkg-config before `make run`.
LIBRARIES  := openblas yaml-0.1 jansson cairo
PKG_CFLAGS  = $(eval PKG_CFLAGS := $$(call ask,--cflags))$(PKG_CFLAGS)
PKG_LIBS    = $(eval PKG_LIBS := $$(call ask,--libs))$(PKG_LIBS)
ask = $(shell pkg-config $1 $(LIBRARIES))$(if \
    $(filter-out 0,$(.SHELLSTATUS)),$(error libraries are missing: "make deps" installs them))

WARN    := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
COMPILE  = $(CC) -std=c11 $(CPPFLAGS) $(CFLAGS) $(CHECKS) $(WARN) $(WERROR) -fPIC -fvisibility=hidden -MMD -MP -I. \
           -D_POSIX_C_SOURCE=200809L -DDISTILL_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
LINK     = $(call show,link)$(CC) $(CFLAGS) $(CHECKS) $(LDFLAGS) -o $@ $(WRAP) $(filter %.o,$^) $(filter %.a,$^) \
           $(if $(filter %.so,$^),-L$(OUT) -ldistill -Wl$(comma)-rpath$(comma)'$$ORIGIN/..:$$ORIGIN/../..') $(PKG_LIBS) $(HDF5_LIBS) -lm -pthread -ldl

# Tables in HDF5 files (files/hdf5.h), where its library is.
HDF5       := $(shell pkg-config --exists hdf5 2>/dev/null && echo hdf5)
HDF5_FLAGS  = $(if $(HDF5),-DFILES_HDF5=1 $(shell pkg-config --cflags hdf5))
HDF5_LIBS  := $(if $(HDF5),$(shell pkg-config --libs hdf5 2>/dev/null))

# flow/layer/ is compiled once per precision and instruction set (flow/backend.h chooses at run time).
# Contraction to fused multiply-add is wanted there; nothing else of -ffast-math is. pcg.c shall give
# the same bits everywhere, so it is not contracted.
NUMERIC     := $(if $(SANITIZE),-O1,-O3) -ffp-contract=fast -fno-math-errno -fno-trapping-math
ISAS        := generic $(if $(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null)),avx2 avx512)
ISA_generic :=
ISA_avx2    := -mavx2 -mfma
ISA_avx512  := -mavx2 -mfma -mavx512f -mavx512vl -mavx512dq -mavx512bw -mprefer-vector-width=512

# Once more in single precision for networks in bytes (flow/round.h), without contraction: same bits everywhere.
ROUNDS      := -ffp-contract=off -DFLOW_ROUNDS=1
VNNI_avx2   := -mavxvnni
VNNI_avx512 := -mavx512vnni

# ---- the program and the library

LAYER_SRC := $(wildcard flow/layer/*.c)
FULL_SRC  := $(filter-out flow/layer/%_low.c flow/layer/stair_int8%,$(LAYER_SRC))
LIB_ROOMS := flow files teacher student
LIB_OBJ   := $(patsubst %.c,$(OUT)/%.o,$(wildcard $(LIB_ROOMS:%=%/*.c))) \
             $(foreach i,$(ISAS),$(foreach p,f32 f64,$(FULL_SRC:%.c=$(OUT)/%.$p.$i.o)) $(LAYER_SRC:%.c=$(OUT)/%.r32.$i.o))
MAIN_OBJ  := $(OUT)/pipeline/main.o
APP_OBJ   := $(filter-out $(MAIN_OBJ),$(patsubst %.c,$(OUT)/%.o,$(wildcard pipeline/*.c pipeline/*/*.c)))

.PHONY: all tests run test deps test-deps install deb format check-format clean help FORCE
all: $(OUT)/distill $(OUT)/libdistill.so $(OUT)/libdistill.a

# One short line for each thing that is made; the whole command with V=1.
show = $(if $(V),,@echo '  $1 $(@:$(OUT)/%=%)';)

$(OUT)/distill: $(MAIN_OBJ) $(APP_OBJ) $(OUT)/rooms.a
	$(LINK)

$(OUT)/rooms.a: $(LIB_OBJ) $(OUT)/made-of
	@rm -f $@
	$(call show,ar  )$(AR) rcs $@ $(filter %.o,$^)

# ---- the library for other programs (library/distill.h): nothing of it is seen but its own functions, and nothing is needed
# but jansson. BLAS, whose threads are the whole process's, is left out of the one layer that has it.

SO        := libdistill.so.$(firstword $(subst ., ,$(VERSION)))
NO_BLAS   := $(foreach i,$(ISAS),$(foreach p,f32 f64,$(OUT)/library/lu_linear.$p.$i.o))
SHARED    := $(patsubst %.c,$(OUT)/%.o,$(wildcard library/*.c)) $(NO_BLAS)
JANSSON    = $(shell pkg-config --libs jansson)

$(OUT)/$(SO): $(SHARED) $(OUT)/rooms.a library/distill.map $(OUT)/made-of
	$(call show,so  )$(CC) $(CFLAGS) $(CHECKS) $(LDFLAGS) -shared -Wl,-soname,$(SO) -Wl,--version-script=library/distill.map \
	    $(if $(SANITIZE),,-Wl$(comma)-z$(comma)defs) -o $@ $(SHARED) $(OUT)/rooms.a $(JANSSON) -lm -pthread
$(OUT)/libdistill.so: $(OUT)/$(SO)
	@ln -sf $(SO) $@

# The same in one object whose other names are its own.
$(OUT)/libdistill.a: $(SHARED) $(OUT)/rooms.a $(OUT)/made-of
	@rm -f $@
	$(call show,ar  )$(LD) -r -o $(@:.a=.o) $(SHARED) $(OUT)/rooms.a && $(OBJCOPY) --localize-hidden $(@:.a=.o) && $(AR) rcs $@ $(@:.a=.o)
OBJCOPY   ?= objcopy

# ---- tests: a Criterion program per floor, linked with everything but main; programs of one file

FLOORS    := $(foreach d,flow files teacher student pipeline library,$(if $(wildcard tests/$d/*.c),$d))
TEST_SRC  := $(foreach d,$(FLOORS) common bench,$(wildcard tests/$d/*.c))
TEST_BINS := $(FLOORS:%=$(OUT)/tests/test_%) \
             $(patsubst %.c,$(OUT)/%,$(wildcard tests/fuzz/fuzz_*.c tests/e2e/*.c))
tests: all $(TEST_BINS) $(OUT)/bench

objects_of = $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/$1/*.c))
$(foreach d,$(FLOORS),$(eval $(OUT)/tests/test_$d: $(call objects_of,$d) $(call objects_of,common)))
$(OUT)/tests/test_%: $(APP_OBJ) $(OUT)/rooms.a $(OUT)/made-of
	$(LINK) -no-pie -lcriterion

$(OUT)/tests/e2e/handles: $(OUT)/libdistill.so
$(OUT)/tests/e2e/threads: $(OUT)/tests/common/spec.o
$(OUT)/tests/e2e/memory: $(OUT)/tests/common/plugins.o $(patsubst %,$(OUT)/library/%.o,load use look)
$(OUT)/tests/%: $(OUT)/tests/%.o $(APP_OBJ) $(OUT)/rooms.a
	$(LINK)

$(OUT)/tests/test_library: $(OUT)/libdistill.so

# Every allocation of ours can be made to fail there, and no time passes.
$(OUT)/tests/e2e/memory: WRAP := $(foreach f,malloc calloc realloc posix_memalign strdup realpath free \
    json_loads json_loadb clock_gettime,-Wl$(comma)--wrap=$f)

# Every call that writes to a disk can be made to fail there.
$(OUT)/tests/e2e/faults: WRAP := $(foreach f,fopen fileno open close write pwrite fsync ftruncate rename symlink link \
    mkdir clock_gettime,-Wl$(comma)--wrap=$f)

# ---- plug-ins: the example, as its user would build it, and those that the tests load

PLUGINS := $(patsubst %.c,$(OUT)/%.so,$(wildcard plugin/*.c python/*.c tests/plugins/*.c))
tests: $(PLUGINS)
$(filter $(OUT)/tests/plugins/stan_%,$(PLUGINS)): tests/plugins/stan.c
$(filter $(OUT)/tests/plugins/umami_%,$(PLUGINS)): tests/plugins/umami.c
$(OUT)/%.so: %.c $(wildcard plugin/*.h) $(OUT)/made-with
	@mkdir -p $(@D)
	$(call show,so  )$(CC) -std=c11 -O2 -shared -fPIC $(WARN) $(WERROR) -I plugin -o $@ $< -lm

include tests/bench/bench.mk

# ---- objects

$(OUT)/%.o: %.c $(OUT)/made-with
	@mkdir -p $(@D)
	$(call show,cc  )$(COMPILE) $(if $(filter flow/pcg.c,$<),$(NUMERIC) -ffp-contract=off) -c -o $@ $<

$(patsubst %,$(OUT)/%.o,files/hdf5 files/hdf5_columns tests/files/hdf5 tests/e2e/h5): private CPPFLAGS += $(HDF5_FLAGS)

.SECONDARY: # keep the objects of programs of one file

define layer_rule
$(OUT)/%.$2$3.$1.o: %.c $(OUT)/made-with
	@mkdir -p $$(@D)
	$$(call show,cc  )$$(COMPILE) $$(NUMERIC) $$(ISA_$1) $$(if $$(findstring _vnni,$$<),$$(VNNI_$1)) \
	    $4 -DFLOW_BITS=$3 -DFLOW_ISA=$1 -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(foreach b,32 64,$(eval $(call layer_rule,$i,f,$b))) $(eval $(call layer_rule,$i,r,32,$(ROUNDS))))

define no_blas_rule
$(OUT)/library/lu_linear.f$2.$1.o: flow/layer/lu_linear.c $(OUT)/made-with
	@mkdir -p $$(@D)
	$$(call show,cc  )$$(COMPILE) $$(NUMERIC) $$(ISA_$1) -DFLOW_BLAS=0 -DFLOW_BITS=$2 -DFLOW_ISA=$1 -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(foreach b,32 64,$(eval $(call no_blas_rule,$i,$b))))

# Text files that change only when the text does, so that what hangs on the flags, or on the list of
# sources, is made anew when they change.
stamp = @mkdir -p $(@D); echo '$(strip $(subst ',,$1))' >$@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(OUT)/made-with: FORCE
	$(call stamp,$(COMPILE:$(WERROR)=) $(NUMERIC) $(ROUNDS) $(foreach i,$(ISAS),$(ISA_$i) $(VNNI_$i)) $(HDF5))
$(OUT)/made-of: FORCE
	$(call stamp,$(LIB_OBJ) $(APP_OBJ) $(SHARED) $(TEST_SRC))

# The commit that the program is built from, which --version and the manifest of a run name.
COMMIT = $(or $(shell test -e .git && git describe --always --dirty 2>/dev/null),unknown)
$(OUT)/commit: FORCE
	$(call stamp,$(COMMIT))
$(OUT)/pipeline/console/version.o: $(OUT)/commit
$(OUT)/pipeline/console/version.o: private CPPFLAGS += -DDISTILL_COMMIT='"$(shell cat $(OUT)/commit)"'

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)

# ---- what a user asks for

# A make started here sees what was just installed.
AGAIN = $(MAKE) --no-print-directory $(if $(findstring j,$(firstword -$(MAKEFLAGS))),,-j$(shell nproc))

run: deps
	$(AGAIN) all
	$(OUT)/distill run $(RUN_CONFIG)

test: test-deps
	@CC='$(CC)' BUILD='$(BUILD)' tests/run.sh

deps:
	@CC='$(CC)' tests/deps.sh $(LIBRARIES)
test-deps:
	@CC='$(CC)' tests/deps.sh $(LIBRARIES) hdf5 criterion

SHARE := man/man1 man/man3 man/man5 bash-completion/completions zsh/site-functions fish/vendor_completions.d distill
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig
	install -m 755 $(OUT)/distill $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(OUT)/$(SO) $(OUT)/libdistill.a $(DESTDIR)$(PREFIX)/lib/
	ln -sf $(SO) $(DESTDIR)$(PREFIX)/lib/libdistill.so
	packaging/pkgconfig.sh $(PREFIX) $(VERSION) >$(DESTDIR)$(PREFIX)/lib/pkgconfig/distill.pc
	install -m 644 -t $(DESTDIR)$(PREFIX)/include -D library/distill.h plugin/*.h
	install -d $(SHARE:%=$(DESTDIR)$(PREFIX)/share/%)
	packaging/header_man.sh $(VERSION) <library/distill.h >$(DESTDIR)$(PREFIX)/share/man/man3/distill.h.3
	cd $(DESTDIR)$(PREFIX)/share && d=$(abspath $(OUT)/distill) && $$d man 1 >man/man1/distill.1 && $$d man 5 >man/man5/distill.yaml.5 && \
	    $$d completion bash >bash-completion/completions/distill && $$d completion zsh >zsh/site-functions/_distill && \
	    $$d completion fish >fish/vendor_completions.d/distill.fish && $$d schema >distill/distill.schema.json

deb: all
	packaging/deb.sh $(VERSION) $(OUT)/distill_$(VERSION).deb

SOURCES = $$(git ls-files -co --exclude-standard '*.c' '*.h')
format:
	clang-format -i $(SOURCES)
check-format:
	clang-format --dry-run -Werror $(SOURCES)

clean:
	rm -rf $(BUILD)

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))
