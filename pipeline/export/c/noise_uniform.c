static double pcg_uniform(pcg *self)
{
    return (double)(pcg_next(self) >> 11) * (1.0 / 9007199254740992.0);
}
