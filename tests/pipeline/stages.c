/* The table of stages: names and lists that hold together, and what each key can change. */
#include "pipeline/config/schema.h"
#include "pipeline/stages/stage.h"

#include <criterion/criterion.h>
#include <string.h>

Test(stages, each_is_whole)
{
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        const stage *s = stages[i];
        cr_assert_not_null(s, "fewer than STAGE_COUNT");
        cr_expect(s->name && *s->name && s->doc && *s->doc && s->run, "stage %zu", i);
        cr_expect_eq(stage_index(s), i, "%s is there twice", s->name);
        for (size_t j = 0; j < i; j++)
            cr_expect_str_neq(s->name, stages[j]->name);
        cr_expect(!s->release || s->product_size > 0, "%s: nothing to release", s->name);
        cr_expect(s->abi > 0, "%s", s->name);
        cr_expect_eq(!s->keys_if && !s->input_if, !s->reads_more, "%s", s->name);
        /* What writes files and is asked for its product must be able to give it without writing them again. */
        cr_expect(s->load || !s->outputs[0] || !s->product_size, "%s", s->name);
    }
}

Test(stages, inputs_stand_before_and_have_a_product)
{
    for (size_t i = 0; i < STAGE_COUNT; i++)
        for (const stage *const *in = stages[i]->inputs; *in; in++) {
            cr_expect_lt(stage_index(*in), i, "%s of %s", (*in)->name, stages[i]->name);
            cr_expect_gt((*in)->product_size, 0, "%s of %s", (*in)->name, stages[i]->name);
        }
    const stage *e = &stage_export; /* the only one with an input that it may not have */
    cr_expect_eq(e->input_if, &stage_validate);
}

Test(stages, outputs_stay_in_the_directory_and_belong_to_one)
{
    for (size_t i = 0; i < STAGE_COUNT; i++)
        for (const char *const *out = stages[i]->outputs; *out; out++) {
            cr_expect(**out != '/' && !strstr(*out, ".."), "%s", *out);
            for (const char *const *next = out + 1; *next; next++)
                cr_expect_str_neq(strrchr(*out, '/') ? strrchr(*out, '/') : *out,
                                  strrchr(*next, '/') ? strrchr(*next, '/') : *next);
            for (size_t j = 0; j < i; j++)
                for (const char *const *other = stages[j]->outputs; *other; other++)
                    cr_expect_str_neq(*out, *other);
        }
}

Test(stages, keys_are_those_of_the_schema)
{
    for (size_t i = 0; i < STAGE_COUNT; i++)
        for (const char *const *key = stages[i]->keys; *key; key++)
            cr_expect(schema_find(*key) || schema_is_section(*key), "%s of %s", *key,
                      stages[i]->name);
}

/* A key that no stage reads would be read and ignored; these are not for a stage. */
Test(stages, every_key_is_read)
{
    static const char *const others[] = {"schema", "compute.threads", "checkpoint.every"};
    for (size_t i = 0; i < schema_n_keys; i++) {
        const char *path = schema_keys[i].name;
        size_t readers = 0;
        for (size_t s = 0; s < STAGE_COUNT; s++)
            readers += stage_reads(stages[s], path);
        for (size_t o = 0; o < sizeof others / sizeof *others; o++)
            readers += strcmp(path, others[o]) == 0 ? 100 : 0;
        cr_expect(readers == 100 || (readers > 0 && readers <= STAGE_COUNT), "%s: %zu", path,
                  readers);
    }
}

Test(stages, a_key_is_read_by_itself_or_its_section)
{
    cr_expect(stage_reads(&stage_teacher, "teacher.flow.layers"));
    cr_expect(stage_reads(&stage_teacher, "compute.shard"));
    cr_expect_not(stage_reads(&stage_teacher, "compute.threads"));
    cr_expect_not(stage_reads(&stage_teacher, "student.flow.layers"));
    cr_expect_not(stage_reads(&stage_teacher, "teacherish"));
    cr_expect_not(stage_reads(&stage_data, "compute.shard"));
}
