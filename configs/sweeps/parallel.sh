#!/bin/sh
# The points of a sweep by GNU parallel: four at a time, or on other machines (--sshlogin); --joblog remembers which are done.
#   sh parallel.sh steps.yaml
distill sweep "$1" --commands | parallel -j 4 --joblog "${1%.yaml}.joblog" --resume-failed
distill sweep "$1"
