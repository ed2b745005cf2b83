/* tests/e2e/h5.c -- h5 FILE: an HDF5 file with the datasets /near and /far, 2000 rows of two columns each. Status 69: this is
 * built without HDF5. */
#if FILES_HDF5
#include <hdf5.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 2000 };

static int add(hid_t file, const char *name, const double *values)
{
    const hsize_t dims[] = {ROWS, 2};
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t set =
        H5Dcreate2(file, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    herr_t code = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
    return code < 0;
}

int main(int argc, char **argv)
{
    static double values[2 * ROWS];
    if (argc != 2)
        return 64;
    for (int i = 0; i < 2 * ROWS; i++)
        values[i] = sin(0.713 * i) + cos(2.385 * i * i);
    hid_t file = H5Fcreate(argv[1], H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    int code = file < 0 || add(file, "near", values);
    for (int i = 0; i < 2 * ROWS; i++)
        values[i] += 10;
    code = code || add(file, "far", values);
    H5Fclose(file);
    return code;
}
#else
int main(void)
{
    return 69;
}
#endif
