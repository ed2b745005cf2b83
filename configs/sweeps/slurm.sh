#!/bin/bash
# One point of a sweep a task of a Slurm array; tasks that were stopped go on when they are sent again.
#   distill sweep steps.yaml --commands >points.txt
#   sbatch --array=1-"$(wc -l <points.txt)" slurm.sh points.txt
#   distill sweep steps.yaml      # when all are there: the table
#SBATCH --cpus-per-task=4 --time=01:00:00 --signal=USR1@60
sed -n "${SLURM_ARRAY_TASK_ID}p" "$1" | sh
