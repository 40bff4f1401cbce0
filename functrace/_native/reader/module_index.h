/* The types of the index for Python; module.c adds them to the module. */
#ifndef FUNCTRACE_MODULE_INDEX_H
#define FUNCTRACE_MODULE_INDEX_H

#include "python.h"

extern PyType_Spec functrace_index_builder_type, functrace_index_type;

#endif
