/* library/look.c -- what a model says of itself. */
#include "library/handle.h"

#include <stdlib.h>

const char *distill_version(void)
{
    return DISTILL_VERSION;
}

const char *distill_code_text(int code)
{
    static const char *const texts[] = {[DISTILL_OK] = "no error",
                                        [DISTILL_EUSAGE] = "arguments that make no sense",
                                        [DISTILL_ENOFILE] = "a file that cannot be read",
                                        [DISTILL_EFILE] = "a file whose content is wrong",
                                        [DISTILL_ECANNOT] = "a model has no such thing",
                                        [DISTILL_ENOMEM] = "out of memory",
                                        [DISTILL_EBUSY] = "another thread is in this handle",
                                        [DISTILL_EBUG] = "a fault of the library"};
    return code >= 0 && (size_t)code < sizeof texts / sizeof *texts ? texts[code]
                                                                    : "no code of this library";
}

const char *distill_why(const distill_model *model)
{
    return model ? model->why : "no model";
}

size_t distill_dim(const distill_model *model)
{
    return model ? flow_dim(model->of->model->flow) : 0;
}

size_t distill_context_dim(const distill_model *model)
{
    return model ? flow_context(model->of->model->flow) : 0;
}

const char *distill_name(const distill_model *model, size_t column)
{
    return model ? json_string_value(json_array_get(model->of->model->names, column)) : NULL;
}

const char *distill_context_name(const distill_model *model, size_t column)
{
    return model ? json_string_value(json_array_get(model->of->model->context_names, column))
                 : NULL;
}

const char *distill_description(const distill_model *model)
{
    return model ? model->of->description : NULL;
}
