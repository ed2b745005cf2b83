/* ---- between the user's units and the flow's: u = (t - shift) / scale, t of x by the column's support. Of soft > 0
 * a half line is the inverse of a softplus, else a logarithm; an interval is a logit. */

enum support { LINE, ABOVE, BELOW, BETWEEN };

typedef struct unit {
    double shift, scale;
    double lo, hi, alpha, soft, edge; /* the support */
    double step;                      /* of a grid; 0: none */
    double period, cut, start;        /* 0: no circle */
    double stretch;                   /* of an angle; 0: 1 */
    enum support support;
    int angle; /* on a circle in the flow, too */
} unit;
