/* files/npy_format.h -- what the reader and the writer of .npy files have in common. */
#ifndef FILES_NPY_FORMAT_H
#define FILES_NPY_FORMAT_H

#define MAGIC "\x93NUMPY"

enum { MAGIC_LEN = 6, CHUNK = 4096 /* numbers converted at a time */ };

#endif
