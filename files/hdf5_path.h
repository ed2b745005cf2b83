/* files/hdf5_path.h -- names like FILE.h5:/DATASET: a place inside of a file. */
#ifndef FILES_HDF5_PATH_H
#define FILES_HDF5_PATH_H

#include "flow/err.h"

#include <stddef.h>

/* Where the name of the dataset begins, with its '/': NULL if path names none. */
const char *file_dataset_of(const char *path);

enum { FILE_OF_DATASET = 4200 };

/* The file that path is in, for whoever looks at files and not at numbers: path itself, or what is before the dataset, in
 * room. */
const char *file_of_dataset(char room[FILE_OF_DATASET], const char *path);

#endif
